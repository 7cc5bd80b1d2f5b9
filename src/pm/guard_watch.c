// SPDX-License-Identifier: GPL-2.0-only
/* Is a subflow alive after all? The part of guard_watcher.h that decides. */
#include "pm/guard_watcher.h"

#include <string.h>

#include "pm/address.h"

#define SILENT_MS 100 /* before it is probed: one that carries data answers by itself */
#define TICK_MS	  20  /* the kernel's times are as fine as its ticks */
#define NS_PER_MS 1000000

static bool same_subflow(const struct mptcp_guard_event *a, const struct mptcp_guard_event *b)
{
	return a->family == b->family && a->local_port == b->local_port &&
	       a->remote_port == b->remote_port &&
	       memcmp(a->local, b->local, sizeof(a->local)) == 0 &&
	       memcmp(a->remote, b->remote, sizeof(a->remote)) == 0;
}

void pm_guard_watch_add(struct pm_guard_list *list, const struct mptcp_guard_event *event)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (same_subflow(&list->items[i].event, event))
			return;
	}
	if (list->nr == PM_GUARD_WATCHED_MAX)
		return;
	list->items[list->nr++] = (struct pm_guard_watched){
		.event = *event,
		.since_ms = event->time_ns / NS_PER_MS,
	};
}

/* Since data or an acknowledgement came in last. */
static uint32_t silent_ms(const struct pm_subflow *s)
{
	return s->since_ack_ms < s->since_receive_ms ? s->since_ack_ms : s->since_receive_ms;
}

enum pm_guard_verdict pm_guard_watch_judge(const struct pm_guard_watched *w,
					   const struct pm_subflow *s, uint64_t now_ms)
{
	uint64_t waited = now_ms > w->since_ms ? now_ms - w->since_ms : 0;

	if (!s)
		return PM_GUARD_GONE;
	if ((uint64_t)silent_ms(s) + TICK_MS < waited)
		return PM_GUARD_ALIVE;
	if (waited >= MPTCP_GUARD_VERDICT_MS)
		return PM_GUARD_DEAD;
	return waited >= SILENT_MS && !w->probed ? PM_GUARD_PROBE : PM_GUARD_WAIT;
}

static bool is_address(const struct pm_address *a, uint8_t family, const __u8 bytes[16])
{
	struct pm_address plain = pm_address_unmapped(a);

	if (family == 4)
		return plain.family == AF_INET && memcmp(&plain.v4, bytes, 4) == 0;
	return plain.family == AF_INET6 && memcmp(&plain.v6, bytes, 16) == 0;
}

const struct pm_subflow *pm_guard_watch_find(const struct mptcp_guard_event *event,
					     const struct pm_connections *all)
{
	for (size_t i = 0; i < all->nr_subflows; i++) {
		const struct pm_subflow *s = &all->subflows[i];

		if (s->at.local_port == event->local_port &&
		    s->at.remote_port == event->remote_port &&
		    is_address(&s->at.local, event->family, event->local) &&
		    is_address(&s->at.remote, event->family, event->remote))
			return s;
	}
	return NULL;
}
