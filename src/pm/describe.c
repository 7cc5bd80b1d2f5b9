// SPDX-License-Identifier: GPL-2.0-only
/* Actions in the words of `ip mptcp`. */
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>

#include "pm/pm.h"

struct line {
	char *out;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void append(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (l->used >= l->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(l->out + l->used, l->size - l->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->used += (size_t)n;
}

static void append_flags(struct line *l, uint32_t flags)
{
	static const char *const names[] = { "signal",	 "subflow",  "backup",
					     "fullmesh", "implicit", "laminar" };
	const unsigned int known = sizeof(names) / sizeof(names[0]);

	for (unsigned int i = 0; i < known; i++)
		if (flags & (1u << i))
			append(l, " %s", names[i]);
	if (flags >> known)
		append(l, " flags 0x%x", flags & ~((1u << known) - 1));
}

static void append_endpoint(struct line *l, const char *verb, const struct pm_endpoint *ep)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	append(l, "%s endpoint %s", verb, pm_address_text(&ep->address, text));
	if (ep->port)
		append(l, " port %u", ep->port);
	if (ep->id)
		append(l, " id %u", ep->id);
	if (ep->ifindex && if_indextoname((unsigned int)ep->ifindex, name))
		append(l, " dev %s", name);
	else if (ep->ifindex)
		append(l, " dev #%d", ep->ifindex);
}

void pm_action_describe(const struct pm_action *a, char *out, size_t size)
{
	struct line l = { out, size, 0 };

	if (!size)
		return;
	out[0] = '\0';
	switch (a->kind) {
	case PM_ADD_ENDPOINT:
		append_endpoint(&l, "add", &a->endpoint);
		append_flags(&l, a->endpoint.flags);
		break;
	case PM_DELETE_ENDPOINT:
		append_endpoint(&l, "delete", &a->endpoint);
		append_flags(&l, a->endpoint.flags);
		break;
	case PM_CHANGE_ENDPOINT:
		append_endpoint(&l, "change", &a->endpoint);
		append_flags(&l, a->endpoint.flags);
		append(&l, " (was");
		append_flags(&l, a->before.flags);
		append(&l, ")");
		break;
	case PM_SET_LIMITS:
		append(&l, "set limits subflows %u add_addr_accepted %u (were %u and %u)",
		       a->limits.subflows, a->limits.add_addr_accepted, a->limits_before.subflows,
		       a->limits_before.add_addr_accepted);
		break;
	case PM_SET_SCHEDULER:
		append(&l, "set scheduler %s (was %s)", a->scheduler, a->scheduler_before);
		break;
	case PM_SET_SYN_RETRIES:
		append(&l, "set fallback-syn-retries %d (was %d)", a->syn_retries,
		       a->syn_retries_before);
		break;
	case PM_SET_FASTOPEN:
		append(&l, "set tcp_fastopen 0x%x (was 0x%x)", (unsigned int)a->fastopen,
		       (unsigned int)a->fastopen_before);
		break;
	case PM_SET_MANAGER:
		append(&l, "set path_manager %s (was %s)", a->manager, a->manager_before);
		break;
	}
}
