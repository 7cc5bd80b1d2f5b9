// SPDX-License-Identifier: GPL-2.0-only
/* Addresses as the engine keeps them: 16 bytes, IPv4 in IPv6 clothes. */
#include "pm/engine_internal.h"

#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

void engine_pack(const struct pm_address *a, uint8_t out[16])
{
	if (a->family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &a->v4, sizeof(a->v4));
	} else if (a->family == AF_INET6) {
		memcpy(out, &a->v6, sizeof(a->v6));
	} else {
		memset(out, 0, 16);
	}
}

bool engine_is_v4(const uint8_t a[16])
{
	return memcmp(a, mapped, sizeof(mapped)) == 0;
}

struct pm_address engine_unpack_as(const uint8_t a[16], bool v6_socket)
{
	struct pm_address out = { .family = AF_INET6 };

	if (engine_is_v4(a) && !v6_socket) {
		out.family = AF_INET;
		memcpy(&out.v4, a + sizeof(mapped), sizeof(out.v4));
	} else {
		memcpy(&out.v6, a, sizeof(out.v6));
	}
	return out;
}

struct pm_address engine_unpack(const uint8_t a[16])
{
	return engine_unpack_as(a, false);
}

/* FNV-1a. */
uint32_t engine_hash(const uint8_t a[16], uint16_t port)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < 16; i++)
		h = (h ^ a[i]) * 16777619u;
	h = (h ^ (port & 0xff)) * 16777619u;
	return (h ^ (port >> 8)) * 16777619u;
}
