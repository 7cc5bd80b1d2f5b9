/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf's header of this name, for BPF programs that run on the host. Maps are found by their
 * address and take the sizes of key and value from the types that the program declares.
 */
#ifndef HOST_BPF_HELPERS_H
#define HOST_BPF_HELPERS_H

#include "host_map.h"

#define SEC(name) __attribute__((used))
#define __ksym
#undef __weak
#define __weak __attribute__((weak))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#undef __noinline
#define __noinline __attribute__((noinline))
#define __hidden   __attribute__((visibility("hidden")))

#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name

#define HOST_MAP_NR(member) (sizeof(*(member)) / sizeof(int))
#define HOST_MAP_DEF(m)                                                            \
	((struct host_map_def){ .map = (m),                                        \
				.type = (enum bpf_map_type)HOST_MAP_NR((m)->type), \
				.max_entries = HOST_MAP_NR((m)->max_entries),      \
				.key_size = sizeof(*(m)->key),                     \
				.value_size = sizeof(*(m)->value) })

#define bpf_map_lookup_elem(m, k)	    host_map_lookup(HOST_MAP_DEF(m), (k))
#define bpf_map_update_elem(m, k, v, flags) host_map_update(HOST_MAP_DEF(m), (k), (v), (flags))
#define bpf_map_delete_elem(m, k)	    host_map_delete(HOST_MAP_DEF(m), (k))

#define barrier_var(var) __asm__ volatile("" : "+r"(var))

#define bpf_for(i, start, end) for ((i) = (start); (i) < (end); (i)++)
#define bpf_repeat(n)	       for (int repeat_ = 0; repeat_ < (n); repeat_++)

__u64 bpf_ktime_get_ns(void);
__u32 bpf_get_prandom_u32(void);

#endif
