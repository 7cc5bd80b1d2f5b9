/* SPDX-License-Identifier: GPL-2.0-only */
/* A scheduler's BPF object on disk: found, trusted, opened. */
#ifndef LOADER_OBJECT_H
#define LOADER_OBJECT_H

#include <bpf/libbpf.h>

#include "loader/loader.h"

#define OBJECT_SUFFIX ".bpf.o"

/* Name -> path. *path is the caller's. -ENOENT names the folders looked in. */
int object_find(const struct loader_config *c, const char *name_or_path, char **path,
		struct error *e);

/* The same for what the loader itself runs, e.g. "select/connset". */
int object_find_tool(const struct loader_config *c, const char *name, char **path, struct error *e);

/* Reads and opens the file; what is checked is what is used. -EPERM when others can write it,
 * -EINVAL when it is no BPF object. The caller closes *out. */
int object_open(const char *path, struct bpf_object **out, struct error *e);

/* The one scheduler of an object and the name in its ops table. -EINVAL if there is none, more
 * than one, or the name is unusable. */
int object_scheduler(struct bpf_object *obj, const char *path, struct bpf_map **map,
		     char name[LOADER_NAME_BYTES], struct error *e);

/* The first ops table of this type, or NULL. */
struct bpf_map *object_ops_map(struct bpf_object *obj, const char *type);

/* Letters, digits, '_' and '-', at most LOADER_NAME_BYTES - 1: what bpffs and the kernel's
 * scheduler list both take. */
bool scheduler_name_valid(const char *name);

void object_close(struct bpf_object **obj);

#endif
