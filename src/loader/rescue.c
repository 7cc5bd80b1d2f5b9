// SPDX-License-Identifier: GPL-2.0-only
/* SYN rescue loaded and unloaded; see rescue.h. What its maps say is in rescue_state.c. */
#include "loader/rescue.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "loader/bpflog.h"
#include "loader/object.h"
#include "loader/rescue_pins.h"
#include "util/cgroup.h"
#include "util/cleanup.h"

#define TOOL	   "establish/rescue"
#define HOOK_BYTES 32

static const char *const maps[] = { "settings", "flows", "counts", "lost_data" };

struct hook {
	const char *program, *prefix;
	bool out;
};

static const struct hook hooks[] = {
	{ "rescue_in", "in", false },
	{ "rescue_out", "out", true },
};

struct cgroup_hook {
	const char *program, *name;
	bool (*wanted)(const struct rescue_config *c);
};

struct load {
	const struct loader_config *c;
	const struct rescue_config *wanted;
	uint64_t cookie;
	struct bpf_object *obj;
	bool changed, fresh;
};

static bool has_timer(const struct rescue_config *c)
{
	return c->timer_jiffies != 0;
}

static bool watches_data(const struct rescue_config *c)
{
	return c->data_hold_ms != 0;
}

static void link_close(struct bpf_link **l)
{
	bpf_link__destroy(*l);
}

static int open_object(struct load *l, struct error *e)
{
	_cleanup_free_ char *path = NULL;
	int err = object_find_tool(l->c, TOOL, &path, e);

	return err < 0 ? err : object_open(path, &l->obj, e);
}

/* What is known of connections stays with them. */
static int reuse_maps(struct load *l, struct error *e)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		_cleanup_close_ int fd = rescue_pin_open(l->c, l->cookie, maps[i]);
		struct bpf_map *m = bpf_object__find_map_by_name(l->obj, maps[i]);

		if (!m)
			return error_set(e, -EINVAL, "the object " TOOL " has no map %s", maps[i]);
		if (fd == -ENOENT) {
			l->fresh = true;
			continue;
		}
		if (fd < 0)
			return error_set(e, fd, "cannot open the pinned map %s: %s", maps[i],
					 strerror(-fd));
		if (bpf_map__reuse_fd(m, fd) < 0)
			return error_set(e, -EINVAL, "cannot use the pinned map %s: %s", maps[i],
					 strerror(errno));
	}
	return 0;
}

static int load_object(struct load *l, struct error *e)
{
	int err = reuse_maps(l, e);

	if (err < 0)
		return err;
	bpflog_start();
	err = bpf_object__load(l->obj);
	if (err == -EINVAL && !l->fresh) {
		error_set(e, err, "SYN rescue that is loaded keeps what it knows in another form");
		return error_hint(e, "mptcp-pmctl unload --force, then apply the policy again");
	}
	if (err < 0)
		return error_set(e, err == -EPERM ? err : -EOPNOTSUPP,
				 "the kernel refused " TOOL ": %s", bpflog_summary());
	return 0;
}

static int pin_maps(struct load *l, struct error *e)
{
	int err = rescue_pin_folder_make(l->c, l->cookie, e);

	for (size_t i = 0; err == 0 && i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct bpf_map *m = bpf_object__find_map_by_name(l->obj, maps[i]);
		_cleanup_close_ int fd = rescue_pin_open(l->c, l->cookie, maps[i]);

		if (fd < 0)
			err = rescue_pin_make(l->c, l->cookie, maps[i], bpf_map__fd(m), e);
	}
	return err;
}

/* The tag is a hash of the instructions. */
static bool same_program(int link_fd, int prog_fd)
{
	struct bpf_prog_info a = { 0 }, b = { 0 };
	struct bpf_link_info link = { 0 };
	uint32_t len = sizeof(link), prog_len = sizeof(a);
	_cleanup_close_ int old_fd = -1;

	if (bpf_link_get_info_by_fd(link_fd, &link, &len) < 0)
		return false;
	old_fd = bpf_prog_get_fd_by_id(link.prog_id);
	if (old_fd < 0 || bpf_prog_get_info_by_fd(old_fd, &a, &prog_len) < 0)
		return false;
	prog_len = sizeof(b);
	return bpf_prog_get_info_by_fd(prog_fd, &b, &prog_len) == 0 &&
	       memcmp(a.tag, b.tag, sizeof(a.tag)) == 0;
}

