/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN rescue (bpf/establish/rescue.bpf.c) in the thread's network namespace, which `cookie`
 * (SO_NETNS_COOKIE) names. All there is of it is pinned in BPFFS/mptcp-pm/rescue/COOKIE: the maps
 * `settings`, `flows`, `counts` and `lost_data`, and one link for each hook, `timer`, `data`,
 * `out-IFINDEX` and `in-IFINDEX`; so it outlives the program that loaded it, and the next one finds
 * it.
 */
#ifndef LOADER_RESCUE_H
#define LOADER_RESCUE_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_rescue.h"

struct loader_rescue_flow {
	struct rescue_tuple at;
	struct rescue_flow flow; /* its kind is RESCUE_ORIGIN */
};

/*
 * Makes it as `wanted` says, on the interfaces of its paths. Programs of another build are replaced
 * in one step, with what they know; what is left of namespaces that are gone is freed. The hooks of
 * interfaces that are no longer paths go, unless a connection rides one of them. On failure it is
 * as it was.
 */
int loader_rescue_load(const struct loader_config *c, const struct rescue_config *wanted,
		       bool dry_run, enum loader_outcome *outcome, struct error *e);

/*
 * From now on no SYN is copied. -EBUSY: connections still ride another path's address and would
 * break, so the hooks stay until the next call; with `force` they do not.
 */
int loader_rescue_unload(const struct loader_config *c, uint64_t cookie, bool force,
			 struct error *e);

/* -ENOENT: not loaded. */
int loader_rescue_settings(const struct loader_config *c, uint64_t cookie,
			   struct rescue_config *out, struct error *e);

/* What is known of connections, aliases left out; none when it is not loaded. The array is the
 * caller's. */
int loader_rescue_flows(const struct loader_config *c, uint64_t cookie,
			struct loader_rescue_flow **out, size_t *nr, struct error *e);
/* With its aliases. */
int loader_rescue_forget(const struct loader_config *c, uint64_t cookie,
			 const struct loader_rescue_flow *f, struct error *e);

int loader_rescue_counts(const struct loader_config *c, uint64_t cookie,
			 uint64_t out[RESCUE_COUNTS], struct error *e);

struct loader_rescue_lost {
	struct rescue_lost_key at;
	struct rescue_lost lost;
};

/* The destinations that get no data in SYNs now, at most `max`; *nr is how many there are. */
int loader_rescue_held(const struct loader_config *c, uint64_t cookie, uint64_t now_ns,
		       struct loader_rescue_lost *out, size_t max, size_t *nr, struct error *e);

/* Does it ride the address of another path, and is not closed? */
bool loader_rescue_rides(const struct rescue_flow *f);

#endif
