/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF maps for programs that run on the host: ARRAY, PERCPU_ARRAY (one CPU), HASH and LRU_HASH.
 * A map comes into being when it is first used. Values stay where they are until they are deleted,
 * evicted or released.
 */
#ifndef HOST_MAP_H
#define HOST_MAP_H

#include "kernel.h"

struct host_map_def {
	const void *map; /* where the program declares it: its identity */
	enum bpf_map_type type;
	size_t max_entries, key_size, value_size;
};

/* NULL: no such key. */
void *host_map_lookup(struct host_map_def def, const void *key);
/* As the helper: -EEXIST (BPF_NOEXIST), -ENOENT (BPF_EXIST, or beyond an array), -E2BIG (full). */
long host_map_update(struct host_map_def def, const void *key, const void *value, __u64 flags);
long host_map_delete(struct host_map_def def, const void *key);

/* Entries a hash holds. */
size_t host_map_count(const void *map);
/* Forgets the maps that lie in the shared object mapped at `base`; NULL: all of them. */
void host_map_release(const void *base);

#endif
