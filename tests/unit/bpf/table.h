/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules of schedulers as tables: a state of a connection, and the decision it leads to. */
#ifndef SCHED_TABLE_H
#define SCHED_TABLE_H

#include "fake_conn.h"

#include <CUnit/Basic.h>

#define TABLE_PATHS 4

/* Zero is what fake_path_add() gives, where that is not zero. */
struct table_path {
	__u32 id; /* 0: no more paths */
	__u32 rtt_ms, var_ms;
	__u32 cwnd, in_flight, queued;
	__u32 flags; /* added to those of fake_path_add() */
	__u32 timeouts, stuck_ms;
	bool zero_cwnd, no_memory, closed;
};

struct table_row {
	const char *name;
	struct table_path path[TABLE_PATHS];
	__u64 unsent, unacked, sent, reinjected;
	__u64 window; /* 0: 1 MB */
	bool retrans;
	__u32 want; /* id of the subflow; 0: none */
	__u32 reason;
	__u32 timer_us; /* 0: any */
};

/* P(id, rtt_ms, .field = value ...) */
#define P(i, ms, ...)                                    \
	{                                                \
		.id = (i), .rtt_ms = (ms), ##__VA_ARGS__ \
	}
/* The window of ten segments used up. */
#define FULL .in_flight = 10

/* What it holds cannot leave. */
#define BLOCKED .queued = 8000, .flags = MPTCP_PATH_BLOCKED

#define BACKUP_RECEIVED .flags = MPTCP_PATH_BACKUP_RECEIVED

#define NR(array) (sizeof(array) / sizeof((array)[0]))

void table_conn(struct fake_conn *c, const struct table_row *row);
/* Each row on a connection of its own, by the scheduler with its knobs as they are. */
void table_run(struct fake_sched *s, const struct table_row *rows, size_t nr);
/* The same with a scheduler just opened. */
void table_run_defaults(const char *scheduler, const struct table_row *rows, size_t nr);

/* A program of one suite; its exit status. */
int table_main(const char *suite, CU_TestInfo *tests);

#endif
