// SPDX-License-Identifier: GPL-2.0-only
/* What the guard's maps hold; see guard.h. */
#include "loader/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/guard_pins.h"
#include "util/cleanup.h"

static int by_ifindex(const void *a, const void *b)
{
	uint32_t x = ((const struct loader_guard *)a)->ifindex;
	uint32_t y = ((const struct loader_guard *)b)->ifindex;

	return (x > y) - (x < y);
}

static bool is_attached(const struct loader_config *c, uint64_t netns, uint32_t ifindex)
{
	struct tcx_link link = { 0 };
	_cleanup_close_ int fd = tcx_pins_link(PINS(c, netns), ifindex, &link);

	return fd >= 0 && link.ifindex == ifindex;
}

int loader_guard_read(const struct loader_config *c, uint64_t netns,
		      struct loader_guard out[MPTCP_GUARD_IFS], size_t *nr, bool *dead,
		      struct error *e)
{
	_cleanup_close_ int fd = loader_guard_map(c, netns, "guard_config");
	uint32_t key, *last = NULL;

	*nr = 0;
	*dead = false;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot look at the guard: %s", strerror(-fd));
	while (*nr < MPTCP_GUARD_IFS && bpf_map_get_next_key(fd, last, &key) == 0) {
		struct loader_guard *guard = &out[*nr];

		guard->ifindex = key;
		last = &guard->ifindex;
		/* What is not attached may be overwritten, after its key has been used. */
		if (bpf_map_lookup_elem(fd, &key, &guard->config) == 0 &&
		    is_attached(c, netns, key))
			(*nr)++;
		else
			*dead = true;
	}
	*dead |= *nr == 0;
	qsort(out, *nr, sizeof(*out), by_ifindex);
	return 0;
}

static void add_counters(struct mptcp_guard_counters *sum, const struct mptcp_guard_counters *one)
{
	const __u64 *from = (const __u64 *)one;
	__u64 *to = (__u64 *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

int loader_guard_counters(const struct loader_config *c, uint64_t netns, uint32_t ifindex,
			  struct mptcp_guard_counters *out, struct error *e)
{
	_cleanup_close_ int fd = loader_guard_map(c, netns, "guard_counters");
	_cleanup_free_ struct mptcp_guard_counters *each = NULL;
	int cpus = libbpf_num_possible_cpus(), err;

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return error_set(e, fd, "cannot look at the guard's counters: %s", strerror(-fd));
	each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	if (!each)
		return error_set(e, -ENOMEM, "cannot look at the guard's counters: out of memory");
	err = bpf_map_lookup_elem(fd, &ifindex, each);
	if (err < 0)
		return error_set(e, err, "interface %u is not guarded", ifindex);
	for (int i = 0; i < cpus; i++)
		add_counters(out, &each[i]);
	return 0;
}

int loader_guard_events(const struct loader_config *c, uint64_t netns, uint64_t *next,
			struct mptcp_guard_event *out, size_t max, uint64_t *lost)
{
	/* Opened each time: a guard that comes, or comes anew, has other maps. */
	_cleanup_close_ int log = loader_guard_map(c, netns, "guard_log");
	_cleanup_close_ int last_map = loader_guard_map(c, netns, "guard_next");
	uint32_t zero = 0, slot;
	uint64_t last = 0;
	size_t n = 0;

	*lost = 0;
	if (log < 0 || last_map < 0)
		return log < 0 ? log : last_map;
	if (bpf_map_lookup_elem(last_map, &zero, &last) < 0)
		return -errno;
	if (*next == 0)
		*next = last + 1;
	if (*next > last + 1)
		*next = 1;
	if (last + 1 > *next + MPTCP_GUARD_LOG) {
		*lost = last + 1 - MPTCP_GUARD_LOG - *next;
		*next = last + 1 - MPTCP_GUARD_LOG;
	}
	for (; *next <= last && n < max; (*next)++) {
		slot = (uint32_t)(*next % MPTCP_GUARD_LOG);
		if (bpf_map_lookup_elem(log, &slot, &out[n]) < 0)
			return -errno;
		/* Being written: another time. Overwritten already: it is lost. */
		if (out[n].number < *next)
			break;
		if (out[n].number == *next)
			n++;
		else
			(*lost)++;
	}
	return (int)n;
}

int loader_guard_map(const struct loader_config *c, uint64_t netns, const char *name)
{
	return tcx_pins_map(PINS(c, netns), name);
}
