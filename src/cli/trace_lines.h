/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of trace_pipe put together to decisions with their paths (kmod/trace.h), and written in the
 * order of time, for people or as JSON Lines. A decision and its paths come from one CPU, one after
 * the other, so each CPU has one that is being put together.
 */
#ifndef CLI_TRACE_LINES_H
#define CLI_TRACE_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TRACE_PATHS_MAX 64
#define TRACE_CPUS_MAX	1024

struct trace_path {
	uint32_t id, srtt_us, rttvar_us, cwnd, in_flight, queued_bytes, stuck_us, timeouts, lost;
	uint32_t min_rtt_us, last_rtt_us;
	uint64_t pacing_bytes_per_s, delivery_bytes_per_s;
	char flags[96]; /* room|stale|... */
};

struct trace_decision {
	uint64_t time_us;
	uint32_t token, chosen, stuck_us, skipped; /* skipped: by the module, since it was loaded */
	int err;
	uint64_t unsent_bytes, unacked_bytes, window_bytes;
	char scheduler[16], op[16], reason[16];
	struct trace_path paths[TRACE_PATHS_MAX];
	size_t nr_paths;
};

struct trace_lines {
	FILE *out;
	bool json;
	/* Is the decision of this token wanted? NULL: all are. */
	bool (*want)(void *data, uint32_t token);
	void *data;
	struct trace_decision *open[TRACE_CPUS_MAX];
	unsigned int cpus;  /* seen */
	uint64_t decisions; /* written */
	uint64_t lost;	    /* events the buffer had no room for */
	uint64_t limited;   /* decisions beyond the module's limit */
	uint32_t skipped;
	bool skipped_known;
};

/* One line, which is changed on the way; what is no event of ours is passed over. -ENOMEM. */
int trace_lines_take(struct trace_lines *t, char *line);
/* Writes what is still open. */
void trace_lines_flush(struct trace_lines *t);
void trace_lines_clear(struct trace_lines *t);

#endif