/* True: there is one and it runs this program now. */
static int renew(struct load *l, const char *name, struct bpf_program *prog, bool *done,
		 struct error *e)
{
	_cleanup_close_ int fd = rescue_pin_open(l->c, l->cookie, name);

	*done = false;
	if (fd < 0)
		return 0;
	if (rescue_pin_leads_nowhere(fd))
		return rescue_pin_remove(l->c, l->cookie, name, e);
	*done = true;
	if (same_program(fd, bpf_program__fd(prog)))
		return 0;
	l->changed = true;
	if (bpf_link_update(fd, bpf_program__fd(prog), NULL) < 0)
		return error_set(e, -errno, "cannot replace the program %s: %s", name,
				 strerror(errno));
	return 0;
}

static int attach_hook(struct load *l, const struct hook *h, uint32_t ifindex, struct error *e)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->obj, h->program);
	_cleanup_(link_close) struct bpf_link *link = NULL;
	LIBBPF_OPTS(bpf_tcx_opts, opts);
	char name[HOOK_BYTES];
	bool done;
	int err;

	snprintf(name, sizeof(name), "%s-%" PRIu32, h->prefix, ifindex);
	err = renew(l, name, prog, &done, e);
	if (err < 0 || done)
		return err;
	link = bpf_program__attach_tcx(prog, (int)ifindex, &opts);
	if (!link)
		return error_set(e, -errno, "cannot attach %s to interface %" PRIu32 ": %s",
				 h->program, ifindex, strerror(errno));
	l->changed = true;
	return rescue_pin_make(l->c, l->cookie, name, bpf_link__fd(link), e);
}

/* What the root cgroup has, of those that the settings ask for. */
static const struct cgroup_hook cgroup_hooks[] = {
	{ "rescue_timer", "timer", has_timer },
	{ "rescue_data", "data", watches_data },
};

static int attach_cgroup(struct load *l, const struct cgroup_hook *h, struct error *e)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->obj, h->program);
	_cleanup_(link_close) struct bpf_link *link = NULL;
	_cleanup_close_ int root = -1;
	bool done;
	int err;

	if (!h->wanted(l->wanted))
		return rescue_pin_remove(l->c, l->cookie, h->name, e);
	err = renew(l, h->name, prog, &done, e);
	if (err < 0 || done)
		return err;
	root = cgroup_open("/");
	if (root < 0)
		return error_set(e, root, "cannot open the root of cgroup v2: %s", strerror(-root));
	link = bpf_program__attach_cgroup(prog, root);
	if (!link)
		return error_set(e, -errno, "cannot attach %s to the root cgroup: %s", h->program,
				 strerror(errno));
	l->changed = true;
	return rescue_pin_make(l->c, l->cookie, h->name, bpf_link__fd(link), e);
}

struct stale {
	struct load *l;
	const struct loader_rescue_flow *flows;
	size_t nr;
};

static bool is_ridden(const struct stale *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->nr; i++) {
		const struct rescue_flow *f = &s->flows[i].flow;

		if (loader_rescue_rides(f) &&
		    (f->ifindex == ifindex || f->routes[f->winner - 1].ifindex == ifindex))
			return true;
	}
	return false;
}

static void remove_stale(const char *name, uint32_t ifindex, void *data)
{
	struct stale *s = data;

	for (uint32_t i = 0; i < s->l->wanted->nr_paths; i++) {
		if (s->l->wanted->paths[i].ifindex == ifindex)
			return;
	}
	if (is_ridden(s, ifindex))
		return;
	s->l->changed = true;
	rescue_pin_remove(s->l->c, s->l->cookie, name, NULL);
}

