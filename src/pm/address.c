// SPDX-License-Identifier: GPL-2.0-only
/* IPv4 and IPv6 addresses as text and compared. */
#include "pm/address.h"

#include <arpa/inet.h>
#include <errno.h>
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

const char *pm_address_text(const struct pm_address *a, char out[INET6_ADDRSTRLEN])
{
	const void *bytes = a->family == AF_INET ? (const void *)&a->v4 : (const void *)&a->v6;

	if (!inet_ntop(a->family, bytes, out, INET6_ADDRSTRLEN))
		memcpy(out, "?", 2);
	return out;
}
