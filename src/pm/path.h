/* SPDX-License-Identifier: GPL-2.0-only */
/* Which path of a policy an interface belongs to. */
#ifndef PM_PATH_H
#define PM_PATH_H

#include "pm/pm.h"

/* The first that matches; NULL: none, as for a loopback. */
const struct policy_path *pm_path_of(const struct policy *policy, const struct pm_interface *it);

#endif
