/* SPDX-License-Identifier: GPL-2.0-only */
/* The network interfaces of the calling thread's namespace and their usable addresses. */
#ifndef PM_INTERFACES_H
#define PM_INTERFACES_H

#include "pm/pm.h"

/* Ordered by ifindex. Free with pm_interfaces_free(). *out is untouched on failure. */
int pm_interfaces_read(struct pm_interface **out, size_t *nr, struct error *e);
void pm_interfaces_free(struct pm_interface *interfaces, size_t nr);

/* What an interface is for: by the kernel's link kind ("wireguard"; may be NULL) and else by the
 * prefix of its name. */
enum policy_link_type pm_interface_type(const char *name, const char *kind);

/* The same by the device behind it: DEVTYPE in sysfs_net/NAME/uevent, which Wi-Fi and mobile
 * broadband drivers set. sysfs shows the namespace it was mounted in, so an entry counts only when
 * its ifindex is the one asked for. POLICY_LINK_ANY when nothing is known. */
enum policy_link_type pm_interface_device_type(const char *sysfs_net, const char *name,
					       int ifindex);

#endif
