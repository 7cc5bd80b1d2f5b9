// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 and IPv6 addresses as text and compared. */
#include "pm/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pm_address_equal(const struct pm_address *a, const struct pm_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return memcmp(&a->v6, &b->v6, sizeof(a->v6)) == 0;
}

int pm_address_parse(const char *text, struct pm_address *out)
{
	struct pm_address a = { 0 };

	a.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a.family, text, a.family == AF_INET ? (void *)&a.v4 : (void *)&a.v6) != 1)
		return -EINVAL;
	*out = a;
	return 0;
}

static int port_parse(const char *text, uint16_t *out)
{
	size_t n = strspn(text, "0123456789");
	unsigned long port;

	if (n == 0 || n > 5 || text[n])
		return -EINVAL;
	port = strtoul(text, NULL, 10);
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)port;
	return 0;
}

int pm_address_port_parse(const char *text, struct pm_address *out, uint16_t *port)
{
	bool bracket = text[0] == '[';
	const char *colon = strchr(text, ':'), *end;
	char address[INET6_ADDRSTRLEN] = "";
	struct pm_address a;
	uint16_t p = 0;

	text += bracket;
	if (bracket)
		end = strchr(text, ']');
	else /* more than one colon: IPv6 without a port */
		end = colon && !strchr(colon + 1, ':') ? colon : text + strlen(text);
	if (!end || (size_t)(end - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(end - text));
	end += bracket;
	if (pm_address_parse(address, &a) < 0 || (bracket && a.family != AF_INET6))
		return -EINVAL;
	if (*end && (*end != ':' || port_parse(end + 1, &p) < 0))
		return -EINVAL;
	*out = a;
	*port = p;
	return 0;
}

struct pm_address pm_address_unmapped(const struct pm_address *a)
{
	struct pm_address v4 = { .family = AF_INET };

	if (a->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6))
		return *a;
	memcpy(&v4.v4, a->v6.s6_addr + 12, sizeof(v4.v4));
	return v4;
}

const char *pm_address_text(const struct pm_address *a, char out[INET6_ADDRSTRLEN])
{
	const void *bytes = a->family == AF_INET ? (const void *)&a->v4 : (const void *)&a->v6;

	if (!inet_ntop(a->family, bytes, out, INET6_ADDRSTRLEN))
		memcpy(out, "?", 2);
	return out;
}

const char *pm_address_port_text(const struct pm_address *a, uint16_t port,
				 char out[PM_ADDRESS_PORT_BYTES])
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = a->family == AF_INET6;

	snprintf(out, PM_ADDRESS_PORT_BYTES, "%s%s%s:%u", v6 ? "[" : "", pm_address_text(a, text),
		 v6 ? "]" : "", port);
	return out;
}
