// SPDX-License-Identifier: GPL-2.0-only
/* What the maps of SYN rescue say; see rescue.h. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "loader/rescue.h"
#include "loader/rescue_pins.h"
#include "util/cleanup.h"

int loader_rescue_settings(const struct loader_config *c, uint64_t cookie,
			   struct rescue_config *out, struct error *e)
{
	_cleanup_close_ int fd = rescue_pin_open(c, cookie, "settings");
	uint32_t zero = 0;

	if (fd < 0)
		return error_set(e, fd, "SYN rescue is not loaded in this network namespace");
	if (bpf_map_lookup_elem(fd, &zero, out) < 0)
		return error_set(e, -errno, "cannot read the settings of SYN rescue: %s",
				 strerror(errno));
	return 0;
}

bool loader_rescue_rides(const struct rescue_flow *f)
{
	return f->kind == RESCUE_ORIGIN && f->winner > RESCUE_UNDECIDED &&
	       f->winner <= RESCUE_ROUTES_MAX && f->closing != (RESCUE_FIN_OUT | RESCUE_FIN_IN);
}

/* An entry that goes away meanwhile makes the walk begin anew, so what is new is looked for. */
static int add_new(struct loader_rescue_flow **list, size_t *nr, const struct rescue_tuple *at,
		   const struct rescue_flow *flow)
{
	struct loader_rescue_flow *bigger;

	for (size_t i = 0; i < *nr; i++) {
		if (memcmp(&(*list)[i].at, at, sizeof(*at)) == 0)
			return 0;
	}
	bigger = reallocarray(*list, *nr + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	*list = bigger;
	bigger[(*nr)++] = (struct loader_rescue_flow){ *at, *flow };
	return 0;
}

int loader_rescue_flows(const struct loader_config *c, uint64_t cookie,
			struct loader_rescue_flow **out, size_t *nr, struct error *e)
{
	_cleanup_close_ int fd = rescue_pin_open(c, cookie, "flows");
	_cleanup_free_ struct loader_rescue_flow *list = NULL;
	struct rescue_tuple at, *last = NULL;
	struct rescue_flow flow;
	size_t n = 0, steps = 0;

	*out = NULL;
	*nr = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open what SYN rescue knows: %s", strerror(-fd));
	while (steps++ < 4 * RESCUE_FLOWS_MAX && bpf_map_get_next_key(fd, last, &at) == 0) {
		if (bpf_map_lookup_elem(fd, &at, &flow) == 0 && flow.kind == RESCUE_ORIGIN &&
		    add_new(&list, &n, &at, &flow) < 0)
			return error_set(e, -ENOMEM, "out of memory");
		last = &at;
	}
	*out = TAKE_PTR(list);
	*nr = n;
	return 0;
}

int loader_rescue_held(const struct loader_config *c, uint64_t cookie, uint64_t now_ns,
		       struct loader_rescue_lost *out, size_t max, size_t *nr, struct error *e)
{
	_cleanup_close_ int fd = rescue_pin_open(c, cookie, "lost_data");
	struct rescue_lost_key at, *last = NULL;
	struct rescue_lost lost;
	size_t steps = 0;

	*nr = 0;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open what is known of data in SYNs: %s",
				 strerror(-fd));
	while (steps++ < 2 * RESCUE_LOST_MAX && bpf_map_get_next_key(fd, last, &at) == 0) {
		last = &at;
		if (bpf_map_lookup_elem(fd, &at, &lost) < 0 || lost.until_ns <= now_ns)
			continue;
		if (*nr < max)
			out[*nr] = (struct loader_rescue_lost){ at, lost };
		++*nr;
	}
	return 0;
}

int loader_rescue_forget(const struct loader_config *c, uint64_t cookie,
			 const struct loader_rescue_flow *f, struct error *e)
{
	_cleanup_close_ int fd = rescue_pin_open(c, cookie, "flows");
	struct rescue_tuple at = f->at;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set(e, fd, "cannot open what SYN rescue knows: %s", strerror(-fd));
	if (bpf_map_delete_elem(fd, &at) < 0 && errno != ENOENT)
		return error_set(e, -errno, "cannot forget a connection: %s", strerror(errno));
	at.local_port = f->flow.alias_port;
	for (uint32_t i = 0; i < f->flow.nr_routes && i < RESCUE_ROUTES_MAX; i++) {
		at.local = f->flow.routes[i].address;
		bpf_map_delete_elem(fd, &at);
	}
	return 0;
}

int loader_rescue_counts(const struct loader_config *c, uint64_t cookie,
			 uint64_t out[RESCUE_COUNTS], struct error *e)
{
	_cleanup_close_ int fd = rescue_pin_open(c, cookie, "counts");
	_cleanup_free_ uint64_t *per_cpu = NULL;
	int cpus = libbpf_num_possible_cpus();

	memset(out, 0, RESCUE_COUNTS * sizeof(*out));
	if (fd == -ENOENT)
		return 0;
	per_cpu = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*per_cpu));
	if (fd < 0 || cpus <= 0 || !per_cpu)
		return error_set(e, fd < 0 ? fd : -ENOMEM,
				 "cannot read the counters of SYN rescue");
	for (uint32_t i = 0; i < RESCUE_COUNTS; i++) {
		if (bpf_map_lookup_elem(fd, &i, per_cpu) < 0)
			return error_set(e, -errno, "cannot read the counters of SYN rescue: %s",
					 strerror(errno));
		for (int cpu = 0; cpu < cpus; cpu++)
			out[i] += per_cpu[cpu];
	}
	return 0;
}
