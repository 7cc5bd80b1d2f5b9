// SPDX-License-Identifier: GPL-2.0-only
/* The selector and its rules; see rules.h. */
#include "loader/rules.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/attach.h"
#include "loader/bpflog.h"
#include "loader/checkpoint.h"
#include "loader/names.h"
#include "loader/object.h"
#include "loader/pins.h"
#include "util/cleanup.h"

#define TOOL  "select/select"
#define RULES "rules"
#define LINK  "link"

static int rules_open(const struct loader_config *c)
{
	char path[PINS_PATH_BYTES];
	int fd;

	pins_path(c, "select", RULES, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int pin(const struct loader_config *c, const char *name, int fd, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, "select", name, path);
	if (bpf_obj_pin(fd, path) < 0)
		return error_set(e, -errno, "cannot pin the selector at %s: %s", path,
				 strerror(errno));
	return 0;
}

static int remove_pin(const struct loader_config *c, const char *name, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, "select", name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

/* The rules are pinned first: without a link they are nothing, and the next load begins afresh. */
static int attach_new(struct attach *a, struct error *e)
{
	_cleanup_(attach_link_close) struct bpf_link *link = NULL;
	char path[PINS_PATH_BYTES];
	int err;

	err = remove_pin(a->c, RULES, e);
	if (err == 0)
		err = remove_pin(a->c, LINK, e);
	if (err < 0)
		return err;
	pins_path(a->c, "select", NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	link = bpf_map__attach_struct_ops(a->map);
	if (!link && errno == EEXIST)
		return error_set(e, -EEXIST, "a selector that is not ours is loaded already");
	if (!link)
		return error_set(e, -errno, "cannot attach the selector: %s", strerror(errno));
	loader_checkpoint("attached");
	err = pin(a->c, RULES, bpf_map__fd(bpf_object__find_map_by_name(a->obj, RULES)), e);
	if (err == 0)
		err = pin(a->c, LINK, bpf_link__fd(link), e);
	if (err == 0)
		loader_checkpoint("pinned");
	else
		remove_pin(a->c, RULES, NULL);
	return err;
}

static int open_selector(struct attach *a, struct error *e)
{
	_cleanup_free_ char *path = NULL;
	int err = object_find_tool(a->c, TOOL, &path, e);

	if (err == 0)
		err = object_open(path, &a->obj, e);
	if (err < 0)
		return err;
	a->map = object_ops_map(a->obj, LOADER_SELECT_TYPE);
	if (!a->map || !bpf_object__find_map_by_name(a->obj, RULES))
		return error_set(e, -EINVAL, "%s holds no selector", path);
	return 0;
}

static int install(struct attach *a, bool dry_run, enum loader_outcome *outcome, struct error *e)
{
	_cleanup_close_ int link_fd = -1, old_map_fd = -1, rules_fd = rules_open(a->c);
	uint32_t link_id, map_id = 0;
	char path[PINS_PATH_BYTES];
	int err;

	pins_path(a->c, "select", LINK, path);
	link_fd = pins_open_path(path, &link_id, &map_id);
	if (link_fd >= 0 && map_id)
		old_map_fd = bpf_map_get_fd_by_id(map_id);
	if (old_map_fd < 0 || rules_fd < 0) {
		*outcome = LOADER_LOADED;
		err = attach_load(a, e);
		return err < 0 || dry_run ? err : attach_new(a, e);
	}
	if (bpf_map__reuse_fd(bpf_object__find_map_by_name(a->obj, RULES), rules_fd) < 0) {
		error_set(e, -EINVAL,
			  "the selector that is loaded keeps its rules in another form");
		return error_hint(e, "mptcp-pmctl unload, in each network namespace with rules");
	}
	err = attach_load(a, e);
	if (err < 0)
		return err;
	*outcome = attach_is_running(a, old_map_fd) ? LOADER_UNCHANGED : LOADER_SWAPPED;
	if (dry_run || *outcome == LOADER_UNCHANGED)
		return 0;
	return attach_swap(a, link_fd, old_map_fd, e);
}

int loader_selector_load(const struct loader_config *c, bool dry_run, enum loader_outcome *outcome,
			 struct error *e)
{
	struct attach a = { .c = c, .kind = "selector", .name = "select" };
	_cleanup_close_ int lock = -1;
	int err;

	err = open_selector(&a, e);
	if (err == 0 && dry_run && !loader_module_loaded()) {
		*outcome = LOADER_LOADED;
	} else if (err == 0) {
		err = dry_run ? 0 : loader_module_ensure(c, e);
		if (err == 0 && !dry_run) {
			lock = pins_lock(c, e);
			err = lock < 0 ? lock : 0;
		}
		if (err == 0)
			err = install(&a, dry_run, outcome, e);
	}
	object_close(&a.obj);
	return err;
}

int loader_selector_unload_unused(const struct loader_config *c, struct error *e)
{
	_cleanup_close_ int rules_fd = rules_open(c), lock = -1;
	struct mptcp_select_key key;
	int err;

	if (rules_fd == -ENOENT ||
	    (rules_fd >= 0 && bpf_map_get_next_key(rules_fd, NULL, &key) == 0))
		return 0;
	if (rules_fd < 0)
		return error_set(e, rules_fd, "cannot open the rules for connections: %s",
				 strerror(-rules_fd));
	lock = pins_lock(c, e);
	if (lock < 0)
		return lock;
	err = remove_pin(c, LINK, e);
	loader_checkpoint("unpinned");
	return err < 0 ? err : remove_pin(c, RULES, e);
}

static struct mptcp_select_key key_of(uint64_t cookie, size_t index)
{
	return (struct mptcp_select_key){ .netns_cookie = cookie, .index = (uint32_t)index };
}

static size_t read_rules(int fd, uint64_t cookie, struct mptcp_select_rule *rules)
{
	size_t n = 0;

	for (; n < MPTCP_SELECT_RULES_MAX; n++) {
		struct mptcp_select_key key = key_of(cookie, n);

		if (bpf_map_lookup_elem(fd, &key, &rules[n]) < 0)
			break;
	}
	return n;
}

int loader_rules_read(const struct loader_config *c, uint64_t cookie,
		      struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX], size_t *nr,
		      struct error *e)
{
	_cleanup_close_ int fd = rules_open(c);

	*nr = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open the rules for connections: %s", strerror(-fd));
	*nr = read_rules(fd, cookie, rules);
	return 0;
}

/* From the first one on; what is beyond them is cut. */
static int put(int fd, uint64_t cookie, const struct mptcp_select_rule *rules, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct mptcp_select_key key = key_of(cookie, i);

		if (bpf_map_update_elem(fd, &key, &rules[i], BPF_ANY) < 0)
			return -errno;
	}
	for (size_t i = nr; i < MPTCP_SELECT_RULES_MAX; i++) {
		struct mptcp_select_key key = key_of(cookie, i);

		if (bpf_map_delete_elem(fd, &key) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int loader_rules_write(const struct loader_config *c, uint64_t cookie,
		       const struct mptcp_select_rule *rules, size_t nr, struct error *e)
{
	struct mptcp_select_rule before[MPTCP_SELECT_RULES_MAX];
	_cleanup_close_ int fd = rules_open(c), lock = -1;
	size_t nr_before;
	int err;

	if (fd == -ENOENT && nr == 0)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open the rules for connections: %s", strerror(-fd));
	lock = pins_lock(c, e);
	if (lock < 0)
		return lock;
	nr_before = read_rules(fd, cookie, before);
	err = put(fd, cookie, rules, nr);
	if (err == 0)
		return 0;
	error_set(e, err, "cannot write the rules for connections: %s", strerror(-err));
	if (err == -E2BIG)
		error_hint(e, "unload policies of other network namespaces: all share one table");
	if (put(fd, cookie, before, nr_before) < 0)
		error_hint(e, "the former rules could not be put back: mptcp-pmctl unload");
	return err;
}

bool loader_rules_name(const struct loader_config *c, const char *scheduler)
{
	_cleanup_close_ int fd = rules_open(c);
	struct mptcp_select_key key, *last = NULL;
	struct mptcp_select_rule rule;

	while (fd >= 0 && bpf_map_get_next_key(fd, last, &key) == 0) {
		if (bpf_map_lookup_elem(fd, &key, &rule) == 0 &&
		    strncmp(rule.scheduler, scheduler, sizeof(rule.scheduler)) == 0)
			return true;
		last = &key;
	}
	return false;
}
