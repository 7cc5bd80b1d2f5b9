// SPDX-License-Identifier: GPL-2.0-only
/* The program that gives resets a reason, its interfaces and what is asked of it; see reset.h. */
#include "loader/reset.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/tcx_program.h"
#include "util/cleanup.h"

#define NS_PER_SECOND 1000000000ull

/* What is looked for first is pinned first, so that what a run that was killed left is seen. */
static const char *const maps[] = { "reset_counters", "reset_wanted", "reset_armed" };

static struct tcx_program reset_of(const struct loader_config *c, uint64_t netns)
{
	return (struct tcx_program){ .pins = { c, "reset", netns },
				     .object = "guard/reset",
				     .name = "reset",
				     .maps = maps,
				     .nr_maps = sizeof(maps) / sizeof(maps[0]) };
}

static bool is_attached(const struct tcx_pins *pins, uint32_t ifindex)
{
	struct tcx_link link = { 0 };
	_cleanup_close_ int fd = tcx_pins_link(pins, ifindex, &link);

	return fd >= 0 && link.ifindex == ifindex;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int loader_reset_read(const struct loader_config *c, uint64_t netns, uint32_t out[MPTCP_RESET_IFS],
		      size_t *nr, bool *dead, struct error *e)
{
	const struct tcx_pins pins = { c, "reset", netns };
	_cleanup_close_ int fd = tcx_pins_map(&pins, "reset_counters");
	uint32_t key, next, *at = NULL;

	*nr = 0;
	*dead = false;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot look at resets with a reason: %s", strerror(-fd));
	while (*nr < MPTCP_RESET_IFS && bpf_map_get_next_key(fd, at, &next) == 0) {
		key = next;
		at = &key;
		if (is_attached(&pins, key))
			out[(*nr)++] = key;
		else
			*dead = true;
	}
	*dead |= *nr == 0;
	qsort(out, *nr, sizeof(*out), ascending);
	return 0;
}

int loader_reset_try(const struct loader_config *c, uint64_t netns, enum loader_outcome *outcome,
		     struct error *e)
{
	_cleanup_(tcx_program_close) struct tcx_program p = reset_of(c, netns);
	uint32_t ifs[MPTCP_RESET_IFS];
	size_t nr = 0;
	bool dead;
	int err = tcx_program_load(&p, e);

	*outcome = LOADER_LOADED;
	if (err < 0 || p.fresh)
		return err;
	err = loader_reset_read(c, netns, ifs, &nr, &dead, e);
	if (nr)
		*outcome = LOADER_UNCHANGED;
	for (size_t i = 0; i < nr; i++) {
		struct tcx_link link = { 0 };
		_cleanup_close_ int fd = tcx_pins_link(&p.pins, ifs[i], &link);

		if (fd >= 0 && !tcx_program_is_running(&p, link.prog_id))
			*outcome = LOADER_SWAPPED;
	}
	return err;
}

static int add_interface(const struct tcx_program *p, uint32_t ifindex, struct error *e)
{
	_cleanup_free_ struct mptcp_reset_counters *zero = NULL;
	int cpus = libbpf_num_possible_cpus(), err;

	zero = cpus > 0 ? calloc((size_t)cpus, sizeof(*zero)) : NULL;
	if (!zero)
		return error_set(e, -ENOMEM, "cannot prepare an interface: out of memory");
	err = bpf_map_update_elem(tcx_program_map(p, "reset_counters"), &ifindex, zero,
				  BPF_NOEXIST);
	if (err < 0 && err != -EEXIST)
		return error_set(e, err, "cannot count resets of interface %u: %s", ifindex,
				 strerror(-err));
	return tcx_program_attach(p, ifindex, e);
}

static bool is_wanted(uint32_t ifindex, const uint32_t *ifs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (ifs[i] == ifindex)
			return true;
	return false;
}

static void drop_unwanted(const struct tcx_program *p, const uint32_t *ifs, size_t nr)
{
	int counters = tcx_program_map(p, "reset_counters");
	uint32_t key, next, *at = NULL;

	while (bpf_map_get_next_key(counters, at, &next) == 0) {
		if (is_wanted(next, ifs, nr)) {
			key = next;
			at = &key;
			continue;
		}
		tcx_pins_remove_link(&p->pins, next);
		bpf_map_delete_elem(counters, &next);
	}
}

int loader_reset_write(const struct loader_config *c, uint64_t netns, const uint32_t *ifs,
		       size_t nr, struct error *e)
{
	_cleanup_(tcx_program_close) struct tcx_program p = reset_of(c, netns);
	_cleanup_close_ int lock = tcx_pins_lock(&p.pins, nr > 0, e);
	int err;

	if (lock == -ENOENT && nr == 0)
		return 0;
	if (lock < 0)
		return lock;
	tcx_pins_sweep(&p.pins);
	if (nr == 0) {
		tcx_pins_remove(&p.pins);
		return 0;
	}
	err = tcx_program_load(&p, e);
	if (err == 0)
		err = tcx_program_pin(&p, e);
	for (size_t i = 0; err == 0 && i < nr; i++)
		err = add_interface(&p, ifs[i], e);
	if (err == 0)
		drop_unwanted(&p, ifs, nr);
	return err;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_SECOND + (uint64_t)t.tv_nsec;
}

int loader_reset_want(const struct loader_config *c, uint64_t netns,
		      const struct mptcp_reset_key *key, uint8_t reason, bool transient,
		      struct error *e)
{
	const struct tcx_pins pins = { c, "reset", netns };
	_cleanup_close_ int wanted = tcx_pins_map(&pins, "reset_wanted");
	_cleanup_close_ int armed = tcx_pins_map(&pins, "reset_armed");
	const struct mptcp_reset_wanted value = { .until_ns = now_ns() + MPTCP_RESET_TTL_NS,
						  .reason = reason,
						  .transient = transient };
	uint32_t zero = 0;
	int err = wanted < 0 ? wanted : armed < 0 ? armed : 0;

	if (err == 0)
		err = bpf_map_update_elem(wanted, key, &value, BPF_ANY);
	if (err == 0)
		err = bpf_map_update_elem(armed, &zero, &value.until_ns, BPF_ANY);
	if (err == -ENOENT) {
		error_set(e, err, "no program gives resets a reason in this network namespace");
		return error_hint(e, "apply a policy that has \"reset\" with \"emit\"");
	}
	return err < 0 ? error_set(e, err, "cannot give a reset its reason: %s", strerror(-err))
		       : 0;
}

int loader_reset_counters(const struct loader_config *c, uint64_t netns, uint32_t ifindex,
			  struct mptcp_reset_counters *out)
{
	const struct tcx_pins pins = { c, "reset", netns };
	_cleanup_close_ int fd = tcx_pins_map(&pins, "reset_counters");
	int cpus = libbpf_num_possible_cpus(), err;
	_cleanup_free_ struct mptcp_reset_counters *of_cpu = NULL;

	if (fd < 0)
		return fd;
	of_cpu = cpus > 0 ? calloc((size_t)cpus, sizeof(*of_cpu)) : NULL;
	if (!of_cpu)
		return -ENOMEM;
	err = bpf_map_lookup_elem(fd, &ifindex, of_cpu);
	*out = (struct mptcp_reset_counters){ 0 };
	for (int i = 0; err == 0 && i < cpus; i++) {
		out->changed += of_cpu[i].changed;
		out->failed += of_cpu[i].failed;
	}
	return err;
}
