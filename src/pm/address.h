/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv4 and IPv6 addresses; see also pm_address_text() in pm.h. */
#ifndef PM_ADDRESS_H
#define PM_ADDRESS_H

#include <stdbool.h>

#include "pm/pm.h"

bool pm_address_equal(const struct pm_address *a, const struct pm_address *b);
/* -EINVAL, and *out untouched, when `text` is no address. */
int pm_address_parse(const char *text, struct pm_address *out);

#endif
