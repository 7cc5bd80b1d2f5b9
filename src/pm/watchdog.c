// SPDX-License-Identifier: GPL-2.0-only
/* When MPTCP is to be given back; see watchdog.h. Pure. */
#include "pm/watchdog.h"

static bool proves(const struct mptcp_learn_stat *s, uint64_t now_ms)
{
	return s->mptcp_ok_ms && !mptcp_learn_breaks(s, now_ms) &&
	       (now_ms <= s->mptcp_ok_ms || now_ms - s->mptcp_ok_ms <= PM_WATCH_PROOF_MS);
}

static const struct loader_learn_row *find_proof(const struct loader_learn_row *rows, size_t nr,
						 uint64_t now_ms)
{
	const struct loader_learn_row *best = NULL;

	for (size_t i = 0; i < nr; i++)
		if (proves(&rows[i].stat, now_ms) &&
		    (!best || rows[i].stat.mptcp_ok_ms > best->stat.mptcp_ok_ms))
			best = &rows[i];
	return best;
}

static uint64_t hold_ms(uint32_t restores)
{
	return (uint64_t)PM_WATCH_HOLD_MS
	       << (restores > PM_WATCH_DOUBLINGS ? PM_WATCH_DOUBLINGS : restores - 1);
}

enum pm_watch_verdict pm_watchdog_decide(struct pm_watchdog *w, bool off,
					 const struct loader_learn_row *rows, size_t nr,
					 uint64_t now_ms, const struct loader_learn_row **proof)
{
	*proof = NULL;
	w->off = off;
	if (!off)
		return PM_WATCH_ON;
	*proof = find_proof(rows, nr, now_ms);
	if (!*proof)
		return PM_WATCH_LEAVE;
	if (w->restores && now_ms - w->restored_ms > PM_WATCH_QUIET_MS)
		w->restores = 0;
	if (w->restores && now_ms - w->restored_ms < hold_ms(w->restores))
		return PM_WATCH_WAIT;
	w->restores++;
	w->restored_ms = now_ms;
	w->off = false;
	return PM_WATCH_RESTORE;
}
