// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF maps on the host. Tests are single-threaded and their maps few and small, so a list of maps
 * and chains of entries do.
 */
#include "host_map.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct entry {
	struct entry *next;
	__u64 used; /* when last touched, for LRU */
	void *value;
	unsigned char key[];
};

struct map {
	struct map *next;
	struct host_map_def def;
	unsigned char *values;	/* of an array */
	struct entry **buckets; /* of a hash */
	size_t count;
	__u64 clock;
};

static struct map *maps;

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

static bool is_array(const struct map *m)
{
	return m->def.type == BPF_MAP_TYPE_ARRAY || m->def.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static struct map *map_of(const struct host_map_def *def)
{
	struct map *m;

	for (m = maps; m; m = m->next)
		if (m->def.map == def->map)
			return m;
	m = must(calloc(1, sizeof(*m)));
	m->def = *def;
	if (is_array(m))
		m->values = must(calloc(def->max_entries, def->value_size));
	else if (def->type == BPF_MAP_TYPE_HASH || def->type == BPF_MAP_TYPE_LRU_HASH)
		m->buckets = must(calloc(BUCKETS, sizeof(m->buckets[0])));
	else
		abort(); /* a type that this file does not know yet */
	m->next = maps;
	maps = m;
	return m;
}

static void *array_slot(const struct map *m, const void *key)
{
	__u32 index;

	memcpy(&index, key, sizeof(index));
	return index < m->def.max_entries ? m->values + index * m->def.value_size : NULL;
}

/* Where the entry of `key` hangs, or would. */
static struct entry **hash_slot(const struct map *m, const void *key)
{
	const unsigned char *bytes = key;
	struct entry **slot;
	size_t i, hash = 2166136261u;

	for (i = 0; i < m->def.key_size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	for (slot = &m->buckets[hash % BUCKETS]; *slot; slot = &(*slot)->next)
		if (!memcmp((*slot)->key, key, m->def.key_size))
			break;
	return slot;
}

static void drop(struct map *m, struct entry **slot)
{
	struct entry *e = *slot;

	*slot = e->next;
	free(e->value);
	free(e);
	m->count--;
}

static void evict_oldest(struct map *m)
{
	struct entry **oldest = NULL, **slot;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (slot = &m->buckets[i]; *slot; slot = &(*slot)->next)
			if (!oldest || (*slot)->used < (*oldest)->used)
				oldest = slot;
	if (oldest)
		drop(m, oldest);
}

void *host_map_lookup(struct host_map_def def, const void *key)
{
	struct map *m = map_of(&def);
	struct entry *e;

	if (is_array(m))
		return array_slot(m, key);
	e = *hash_slot(m, key);
	if (!e)
		return NULL;
	e->used = ++m->clock;
	return e->value;
}

static long hash_insert(struct map *m, const void *key, const void *value)
{
	struct entry **slot, *e;

	if (m->count >= m->def.max_entries) {
		if (m->def.type != BPF_MAP_TYPE_LRU_HASH)
			return -E2BIG;
		evict_oldest(m);
	}
	e = must(calloc(1, sizeof(*e) + m->def.key_size));
	e->value = must(malloc(m->def.value_size));
	memcpy(e->key, key, m->def.key_size);
	memcpy(e->value, value, m->def.value_size);
	e->used = ++m->clock;
	slot = hash_slot(m, key);
	*slot = e;
	m->count++;
	return 0;
}

long host_map_update(struct host_map_def def, const void *key, const void *value, __u64 flags)
{
	struct map *m = map_of(&def);
	void *old = host_map_lookup(def, key);

	if (is_array(m) && !old)
		return -E2BIG;
	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!old && flags == BPF_EXIST)
		return -ENOENT;
	if (!old)
		return hash_insert(m, key, value);
	memcpy(old, value, def.value_size);
	return 0;
}

long host_map_delete(struct host_map_def def, const void *key)
{
	struct map *m = map_of(&def);
	struct entry **slot;

	if (is_array(m))
		return -EINVAL;
	slot = hash_slot(m, key);
	if (!*slot)
		return -ENOENT;
	drop(m, slot);
	return 0;
}

size_t host_map_count(const void *map)
{
	const struct map *m;

	for (m = maps; m; m = m->next)
		if (m->def.map == map)
			return m->count;
	return 0;
}

static bool lies_in(const void *map, const void *base)
{
	Dl_info info;

	return !base || (dladdr(map, &info) && info.dli_fbase == base);
}

void host_map_release(const void *base)
{
	struct map **pos = &maps, *m;
	size_t i;

	while ((m = *pos)) {
		if (!lies_in(m->def.map, base)) {
			pos = &m->next;
			continue;
		}
		for (i = 0; m->buckets && i < BUCKETS; i++)
			while (m->buckets[i])
				drop(m, &m->buckets[i]);
		*pos = m->next;
		free(m->buckets);
		free(m->values);
		free(m);
	}
}
