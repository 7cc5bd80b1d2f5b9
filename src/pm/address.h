/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv4 and IPv6 addresses; see also pm_address_text() in pm.h. */
#ifndef PM_ADDRESS_H
#define PM_ADDRESS_H

#include <stdbool.h>

#include "pm/pm.h"

bool pm_address_equal(const struct pm_address *a, const struct pm_address *b);
/* -EINVAL, and *out untouched, when `text` is no address. */
int pm_address_parse(const char *text, struct pm_address *out);
/* ADDR, ADDR:PORT, [V6] or [V6]:PORT; *port is 0 when there is none. -EINVAL, and both untouched,
 * for anything else, port 0 too. */
int pm_address_port_parse(const char *text, struct pm_address *out, uint16_t *port);

#define PM_ADDRESS_PORT_BYTES (INET6_ADDRSTRLEN + 8)

/* ADDR:PORT or [V6]:PORT. */
const char *pm_address_port_text(const struct pm_address *a, uint16_t port,
				 char out[PM_ADDRESS_PORT_BYTES]);
/* An IPv4 address in IPv6 clothes (::ffff:a.b.c.d), as dual-stack sockets have it, becomes IPv4;
 * any other stays what it is. */
struct pm_address pm_address_unmapped(const struct pm_address *a);

#endif
