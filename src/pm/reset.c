// SPDX-License-Identifier: GPL-2.0-only
/* A subflow reset with a reason; see reset.h. */
#include "pm/reset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "loader/reset.h"
#include "pm/path.h"
#include "policy/quantity.h"

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int pm_reset_interfaces(const struct policy *policy, const struct pm_interface *interfaces,
			size_t nr, uint32_t out[MPTCP_RESET_IFS], size_t *nr_out, struct error *e)
{
	*nr_out = 0;
	for (size_t i = 0; policy->reset.emits && i < nr; i++) {
		if (!pm_path_of(policy, &interfaces[i]))
			continue;
		if (*nr_out == MPTCP_RESET_IFS)
			return error_set(e, -E2BIG, "more than %d interfaces belong to paths",
					 MPTCP_RESET_IFS);
		out[(*nr_out)++] = (uint32_t)interfaces[i].ifindex;
	}
	qsort(out, *nr_out, sizeof(*out), ascending);
	return 0;
}

void pm_reset_describe(const uint32_t *ifs, size_t nr, char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "give resets their reason on");
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < nr && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s %s", i ? "," : "",
				      if_indextoname(ifs[i], name) ? name : "?");
	if (!nr && n < size)
		snprintf(out + n, size - n, " interfaces that are gone");
}

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
		snprintf(out, size, "again, but only once%s", backup);
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
	snprintf(out, size, "left to the peer");
}
