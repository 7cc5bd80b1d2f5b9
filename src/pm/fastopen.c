// SPDX-License-Identifier: GPL-2.0-only
/* Bits of net.ipv4.tcp_fastopen; see fastopen.h. */
#include "pm/fastopen.h"

bool pm_fastopen_wanted(const struct policy *policy)
{
	return policy->tfo.client != POLICY_UNSET || policy->tfo.server != POLICY_TFO_SERVER_UNSET;
}

static int client_bits(const struct policy_tfo *tfo, int before)
{
	int bits = before & ~(PM_FASTOPEN_CLIENT | PM_FASTOPEN_CLIENT_NO_COOKIE);

	if (tfo->client == POLICY_YES)
		bits |= PM_FASTOPEN_CLIENT;
	if (tfo->no_cookie & POLICY_TFO_NO_COOKIE_CLIENT)
		bits |= PM_FASTOPEN_CLIENT_NO_COOKIE;
	return bits;
}

static int server_bits(const struct policy_tfo *tfo, int before)
{
	int bits = before &
		   ~(PM_FASTOPEN_SERVER | PM_FASTOPEN_SERVER_NO_COOKIE | PM_FASTOPEN_SERVER_ALL);

	switch (tfo->server) {
	case POLICY_TFO_SERVER_UNSET:
		return before;
	case POLICY_TFO_SERVER_OFF:
		return bits;
	case POLICY_TFO_SERVER_ALL:
		bits |= PM_FASTOPEN_SERVER_ALL;
		break;
	case POLICY_TFO_SERVER_ASKED:
		break;
	}
	bits |= PM_FASTOPEN_SERVER;
	if (tfo->no_cookie & POLICY_TFO_NO_COOKIE_SERVER)
		bits |= PM_FASTOPEN_SERVER_NO_COOKIE;
	return bits;
}

int pm_fastopen_bits(const struct policy_tfo *tfo, int before)
{
	if (tfo->client != POLICY_UNSET)
		before = client_bits(tfo, before);
	return server_bits(tfo, before);
}
