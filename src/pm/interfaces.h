/* SPDX-License-Identifier: GPL-2.0-only */
/* The network interfaces of the calling thread's namespace and their usable addresses. */
#ifndef PM_INTERFACES_H
#define PM_INTERFACES_H

#include "pm/pm.h"

/* Ordered by ifindex. Free with pm_interfaces_free(). *out is untouched on failure. */
int pm_interfaces_read(struct pm_interface **out, size_t *nr, struct error *e);
void pm_interfaces_free(struct pm_interface *interfaces, size_t nr);

/* What an interface is for: by the kernel's link kind ("wireguard"; may be NULL) and else by the
 * prefix of its name. /sys/class/net is not asked: it shows the namespace it was mounted in. */
enum policy_link_type pm_interface_type(const char *name, const char *kind);

#endif
