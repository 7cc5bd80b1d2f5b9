// SPDX-License-Identifier: GPL-2.0-only
/* The guard's program on interfaces, with what is configured for each; see guard.h. */
#include "loader/guard.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/guard_pins.h"
#include "loader/tcx_program.h"
#include "util/cleanup.h"

static const char *const maps[] = { "guard_config", "guard_counters", "guard_log", "guard_next",
				    "guard_watch" };

static struct tcx_program guard_of(const struct loader_config *c, uint64_t netns)
{
	return (struct tcx_program){ .pins = *PINS(c, netns),
				     .object = "guard/guard",
				     .name = "guard",
				     .maps = maps,
				     .nr_maps = sizeof(maps) / sizeof(maps[0]) };
}

static int put_config(const struct tcx_program *g, const struct loader_guard *guard,
		      struct error *e)
{
	_cleanup_free_ struct mptcp_guard_counters *zero = NULL;
	int cpus = libbpf_num_possible_cpus(), err;

	zero = cpus > 0 ? calloc((size_t)cpus, sizeof(*zero)) : NULL;
	if (!zero)
		return error_set(e, -ENOMEM, "cannot guard an interface: out of memory");
	err = bpf_map_update_elem(tcx_program_map(g, "guard_counters"), &guard->ifindex, zero,
				  BPF_NOEXIST);
	if (err == -EEXIST)
		err = 0;
	if (err == 0)
		err = bpf_map_update_elem(tcx_program_map(g, "guard_config"), &guard->ifindex,
					  &guard->config, BPF_ANY);
	return err == 0 ? 0
			: error_set(e, err, "cannot set what is guarded on interface %u: %s",
				    guard->ifindex, strerror(-err));
}

static bool is_wanted(uint32_t ifindex, const struct loader_guard *guards, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (guards[i].ifindex == ifindex)
			return true;
	return false;
}

/* Links first: without one, what is configured means nothing. */
static void drop_unwanted(const struct tcx_program *g, const struct loader_guard *guards, size_t nr)
{
	int config = tcx_program_map(g, "guard_config");
	int counters = tcx_program_map(g, "guard_counters");
	uint32_t key, next, *at = NULL;

	while (bpf_map_get_next_key(config, at, &next) == 0) {
		if (is_wanted(next, guards, nr)) {
			key = next;
			at = &key;
			continue;
		}
		tcx_pins_remove_link(&g->pins, next);
		bpf_map_delete_elem(counters, &next);
		bpf_map_delete_elem(config, &next);
	}
}

static int write_all(struct tcx_program *g, const struct loader_guard *guards, size_t nr,
		     struct error *e)
{
	int err = tcx_program_load(g, e);

	if (err == 0)
		err = tcx_program_pin(g, e);
	for (size_t i = 0; err == 0 && i < nr; i++) {
		err = put_config(g, &guards[i], e);
		if (err == 0)
			err = tcx_program_attach(g, guards[i].ifindex, e);
	}
	if (err == 0)
		drop_unwanted(g, guards, nr);
	return err;
}

int loader_guard_write(const struct loader_config *c, uint64_t netns,
		       const struct loader_guard *guards, size_t nr, struct error *e)
{
	_cleanup_(tcx_program_close) struct tcx_program g = guard_of(c, netns);
	_cleanup_close_ int lock = tcx_pins_lock(&g.pins, nr > 0, e);

	if (lock == -ENOENT && nr == 0)
		return 0;
	if (lock < 0)
		return lock;
	tcx_pins_sweep(&g.pins);
	if (nr > 0)
		return write_all(&g, guards, nr, e);
	tcx_pins_remove(&g.pins);
	return 0;
}

int loader_guard_try(const struct loader_config *c, uint64_t netns, enum loader_outcome *outcome,
		     struct error *e)
{
	_cleanup_(tcx_program_close) struct tcx_program g = guard_of(c, netns);
	_cleanup_free_ struct loader_guard *guards = NULL;
	size_t nr = 0;
	bool dead;
	int err = tcx_program_load(&g, e);

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
		struct tcx_link link = { 0 };
		_cleanup_close_ int fd = tcx_pins_link(&g.pins, guards[i].ifindex, &link);

		if (fd >= 0 && !tcx_program_is_running(&g, link.prog_id))
			*outcome = LOADER_SWAPPED;
	}
	return err;
}
