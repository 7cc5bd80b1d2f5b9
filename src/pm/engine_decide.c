// SPDX-License-Identifier: GPL-2.0-only
/* What is decided, on its way out. */
#include "pm/engine_internal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void engine_say(char out[PM_REASON_BYTES], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out, PM_REASON_BYTES, fmt, ap);
	va_end(ap);
}

struct pm_decision *engine_decide(struct pm_engine *e, enum pm_decision_kind kind, uint32_t token)
{
	struct pm_decisions *out = e->out;

	if (out->nr == out->room) {
		size_t room = out->room ? out->room * 2 : 16;
		struct pm_decision *bigger = reallocarray(out->items, room, sizeof(*bigger));

		if (!bigger) {
			e->no_memory = true;
			return NULL;
		}
		out->items = bigger;
		out->room = room;
	}
	out->items[out->nr] =
		(struct pm_decision){ .kind = kind, .token = token, .path = UINT_MAX };
	return &out->items[out->nr++];
}

void pm_decisions_clear(struct pm_decisions *d)
{
	free(d->items);
	*d = (struct pm_decisions){ 0 };
}

void engine_resync(struct pm_engine *e, const char *why)
{
	struct pm_decision *d;

	if (e->resync_ms && e->now < e->resync_ms + RESYNC_MS) {
		e->resync_due = true;
		return;
	}
	d = engine_decide(e, PM_DECIDE_RESYNC, 0);
	if (!d)
		return;
	e->resync_ms = e->now;
	e->resync_due = false;
	engine_say(d->reason, "%s", why);
}

void engine_notice(struct pm_engine *e, unsigned int path, const char *fmt, ...)
{
	struct pm_decision *d = engine_decide(e, PM_DECIDE_NOTICE, 0);
	va_list ap;

	if (!d)
		return;
	d->path = path;
	va_start(ap, fmt);
	vsnprintf(d->reason, sizeof(d->reason), fmt, ap);
	va_end(ap);
}
