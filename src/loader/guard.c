// SPDX-License-Identifier: GPL-2.0-only
/* The guard's program, its maps and links; see guard.h. */
#include "loader/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "loader/attach.h"
#include "loader/checkpoint.h"
#include "loader/guard_pins.h"
#include "loader/object.h"
#include "util/cleanup.h"

#define TOOL	"guard/guard"
#define PROGRAM "guard"

static const char *const maps[] = { "guard_config", "guard_counters", "guard_log", "guard_next",
				    "guard_watch" };

#define NR_MAPS (sizeof(maps) / sizeof(maps[0]))

struct guard {
	const struct loader_config *c;
	uint64_t netns;
	struct bpf_object *obj;
	struct bpf_program *program;
	bool fresh; /* the maps are new */
};

static void cleanup_guard(struct guard *g)
{
	object_close(&g->obj);
}

static int open_object(struct guard *g, struct error *e)
{
	_cleanup_free_ char *path = NULL;
	int err = object_find_tool(g->c, TOOL, &path, e);

	if (err == 0)
		err = object_open(path, &g->obj, e);
	if (err < 0)
		return err;
	g->program = bpf_object__find_program_by_name(g->obj, PROGRAM);
	for (size_t i = 0; i < NR_MAPS; i++)
		if (!bpf_object__find_map_by_name(g->obj, maps[i]))
			g->program = NULL;
	return g->program ? 0 : error_set(e, -EINVAL, "%s holds no guard", path);
}

/* Takes over the maps there are, all of them or none: what they hold is counted on. */
static void reuse_maps(struct guard *g)
{
	int fds[NR_MAPS];
	bool all = true;

	for (size_t i = 0; i < NR_MAPS; i++) {
		fds[i] = loader_guard_map(g->c, g->netns, maps[i]);
		all &= fds[i] >= 0;
	}
	for (size_t i = 0; all && i < NR_MAPS; i++)
		all &= bpf_map__reuse_fd(bpf_object__find_map_by_name(g->obj, maps[i]), fds[i]) ==
		       0;
	for (size_t i = 0; i < NR_MAPS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	g->fresh = !all;
}

static int load(struct guard *g, struct error *e)
{
	struct attach a = { .c = g->c, .kind = "program", .name = PROGRAM };
	int err = open_object(g, e);

	if (err < 0)
		return err;
	reuse_maps(g);
	a.obj = g->obj;
	err = attach_load(&a, e);
	if (err < 0 && !g->fresh && err != -EPERM) {
		/* Of another version, perhaps, with maps of another shape. */
		object_close(&g->obj);
		err = open_object(g, e);
		g->fresh = true;
		a.obj = g->obj;
		if (err == 0)
			err = attach_load(&a, e);
	}
	return err;
}

static bool same_tag(int fd, const unsigned char tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return fd >= 0 && bpf_prog_get_info_by_fd(fd, &info, &len) == 0 &&
	       memcmp(info.tag, tag, BPF_TAG_SIZE) == 0;
}

/* Is what runs behind the link the program that was loaded? */
static bool is_running(const struct guard *g, uint32_t prog_id)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(g->program), &info, &len) == 0 &&
	       same_tag(fd, info.tag);
}

static int put_config(const struct guard *g, const struct loader_guard *guard, struct error *e)
{
	_cleanup_free_ struct mptcp_guard_counters *zero = NULL;
	int cpus = libbpf_num_possible_cpus(), err;
	struct bpf_map *counters = bpf_object__find_map_by_name(g->obj, "guard_counters");
	struct bpf_map *config = bpf_object__find_map_by_name(g->obj, "guard_config");

	zero = cpus > 0 ? calloc((size_t)cpus, sizeof(*zero)) : NULL;
	if (!zero)
		return error_set(e, -ENOMEM, "cannot guard an interface: out of memory");
	err = bpf_map_update_elem(bpf_map__fd(counters), &guard->ifindex, zero, BPF_NOEXIST);
	if (err == -EEXIST)
		err = 0;
	if (err == 0)
		err = bpf_map_update_elem(bpf_map__fd(config), &guard->ifindex, &guard->config,
					  BPF_ANY);
	return err == 0 ? 0
			: error_set(e, err, "cannot set what is guarded on interface %u: %s",
				    guard->ifindex, strerror(-err));
}

