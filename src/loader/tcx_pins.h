/* SPDX-License-Identifier: GPL-2.0-only */
/* BPFFS/mptcp-pm/TOOL: a folder for each network namespace, in it maps and the tcx links of one
 * program. */
#ifndef LOADER_TCX_PINS_H
#define LOADER_TCX_PINS_H

#include "loader/loader.h"

/* `netns` is the cookie; `tool` the name of the folder, which messages use too. */
struct tcx_pins {
	const struct loader_config *c;
	const char *tool;
	uint64_t netns;
};

struct tcx_link {
	uint32_t ifindex; /* 0: detached, or the interface is gone */
	uint32_t prog_id;
};

struct tcx_pins_name {
	char text[24];
};

struct tcx_pins_name tcx_pins_link_name(uint32_t ifindex);

/* Keeps two loaders apart, waiting for the other; makes bpffs and the folder of folders if `make`,
 * else -ENOENT when there is none. Returns the descriptor that holds the lock. */
int tcx_pins_lock(const struct tcx_pins *p, bool make, struct error *e);

int tcx_pins_make(const struct tcx_pins *p, struct error *e);
int tcx_pins_add(const struct tcx_pins *p, const char *name, int fd, struct error *e);
/* All of a namespace, links first. */
void tcx_pins_remove(const struct tcx_pins *p);
void tcx_pins_remove_link(const struct tcx_pins *p, uint32_t ifindex);
/* Removes folders of other namespaces in which no link is attached any more. */
void tcx_pins_sweep(const struct tcx_pins *p);

/* The pinned link of an interface; -ENOENT when there is none. */
int tcx_pins_link(const struct tcx_pins *p, uint32_t ifindex, struct tcx_link *out);

/* One of the maps, to be closed by the caller; -ENOENT when there is none. */
int tcx_pins_map(const struct tcx_pins *p, const char *name);

#endif
