/* SPDX-License-Identifier: GPL-2.0-only */
/* From an opened object to a struct_ops table the kernel runs. */
#ifndef LOADER_ATTACH_H
#define LOADER_ATTACH_H

#include <bpf/libbpf.h>

#include "loader/loader.h"

struct attach {
	const struct loader_config *c;
	const char *kind, *name; /* for messages: "scheduler", "minrtt" */
	struct bpf_object *obj;
	struct bpf_map *map; /* of the ops table */
};

/* Through the verifier; the error carries its verdict. */
int attach_load(struct attach *a, struct error *e);

/* Is what was loaded the same, code and settings, as what runs from this struct_ops map? */
bool attach_is_running(const struct attach *a, int old_map_fd);

/* Puts the new table behind a pinned link in one step. */
int attach_swap(struct attach *a, int link_fd, int old_map_fd, struct error *e);

void attach_link_close(struct bpf_link **link);

#endif
