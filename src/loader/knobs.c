// SPDX-License-Identifier: GPL-2.0-only
/* Settings of a scheduler; see knobs.h. */
#include "loader/knobs.h"

#include <bpf/btf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define RODATA ".rodata"

struct variable {
	const char *name;
	size_t offset; /* in .rodata */
	size_t size;   /* of one element */
	size_t nr;     /* elements */
	bool is_bool, is_signed;
};

/* Strips qualifiers and typedefs; notes a `volatile` on the way. */
static const struct btf_type *strip(const struct btf *btf, uint32_t id, bool *is_volatile)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t))) {
		if (btf_is_volatile(t))
			*is_volatile = true;
		t = btf__type_by_id(btf, t->type);
	}
	return t;
}

/* False for anything that is not a knob. */
static bool describe(const struct btf *btf, const struct btf_var_secinfo *at, struct variable *out)
{
	const struct btf_type *var = btf__type_by_id(btf, at->type), *t;
	bool is_volatile = false;

	if (!var || !btf_is_var(var))
		return false;
	t = strip(btf, var->type, &is_volatile);
	*out = (struct variable){
		.name = btf__name_by_offset(btf, var->name_off),
		.offset = at->offset,
		.nr = 1,
	};
	if (t && btf_is_array(t)) {
		out->nr = btf_array(t)->nelems;
		t = strip(btf, btf_array(t)->type, &is_volatile);
	}
	if (!t || !is_volatile || !(btf_is_int(t) || btf_is_any_enum(t)))
		return false;
	out->size = t->size;
	if (btf_is_int(t)) {
		out->is_bool = btf_int_encoding(t) & BTF_INT_BOOL;
		out->is_signed = btf_int_encoding(t) & BTF_INT_SIGNED;
	}
	return out->size == 1 || out->size == 2 || out->size == 4 || out->size == 8;
}

static const struct btf_type *rodata_section(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, RODATA, BTF_KIND_DATASEC);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

static bool find(const struct btf *btf, const char *name, struct variable *out)
{
	const struct btf_type *sec = rodata_section(btf);

	for (unsigned int i = 0; sec && i < btf_vlen(sec); i++) {
		if (describe(btf, btf_var_secinfos(sec) + i, out) && strcmp(out->name, name) == 0)
			return true;
	}
	return false;
}

static int unknown(const struct btf *btf, const char *scheduler, const char *name, struct error *e)
{
	const struct btf_type *sec = rodata_section(btf);
	char list[256] = "";
	struct variable v;

	for (unsigned int i = 0; sec && i < btf_vlen(sec); i++) {
		size_t n = strlen(list);

		if (describe(btf, btf_var_secinfos(sec) + i, &v))
			snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", v.name);
	}
	if (!list[0])
		return error_set(e, -EINVAL, "scheduler %s has no setting \"%s\": it has none",
				 scheduler, name);
	return error_set(e, -EINVAL, "scheduler %s has no setting \"%s\"; it has %s", scheduler,
			 name, list);
}

static uint64_t largest(const struct variable *v)
{
	uint64_t all = v->size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * v->size)) - 1;

	if (v->is_bool)
		return 1;
	return v->is_signed ? all >> 1 : all;
}

static int check(const struct variable *v, const struct loader_knob *k, const char *scheduler,
		 struct error *e)
{
	if (k->nr_values == 0)
		return error_set(e, -EINVAL, "scheduler %s: setting %s has no value", scheduler,
				 k->name);
	if (k->nr_values > v->nr)
		return error_set(e, -ERANGE, "scheduler %s: setting %s takes %zu value%s, not %zu",
				 scheduler, k->name, v->nr, v->nr == 1 ? "" : "s", k->nr_values);
	for (size_t i = 0; i < k->nr_values; i++) {
		if (k->values[i] > largest(v))
			return error_set(e, -ERANGE,
					 "scheduler %s: setting %s can be at most %" PRIu64
					 ", not %" PRIu64,
					 scheduler, k->name, largest(v), k->values[i]);
	}
	return 0;
}

static void store(const struct variable *v, const struct loader_knob *k, char *data)
{
	for (size_t i = 0; i < k->nr_values; i++) {
		uint64_t value = k->values[i];
		char *to = data + v->offset + i * v->size;

		/* BPF objects have the byte order of the machine: the low bytes come first or
		 * last with it. */
		if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
			memcpy(to, &value, v->size);
		else
			memcpy(to, (char *)&value + sizeof(value) - v->size, v->size);
	}
}

int knobs_write(const struct btf *btf, char *data, size_t size, const char *scheduler,
		const struct loader_knob *knobs, size_t nr, struct error *e)
{
	struct variable v;

	for (size_t i = 0; i < nr; i++) {
		int err;

		if (!find(btf, knobs[i].name, &v))
			return unknown(btf, scheduler, knobs[i].name, e);
		err = check(&v, &knobs[i], scheduler, e);
		if (err < 0)
			return err;
		if (!data || v.offset + v.nr * v.size > size)
			return error_set(e, -EINVAL, "scheduler %s: setting %s has no storage",
					 scheduler, v.name);
	}
	for (size_t i = 0; i < nr; i++) {
		if (find(btf, knobs[i].name, &v))
			store(&v, &knobs[i], data);
	}
	return 0;
}

int knobs_set(struct bpf_object *obj, const char *scheduler, const struct loader_knob *knobs,
	      size_t nr, struct error *e)
{
	const struct btf *btf = bpf_object__btf(obj);
	struct bpf_map *map = bpf_object__find_map_by_name(obj, RODATA);
	size_t size = 0;
	char *data = map ? bpf_map__initial_value(map, &size) : NULL;

	if (nr && !btf)
		return error_set(e, -EINVAL, "scheduler %s was built without BTF", scheduler);
	return nr ? knobs_write(btf, data, size, scheduler, knobs, nr, e) : 0;
}
