// SPDX-License-Identifier: GPL-2.0-only
/* A subflow reset with a reason; see reset.h. */
#include "pm/reset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "loader/reset.h"
#include "policy/quantity.h"

static void map_address(const struct pm_address *from, __u8 to[16])
{
	if (from->family == AF_INET6) {
		memcpy(to, &from->v6, 16);
		return;
	}
	memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	memcpy(to + 12, &from->v4, 4);
}

int pm_reset_send(uint64_t netns, const struct pm_request *r, struct error *e)
{
	const struct pm_socket_pair at = { .local = r->local.address,
					   .remote = r->remote.address,
					   .local_port = r->local.port,
					   .remote_port = r->remote.port };
	struct mptcp_reset_key key = { .local_port = htons(at.local_port),
				       .remote_port = htons(at.remote_port) };
	int err = 0;

	map_address(&at.local, key.local);
	map_address(&at.remote, key.remote);
	if (r->reset_reason || r->reset_transient)
		err = loader_reset_want(NULL, netns, &key, r->reset_reason, r->reset_transient, e);
	if (err == -ENOENT)
		return -ENXIO;
	return err < 0 ? err : pm_subflow_reset(&at, e);
}

void pm_reaction_describe(const struct policy_reaction *r, char *out, size_t size)
{
	const char *backup = r->as_backup ? ", as a backup" : "";
	char time[QUANTITY_TEXT_BYTES];

	switch (r->retry) {
	case POLICY_RETRY_NEVER:
		snprintf(out, size, "not again");
		return;
	case POLICY_RETRY_ONCE:
		snprintf(out, size, "again at once, the first time%s", backup);
		return;
	case POLICY_RETRY_BACK_OFF:
		snprintf(out, size, "again with back-off%s", backup);
		return;
	case POLICY_RETRY_HOLD:
	case POLICY_RETRY_AFTER:
		quantity_format(QUANTITY_MS, r->after_ms, time);
		snprintf(out, size, "again after %s%s", time, backup);
		return;
	}
	snprintf(out, size, "unknown");
}