static int write_settings(struct load *l, struct error *e)
{
	int fd = bpf_map__fd(bpf_object__find_map_by_name(l->obj, "settings"));
	_cleanup_free_ struct rescue_config *now = calloc(1, sizeof(*now));
	uint32_t zero = 0;

	if (!now)
		return error_set(e, -ENOMEM, "out of memory");
	if (bpf_map_lookup_elem(fd, &zero, now) == 0 && memcmp(now, l->wanted, sizeof(*now)) == 0)
		return 0;
	l->changed = true;
	if (bpf_map_update_elem(fd, &zero, l->wanted, BPF_ANY) < 0)
		return error_set(e, -errno, "cannot write the settings of SYN rescue: %s",
				 strerror(errno));
	return 0;
}

static int install(struct load *l, struct error *e)
{
	_cleanup_free_ struct loader_rescue_flow *flows = NULL;
	struct stale stale = { .l = l };
	int err = pin_maps(l, e);

	for (uint32_t i = 0; err == 0 && i < l->wanted->nr_paths; i++) {
		for (size_t h = 0; err == 0 && h < sizeof(hooks) / sizeof(hooks[0]); h++)
			err = attach_hook(l, &hooks[h], l->wanted->paths[i].ifindex, e);
	}
	/* Without settings the programs do nothing, so these come last. */
	if (err == 0)
		err = write_settings(l, e);
	for (size_t h = 0; err == 0 && h < sizeof(cgroup_hooks) / sizeof(cgroup_hooks[0]); h++)
		err = attach_cgroup(l, &cgroup_hooks[h], e);
	if (err == 0)
		err = loader_rescue_flows(l->c, l->cookie, &flows, &stale.nr, e);
	if (err < 0)
		return err;
	stale.flows = flows;
	rescue_pin_each_hook(l->c, l->cookie, remove_stale, &stale);
	return 0;
}

static bool runs(const struct load *l, const char *name, const char *program)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(l->obj, program);
	_cleanup_close_ int fd = rescue_pin_open(l->c, l->cookie, name);

	return fd >= 0 && prog && !rescue_pin_leads_nowhere(fd) &&
	       same_program(fd, bpf_program__fd(prog));
}

/* As a load would leave it? */
static bool is_installed(const struct load *l)
{
	char name[HOOK_BYTES];

	for (uint32_t i = 0; i < l->wanted->nr_paths; i++) {
		for (size_t h = 0; h < sizeof(hooks) / sizeof(hooks[0]); h++) {
			snprintf(name, sizeof(name), "%s-%" PRIu32, hooks[h].prefix,
				 l->wanted->paths[i].ifindex);
			if (!runs(l, name, hooks[h].program))
				return false;
		}
	}
	for (size_t h = 0; h < sizeof(cgroup_hooks) / sizeof(cgroup_hooks[0]); h++) {
		if (cgroup_hooks[h].wanted(l->wanted) &&
		    !runs(l, cgroup_hooks[h].name, cgroup_hooks[h].program))
			return false;
	}
	return true;
}

int loader_rescue_load(const struct loader_config *c, const struct rescue_config *wanted,
		       bool dry_run, enum loader_outcome *outcome, struct error *e)
{
	struct load l = { .c = c, .wanted = wanted, .cookie = wanted->netns_cookie };
	_cleanup_close_ int lock = -1;
	struct rescue_config before;
	bool had;
	int err;

	if (!dry_run) {
		lock = rescue_pin_lock(c, e);
		if (lock < 0)
			return lock;
		rescue_pin_tidy(c, l.cookie);
	}
	had = loader_rescue_settings(c, l.cookie, &before, NULL) == 0;
	*outcome = had ? LOADER_SWAPPED : LOADER_LOADED;
	err = open_object(&l, e);
	if (err == 0)
		err = load_object(&l, e);
	if (err == 0 && dry_run && had && memcmp(&before, wanted, sizeof(before)) == 0 &&
	    is_installed(&l))
		*outcome = LOADER_UNCHANGED;
	if (err == 0 && !dry_run) {
		err = install(&l, e);
		if (err < 0 && !had)
			rescue_pin_folder_remove(c, l.cookie, NULL);
		else if (err == 0 && !l.changed)
			*outcome = LOADER_UNCHANGED;
	}
	object_close(&l.obj);
	return err;
}
