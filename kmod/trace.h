/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decisions as trace events: mptcp_bpf_decision, and one mptcp_bpf_path for each usable subflow,
 * taken right after the decision. Free when off. `mptcp-pmctl sched trace` reads them. `skipped`:
 * decisions that were not traced since the module was loaded, because there were too many.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mptcp_bpf

#if !defined(MPTCP_BPF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MPTCP_BPF_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(
	mptcp_bpf_decision,
	TP_PROTO(const struct mptcp_bpf_view *v, const char *name, bool retrans, u32 reason,
		 u32 chosen, int err, u32 skipped),
	TP_ARGS(v, name, retrans, reason, chosen, err, skipped),
	TP_STRUCT__entry(__field(u32, token) __array(char, name, MPTCP_SCHED_NAME_MAX)
				 __field(u8, retrans) __field(u8, reason) __field(u32, chosen)
					 __field(int, err) __field(u64, unsent)
						 __field(u64, unacked) __field(u64, window)
							 __field(u32, stuck_us)
								 __field(u32, skipped)),
	TP_fast_assign(__entry->token = v->token; memcpy(__entry->name, name, MPTCP_SCHED_NAME_MAX);
		       __entry->retrans = retrans; __entry->reason = reason;
		       __entry->chosen = chosen; __entry->err = err;
		       __entry->unsent = v->unsent_bytes; __entry->unacked = v->unacked_bytes;
		       __entry->window = v->window_bytes; __entry->stuck_us = v->stuck_us;
		       __entry->skipped = skipped;),
	TP_printk(
		"token=%08x scheduler=%s op=%s reason=%s chosen=%u err=%d unsent=%llu unacked=%llu window=%llu stuck_us=%u skipped=%u",
		__entry->token, __entry->name, __entry->retrans ? "get_retrans" : "get_send",
		__print_symbolic(
			__entry->reason, { MPTCP_REASON_NONE, "none" },
			{ MPTCP_REASON_FASTEST, "fastest" }, { MPTCP_REASON_SPILLED, "spilled" },
			{ MPTCP_REASON_BACKUP, "backup" }, { MPTCP_REASON_WAITED, "deferred" },
			{ MPTCP_REASON_REDUNDANT, "redundant" },
			{ MPTCP_REASON_REINJECTED, "reinjected" }, { MPTCP_REASON_PROBE, "probe" }),
		__entry->chosen, __entry->err, __entry->unsent, __entry->unacked, __entry->window,
		__entry->stuck_us, __entry->skipped));

TRACE_EVENT(
	mptcp_bpf_path, TP_PROTO(u32 token, const struct mptcp_bpf_path *p), TP_ARGS(token, p),
	TP_STRUCT__entry(__field(u32, token) __field(u32, id) __field(u32, flags) __field(
		u32, srtt_us) __field(u32, rttvar_us) __field(u32, cwnd) __field(u32, in_flight)
				 __field(u32, queued) __field(u32, stuck_us) __field(u32, timeouts)
					 __field(u32, lost) __field(u64, pacing)
						 __field(u32, min_rtt_us) __field(u32, last_rtt_us)
							 __field(u64, delivery)),
	TP_fast_assign(__entry->token = token; __entry->id = p->id; __entry->flags = p->flags;
		       __entry->srtt_us = p->srtt_us; __entry->rttvar_us = p->rttvar_us;
		       __entry->cwnd = p->cwnd; __entry->in_flight = p->in_flight;
		       __entry->queued = p->queued_bytes; __entry->stuck_us = p->stuck_us;
		       __entry->timeouts = p->timeouts; __entry->lost = p->lost;
		       __entry->pacing = p->pacing_bytes_per_s; __entry->min_rtt_us = p->min_rtt_us;
		       __entry->last_rtt_us = p->last_rtt_us;
		       __entry->delivery = p->delivery_bytes_per_s;),
	TP_printk(
		"token=%08x id=%u flags=%s srtt_us=%u rttvar_us=%u cwnd=%u in_flight=%u queued=%u stuck_us=%u timeouts=%u lost=%u pacing=%llu min_rtt_us=%u last_rtt_us=%u delivery=%llu",
		__entry->token, __entry->id,
		__print_flags(__entry->flags, "|", { MPTCP_PATH_ROOM, "room" },
			      { MPTCP_PATH_BACKUP_REQUESTED, "backup-requested" },
			      { MPTCP_PATH_BACKUP_RECEIVED, "backup-received" },
			      { MPTCP_PATH_STALE, "stale" },
			      { MPTCP_PATH_OUTSTANDING, "outstanding" },
			      { MPTCP_PATH_MEMORY, "memory" }, { MPTCP_PATH_LOSS, "loss" },
			      { MPTCP_PATH_BACKUP, "backup" },
			      { MPTCP_PATH_SLOW_START, "slow-start" },
			      { MPTCP_PATH_BLOCKED, "blocked" }),
		__entry->srtt_us, __entry->rttvar_us, __entry->cwnd, __entry->in_flight,
		__entry->queued, __entry->stuck_us, __entry->timeouts, __entry->lost,
		__entry->pacing, __entry->min_rtt_us, __entry->last_rtt_us, __entry->delivery));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
