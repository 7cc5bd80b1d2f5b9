/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel takes an outage for a middlebox that drops MPTCP: when SYNs with MPTCP stay unanswered
 * and one without is answered, it stops asking for MPTCP in the whole network namespace, for
 * net.mptcp.blackhole_timeout at first, then longer. The watchdog gives MPTCP back when some path
 * is known to let it through; which paths really do not is remembered with what initial path
 * selection learned, and connections begin elsewhere.
 *
 * pm_watchdog_decide() is pure; the rest is I/O in the thread's network namespace. A daemon calls
 * pm_watchdog_run() every second or so, which reads one file unless the counters say more.
 */
#ifndef PM_WATCHDOG_H
#define PM_WATCHDOG_H

#include "loader/learn.h"
#include "util/error.h"

#define PM_WATCH_PROOF_MS \
	(24 * 3600 * 1000ull)	  /* how long an agreement on MPTCP proves something */
#define PM_WATCH_HOLD_MS    1000u /* between two restores, doubled with each in a row */
#define PM_WATCH_DOUBLINGS  10u
#define PM_WATCH_QUIET_MS   (3600 * 1000ull) /* after which the doubling begins anew */
#define PM_WATCH_TEXT_BYTES 160

/* Zeroed at the beginning. */
struct pm_watchdog {
	uint64_t blackholes; /* MPTcpExtBlackhole when it was last looked at */
	bool off;	     /* MPTCP was off then */
	uint32_t restores;   /* in a row */
	uint64_t restored_ms;
};

enum pm_watch_verdict {
	PM_WATCH_ON,	  /* MPTCP is not switched off */
	PM_WATCH_LEAVE,	  /* it is, and nothing shows that this is wrong */
	PM_WATCH_WAIT,	  /* it was restored just before */
	PM_WATCH_RESTORE, /* to be done */
};

/*
 * `off`: is MPTCP switched off now? `rows` are those of paths as a whole (prefix of zeros), of
 * interfaces that connections can begin on. With PM_WATCH_RESTORE, *proof is the row that shows
 * MPTCP to work, and the restore counts as done.
 */
enum pm_watch_verdict pm_watchdog_decide(struct pm_watchdog *w, bool off,
					 const struct loader_learn_row *rows, size_t nr,
					 uint64_t now_ms, const struct loader_learn_row **proof);

/*
 * One look and, unless `dry_run`, what follows from it. `text` gets it in words, empty when there
 * is nothing to say; with PM_WATCH_LEAVE only the first time. Negative on failure.
 */
int pm_watchdog_run(struct pm_watchdog *w, const struct loader_config *c, bool dry_run,
		    char text[PM_WATCH_TEXT_BYTES], struct error *e);

/* MPTcpExtBlackhole of the namespace; 0 when the kernel does not count it. */
int pm_watchdog_blackholes(uint64_t *out, struct error *e);

/* Whether a connection over loopback gets MPTCP; *off stays as it is when loopback cannot tell. */
void pm_watchdog_probe(bool *off);

#endif
