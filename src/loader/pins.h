/* SPDX-License-Identifier: GPL-2.0-only */
/* BPFFS/mptcp-pm/sched: one pinned link a scheduler. */
#ifndef LOADER_PINS_H
#define LOADER_PINS_H

#include <limits.h>

#include "loader/loader.h"

#define PINS_PATH_BYTES 512

/* The path of a scheduler's pin; NULL gives the folder. */
void pins_path(const struct loader_config *c, const char *name, char out[PINS_PATH_BYTES]);

/* Mounts bpffs if need be and makes BPFFS/mptcp-pm. */
int pins_make(const struct loader_config *c, struct error *e);

/* The same for the selector: "link", "rules". */
void pins_select_path(const struct loader_config *c, const char *name, char out[PINS_PATH_BYTES]);

/* The same for what makes connections begin well. */
void pins_establish_path(const struct loader_config *c, const char *name,
			 char out[PINS_PATH_BYTES]);

/* The same for SYN rescue: "COOKIE/flows". */
void pins_rescue_path(const struct loader_config *c, const char *name, char out[PINS_PATH_BYTES]);

/* The same for what runs without the module, see tool.h; a NULL name gives the tool's folder. */
void pins_tool_path(const struct loader_config *c, const char *tool, const char *name,
		    char out[PINS_PATH_BYTES]);

/* Mounts bpffs if need be, makes the folder and locks it until the descriptor is closed, so that
 * two loaders do not work at once. Returns the descriptor. */
int pins_lock(const struct loader_config *c, struct error *e);

/* The link behind a pin. -ENOENT when there is none. */
int pins_open(const struct loader_config *c, const char *name, uint32_t *link_id, uint32_t *map_id);
int pins_open_path(const char *path, uint32_t *link_id, uint32_t *map_id);

#endif
