/* SPDX-License-Identifier: GPL-2.0-only */
/* BPFFS/mptcp-pm: what is pinned, one folder a purpose. */
#ifndef LOADER_PINS_H
#define LOADER_PINS_H

#include <limits.h>

#include "loader/loader.h"

#define PINS_PATH_BYTES 512

/* The path of a pin in BPFFS/mptcp-pm/FOLDER: "sched" has schedulers, "select" the selector
 * ("link", "rules"), "establish" what makes connections begin well, "rescue" SYN rescue
 * ("COOKIE/flows"), and each tool (tool.h) has one of its name. A NULL name gives the folder. */
void pins_path(const struct loader_config *c, const char *folder, const char *name,
	       char out[PINS_PATH_BYTES]);

/* Mounts bpffs if need be and makes BPFFS/mptcp-pm. */
int pins_make(const struct loader_config *c, struct error *e);

/* Mounts bpffs if need be, makes the folder and locks it until the descriptor is closed, so that
 * two loaders do not work at once. Returns the descriptor. */
int pins_lock(const struct loader_config *c, struct error *e);

/* The link behind a pin. -ENOENT when there is none. */
int pins_open(const struct loader_config *c, const char *name, uint32_t *link_id, uint32_t *map_id);
int pins_open_path(const char *path, uint32_t *link_id, uint32_t *map_id);

#endif