static int attach(const struct guard *g, const struct loader_guard *guard, struct error *e)
{
	/* First, because a program before it could let a packet pass for good. */
	LIBBPF_OPTS(bpf_tcx_opts, opts, .flags = BPF_F_BEFORE);
	_cleanup_(attach_link_close) struct bpf_link *link = NULL;
	struct guard_link pinned;
	int err;
	_cleanup_close_ int fd = guard_pins_link(g->c, g->netns, guard->ifindex, &pinned);

	if (fd >= 0 && pinned.ifindex == guard->ifindex) {
		if (is_running(g, pinned.prog_id))
			return 0;
		if (bpf_link_update(fd, bpf_program__fd(g->program), NULL) == 0)
			return 0;
		return error_set(e, -errno, "cannot replace the guard of interface %u: %s",
				 guard->ifindex, strerror(errno));
	}
	/* One that was detached by hand, or whose interface is gone while its number came back. */
	guard_pins_remove_link(g->c, g->netns, guard->ifindex);
	link = bpf_program__attach_tcx(g->program, (int)guard->ifindex, &opts);
	if (!link)
		return error_set(e, -errno, "cannot attach the guard to interface %u: %s",
				 guard->ifindex, strerror(errno));
	loader_checkpoint("attached");
	err = guard_pins_add(g->c, g->netns, guard_pins_link_name(guard->ifindex).text,
			     bpf_link__fd(link), e);
	if (err == 0)
		loader_checkpoint("pinned");
	return err;
}

static bool is_wanted(uint32_t ifindex, const struct loader_guard *guards, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (guards[i].ifindex == ifindex)
			return true;
	return false;
}

/* Links first: without one, what is configured means nothing. */
static void drop_unwanted(const struct guard *g, const struct loader_guard *guards, size_t nr)
{
	int config = bpf_map__fd(bpf_object__find_map_by_name(g->obj, "guard_config"));
	int counters = bpf_map__fd(bpf_object__find_map_by_name(g->obj, "guard_counters"));
	uint32_t key, next, *at = NULL;

	while (bpf_map_get_next_key(config, at, &next) == 0) {
		if (is_wanted(next, guards, nr)) {
			key = next;
			at = &key;
			continue;
		}
		guard_pins_remove_link(g->c, g->netns, next);
		bpf_map_delete_elem(counters, &next);
		bpf_map_delete_elem(config, &next);
	}
}

static int write_all(struct guard *g, const struct loader_guard *guards, size_t nr, struct error *e)
{
	int err = load(g, e);

	if (err == 0 && g->fresh)
		guard_pins_remove(g->c, g->netns);
	if (err == 0)
		err = guard_pins_make(g->c, g->netns, e);
	for (size_t i = 0; err == 0 && g->fresh && i < NR_MAPS; i++)
		err = guard_pins_add(g->c, g->netns, maps[i],
				     bpf_map__fd(bpf_object__find_map_by_name(g->obj, maps[i])), e);
	for (size_t i = 0; err == 0 && i < nr; i++) {
		err = put_config(g, &guards[i], e);
		if (err == 0)
			err = attach(g, &guards[i], e);
	}
	if (err == 0)
		drop_unwanted(g, guards, nr);
	return err;
}

int loader_guard_write(const struct loader_config *c, uint64_t netns,
		       const struct loader_guard *guards, size_t nr, struct error *e)
{
	_cleanup_(cleanup_guard) struct guard g = { .c = c, .netns = netns };
	_cleanup_close_ int lock = guard_pins_lock(c, nr > 0, e);

	if (lock == -ENOENT)
		return 0;
	if (lock < 0)
		return lock;
	guard_pins_sweep(c, netns);
	if (nr > 0)
		return write_all(&g, guards, nr, e);
	guard_pins_remove(c, netns);
	return 0;
}

int loader_guard_try(const struct loader_config *c, uint64_t netns, enum loader_outcome *outcome,
		     struct error *e)
{
	_cleanup_(cleanup_guard) struct guard g = { .c = c, .netns = netns };
	struct loader_guard *guards;
	size_t nr = 0;
	bool dead;
	int err = load(&g, e);

	*outcome = LOADER_LOADED;
	if (err < 0 || g.fresh)
		return err;
	guards = calloc(MPTCP_GUARD_IFS, sizeof(*guards));
	if (!guards)
		return error_set(e, -ENOMEM, "cannot look at the guard: out of memory");
	err = loader_guard_read(c, netns, guards, &nr, &dead, e);
	if (nr)
		*outcome = LOADER_UNCHANGED;
	for (size_t i = 0; i < nr; i++) {
		struct guard_link link = { 0 };
		_cleanup_close_ int fd = guard_pins_link(c, netns, guards[i].ifindex, &link);

		if (fd >= 0 && !is_running(&g, link.prog_id))
			*outcome = LOADER_SWAPPED;
	}
	free(guards);
	return err;
}
