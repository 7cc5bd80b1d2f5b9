/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A scheduler's settings: its `const volatile` variables, integers of 1, 2, 4 or 8 bytes, bools,
 * or arrays of them. They live in .rodata, which can be written until the object is loaded.
 */
#ifndef LOADER_KNOBS_H
#define LOADER_KNOBS_H

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "loader/loader.h"

/* -EINVAL for a knob that does not exist (the text lists those that do), -ERANGE for a value that
 * does not fit or too many of them; nothing is written then. */
int knobs_set(struct bpf_object *obj, const char *scheduler, const struct loader_knob *knobs,
	      size_t nr, struct error *e);

/* The same on the types and the contents of a .rodata section. */
int knobs_write(const struct btf *btf, char *data, size_t size, const char *scheduler,
		const struct loader_knob *knobs, size_t nr, struct error *e);

#endif
