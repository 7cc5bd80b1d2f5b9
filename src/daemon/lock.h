/* SPDX-License-Identifier: GPL-2.0-only */
/* One daemon a network namespace. */
#ifndef DAEMON_LOCK_H
#define DAEMON_LOCK_H

#include <stddef.h>

#include "pm/netns.h"

/* The descriptor that holds it until it is closed, or -EBUSY: a daemon runs there already. */
int daemon_lock(const struct pm_netns *ns, struct error *e);

/* FOLDER/NAME-INODE, where what belongs to a running system is kept. */
void daemon_path(const char *name, const struct pm_netns *ns, char *out, size_t size);

#endif
