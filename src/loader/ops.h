/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ops table as plain data, from an object on disk or from the kernel, so that the two can be
 * compared: the tag of each program (a hash of its instructions), the plain members, and the
 * contents of the read-only maps the programs use, which hold the settings.
 */
#ifndef LOADER_OPS_H
#define LOADER_OPS_H

#include <bpf/libbpf.h>

#include "loader/loader.h"

#define OPS_MEMBERS_MAX	  64
#define OPS_MEMBER_BYTES  32
#define OPS_PROG_TAG_SIZE 8

struct ops_member {
	char name[32];
	bool is_program;
	uint8_t tag[OPS_PROG_TAG_SIZE]; /* is_program */
	uint8_t data[OPS_MEMBER_BYTES]; /* otherwise; longer ones are cut */
};

struct ops {
	char name[LOADER_NAME_BYTES];
	char type[64];				    /* of the table, without "struct" */
	struct ops_member members[OPS_MEMBERS_MAX]; /* those that are not zero */
	size_t nr;
	uint32_t first_prog_id; /* 0: none */
	uint64_t rodata_hash;
};

/* The object has to be loaded. */
int ops_from_object(struct bpf_object *obj, const struct bpf_map *map, struct ops *out);
/* The struct_ops map behind a link. */
int ops_from_kernel(int map_fd, struct ops *out);
bool ops_equal(const struct ops *a, const struct ops *b);

#endif
