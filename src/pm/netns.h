/* SPDX-License-Identifier: GPL-2.0-only */
/* The identity of the calling thread's network namespace; pm_netns_enter() is in pm.h. */
#ifndef PM_NETNS_H
#define PM_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct pm_netns {
	uint64_t inode;	 /* of /proc/thread-self/ns/net; reused after the namespace dies */
	uint64_t cookie; /* never reused within a boot; 0 when the kernel does not tell */
};

int pm_netns_identify(struct pm_netns *out, struct error *e);

/* Is some namespace with this inode alive, as far as processes, /run/netns and mounts show? One
 * that is held by an open descriptor alone is not found. */
bool pm_netns_alive(uint64_t inode);

/* Its name under /run/netns; empty: it has none. */
void pm_netns_name(uint64_t inode, char *out, size_t size);

/* The same of the one with this cookie, whose inode may have been given to another since. */
bool pm_netns_alive_as(uint64_t inode, uint64_t cookie);

#endif
