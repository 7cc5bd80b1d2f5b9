// SPDX-License-Identifier: GPL-2.0-only
/* Ops tables compared; see ops.h. */
#include "loader/ops.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

#define PROG_MAPS_MAX 64
#define FNV_OFFSET    UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME     UINT64_C(0x100000001b3)

static void cleanup_btf(struct btf **btf)
{
	btf__free(*btf);
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t size)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * FNV_PRIME;
	return h;
}

/* Hash of one map's name and contents; 0 when programs may write it. */
static uint64_t hash_map(uint32_t id)
{
	_cleanup_close_ int fd = bpf_map_get_fd_by_id(id);
	_cleanup_free_ void *value = NULL;
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), key = 0;

	if (fd < 0 || bpf_map_get_info_by_fd(fd, &info, &len) < 0)
		return 0;
	if (info.type != BPF_MAP_TYPE_ARRAY || !(info.map_flags & BPF_F_RDONLY_PROG))
		return 0;
	value = calloc(1, info.value_size + 8);
	if (!value || bpf_map_lookup_elem(fd, &key, value) < 0)
		return 0;
	return hash_bytes(hash_bytes(FNV_OFFSET, info.name, sizeof(info.name)), value,
			  info.value_size);
}

/* Adds one program: its tag, and its read-only maps. The sum over maps is a set: order and repeated
 * programs are taken out by the caller, which hashes the first program only; libbpf binds .rodata
 * to every program of an object. */
static int take_program(int fd, struct ops_member *m, struct ops *o)
{
	uint32_t ids[PROG_MAPS_MAX] = { 0 };
	struct bpf_prog_info info = { .nr_map_ids = PROG_MAPS_MAX,
				      .map_ids = (uint64_t)(uintptr_t)ids };
	uint32_t len = sizeof(info);

	if (bpf_prog_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	m->is_program = true;
	memcpy(m->tag, info.tag, sizeof(m->tag));
	if (o->first_prog_id)
		return 0;
	o->first_prog_id = info.id;
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROG_MAPS_MAX; i++)
		o->rodata_hash += hash_map(ids[i]);
	return 0;
}

static bool all_zero(const void *data, size_t size)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static bool is_function(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_ptr(t))
		return false;
	t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t);
}

/* The descriptor of the program in a member that is not zero; *owned says who closes it. */
typedef int (*program_fd_fn)(const void *member, bool *owned);

static int fd_of_object_program(const void *member, bool *owned)
{
	struct bpf_program *p;

	/* libbpf >= 1.4: the initial value holds program pointers where the kernel has functions */
	p = *(struct bpf_program *const *)member;
	*owned = false;
	return bpf_program__fd(p);
}

static int fd_of_program_id(const void *member, bool *owned)
{
	uint64_t id;

	memcpy(&id, member, sizeof(id));
	*owned = true;
	return bpf_prog_get_fd_by_id((uint32_t)id);
}

static int take_member(const struct btf *btf, const struct btf_member *bm, const char *at,
		       size_t size, program_fd_fn program_fd, struct ops *o)
{
	const char *name = btf__name_by_offset(btf, bm->name_off);
	struct ops_member *m = &o->members[o->nr];
	bool owned;
	int err = 0, fd;

	if (all_zero(at, size))
		return 0;
	if (o->nr == OPS_MEMBERS_MAX)
		return -E2BIG;
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", name);
	if (is_function(btf, bm->type)) {
		fd = program_fd(at, &owned);
		if (fd < 0)
			return -ENOENT;
		err = take_program(fd, m, o);
		if (owned)
			close(fd);
	} else {
		memcpy(m->data, at, size < sizeof(m->data) ? size : sizeof(m->data));
		if (strcmp(name, "name") == 0)
			memcpy(o->name, m->data, sizeof(o->name) - 1);
	}
	o->nr++;
	return err;
}

static int take_table(const struct btf *btf, const struct btf_type *t, const char *data,
		      size_t size, program_fd_fn program_fd, struct ops *o)
{
	const struct btf_member *bm = btf_members(t);

	snprintf(o->type, sizeof(o->type), "%s", btf__name_by_offset(btf, t->name_off));
	for (unsigned int i = 0; i < btf_vlen(t); i++) {
		size_t at = btf_member_bit_offset(t, i) / 8;
		int64_t len = btf__resolve_size(btf, bm[i].type);
		int err;

		if (len < 0 || at + (size_t)len > size)
			return -EINVAL;
		err = take_member(btf, bm + i, data + at, (size_t)len, program_fd, o);
		if (err < 0)
			return err;
	}
	return 0;
}

int ops_from_object(struct bpf_object *obj, const struct bpf_map *map, struct ops *out)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const char *data;
	size_t size;

	memset(out, 0, sizeof(*out));
	data = bpf_map__initial_value(map, &size);
	if (!t || !data)
		return -EINVAL;
	return take_table(btf, t, data, size, fd_of_object_program, out);
}

/* The table inside struct bpf_struct_ops_NAME: its member "data". */
static int take_value(const struct btf *btf, uint32_t type_id, const char *value, size_t size,
		      struct ops *out)
{
	const struct btf_type *t = btf__type_by_id(btf, type_id);

	if (!t || !btf_is_struct(t))
		return -EINVAL;
	for (unsigned int i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = btf_members(t) + i;
		size_t at = btf_member_bit_offset(t, i) / 8;

		if (strcmp(btf__name_by_offset(btf, m->name_off), "data") == 0 && at < size)
			return take_table(btf, btf__type_by_id(btf, m->type), value + at, size - at,
					  fd_of_program_id, out);
	}
	return -EINVAL;
}

static bool btf_is_vmlinux(uint32_t id)
{
	_cleanup_close_ int fd = bpf_btf_get_fd_by_id(id);
	struct bpf_btf_info info = { 0 };
	uint32_t len = sizeof(info);
	char name[32] = "";

	info.name = (uint64_t)(uintptr_t)name;
	info.name_len = sizeof(name);
	return fd < 0 || bpf_btf_get_info_by_fd(fd, &info, &len) < 0 ||
	       strcmp(name, "vmlinux") == 0;
}

int ops_from_kernel(int map_fd, struct ops *out)
{
	_cleanup_(cleanup_btf) struct btf *vmlinux = NULL, *module = NULL;
	_cleanup_free_ char *value = NULL;
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info), key = 0;

	memset(out, 0, sizeof(*out));
	if (bpf_map_get_info_by_fd(map_fd, &info, &len) < 0)
		return -errno;
	if (info.type != BPF_MAP_TYPE_STRUCT_OPS)
		return -EINVAL;
	value = calloc(1, info.value_size);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(map_fd, &key, value) < 0)
		return -errno;
	vmlinux = btf__load_vmlinux_btf();
	if (!vmlinux)
		return -errno;
	if (info.btf_vmlinux_id && !btf_is_vmlinux(info.btf_vmlinux_id)) {
		module = btf__load_from_kernel_by_id_split(info.btf_vmlinux_id, vmlinux);
		if (!module)
			return -errno;
	}
	return take_value(module ? module : vmlinux, info.btf_vmlinux_value_type_id, value,
			  info.value_size, out);
}

bool ops_equal(const struct ops *a, const struct ops *b)
{
	if (a->nr != b->nr || a->rodata_hash != b->rodata_hash)
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		size_t j = 0;

		while (j < b->nr && strcmp(a->members[i].name, b->members[j].name) != 0)
			j++;
		if (j == b->nr ||
		    memcmp(&a->members[i], &b->members[j], sizeof(a->members[i])) != 0)
			return false;
	}
	return true;
}
