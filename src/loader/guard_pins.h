/* SPDX-License-Identifier: GPL-2.0-only */
/* BPFFS/mptcp-pm/guard: a folder for each network namespace, in it maps and links. */
#ifndef LOADER_GUARD_PINS_H
#define LOADER_GUARD_PINS_H

#include "loader/loader.h"

struct guard_link {
	uint32_t ifindex; /* 0: detached, or the interface is gone */
	uint32_t prog_id;
};

struct guard_pins_name {
	char text[24];
};

struct guard_pins_name guard_pins_link_name(uint32_t ifindex);

/* Keeps two loaders apart, waiting for the other; makes bpffs and the folder of folders if `make`,
 * else -ENOENT when there is none. Returns the descriptor that holds the lock. */
int guard_pins_lock(const struct loader_config *c, bool make, struct error *e);

int guard_pins_make(const struct loader_config *c, uint64_t netns, struct error *e);
int guard_pins_add(const struct loader_config *c, uint64_t netns, const char *name, int fd,
		   struct error *e);
/* All of a namespace, links first. */
void guard_pins_remove(const struct loader_config *c, uint64_t netns);
void guard_pins_remove_link(const struct loader_config *c, uint64_t netns, uint32_t ifindex);
/* Removes folders of other namespaces in which no link is attached any more. */
void guard_pins_sweep(const struct loader_config *c, uint64_t netns);

/* The pinned link of an interface; -ENOENT when there is none. */
int guard_pins_link(const struct loader_config *c, uint64_t netns, uint32_t ifindex,
		    struct guard_link *out);

#endif
