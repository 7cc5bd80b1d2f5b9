/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The health oracle in the kernel (bpf/oracle/), for all network namespaces; one that is watched
 * has its thresholds in it, and a ring buffer for events, which belongs to one watcher. When a
 * watcher is killed, the oracle goes on, and the next watcher finds what was gathered.
 */
#ifndef LOADER_ORACLE_H
#define LOADER_ORACLE_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_oracle.h"

struct loader_oracle;

struct loader_oracle_path {
	struct oracle_key key;
	struct oracle_path value;
};

typedef void loader_oracle_event_fn(const struct oracle_event *event, void *data);

/* -EOPNOTSUPP with what the kernel lacks. */
int loader_oracle_load(const struct loader_config *c, enum loader_outcome *outcome,
		       struct error *e);
/* Removes it when no namespace is watched; *gone: it was there and is no more. Idempotent. */
int loader_oracle_unload_unused(const struct loader_config *c, bool *gone, struct error *e);

/*
 * Watches a namespace, told by its cookie (SO_NETNS_COOKIE). -EBUSY when another process does.
 * The oracle has to be loaded: -ENOENT.
 */
int loader_oracle_watch(const struct loader_config *c, uint64_t cookie,
			const struct oracle_config *config, struct loader_oracle **out,
			struct error *e);
/* Other thresholds from now on. */
int loader_oracle_configure(struct loader_oracle *o, const struct oracle_config *config,
			    struct error *e);
/* Readable when there are events. */
int loader_oracle_fd(const struct loader_oracle *o);
/* Hands over the events there are, and how many, or -errno. */
int loader_oracle_events(struct loader_oracle *o, loader_oracle_event_fn *call, void *data);
/* Takes out the paths that were last heard before `ns`. */
void loader_oracle_prune(struct loader_oracle *o, uint64_t ns);
/* Ends the watch: thresholds, events and paths of the namespace are taken out. Idempotent. */
void loader_oracle_close(struct loader_oracle **o);

/* The paths of a namespace, in no order; the caller frees *out. Nothing, and *known false, when
 * the oracle is not loaded or the namespace is not watched. */
int loader_oracle_paths(const struct loader_config *c, uint64_t cookie,
			struct loader_oracle_path **out, size_t *nr, bool *known, struct error *e);
/* Takes out what a watcher left that was killed; nothing while there is one. */
void loader_oracle_forget(const struct loader_config *c, uint64_t cookie);

#endif
