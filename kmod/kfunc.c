// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a BPF scheduler can call: the view of its connection, the commitment of a decision, and an
 * iterator over subflows for what the view does not show. bpf/include/mptcp_bpf.bpf.h has the
 * contract for authors.
 */
#include "mptcp_bpf.h"

#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>

/* The MPTCP retransmit interval a scheduler may ask for. */
#define TIMER_MIN_US 1000u
#define TIMER_MAX_US 5000000u

/* The least back-off bpf_mptcp_probe() leaves, as TCP_RTO_MIN. */
#define PROBE_MIN_US 200000u

/* How long a subflow is tried whose segments cannot even leave: about what TCP's own back-off
 * takes. */
#define BLOCKED_FOR_S 900

/* Arguments are trusted by default since 7.0; before, the flag asks for it. */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

struct bpf_iter_mptcp_subflow {
	__u64 __opaque[2];
} __aligned(8);

struct subflow_iter {
	struct list_head *head, *pos;
} __aligned(8);

static void *subflow_by_id(struct mptcp_sock *msk, u32 id)
{
	struct list_head *pos;

	for_each_subflow(pos, msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);

		if (*SUBFLOW_FIELD(subflow, subflow_id, u32) == id)
			return subflow;
	}
	return NULL;
}

static int schedule_subflow(struct mptcp_sock *msk, void *subflow)
{
	if (!mptcp_bpf_subflow_active(subflow)) {
		mptcp_bpf_conn_refused(msk);
		return -ENOTCONN;
	}
	if (!sk_stream_memory_free(mptcp_bpf_subflow_sock(subflow)))
		return -EAGAIN;
	if (!tcp_sk(mptcp_bpf_subflow_sock(subflow))->packets_out) {
		struct path_state *state = mptcp_bpf_path_state(
			mptcp_bpf_conn_of(msk), *SUBFLOW_FIELD(subflow, subflow_id, u32));

		if (state)
			state->busy_since_us = tcp_clock_us();
	}
	WRITE_ONCE(*SUBFLOW_FIELD(subflow, scheduled, bool), true);
	return 0;
}

/* The interval is used when the timer is next started; one that runs is shortened at once. */
static void set_timer(struct mptcp_sock *msk, u32 timer_us)
{
	struct sock *sk = (struct sock *)msk;
	struct timer_list *timer = RTX_TIMER(sk);
	unsigned long ival;

	if (!timer_us)
		return;
	ival = usecs_to_jiffies(clamp(timer_us, TIMER_MIN_US, TIMER_MAX_US)) + 1;
	*MSK_FIELD(msk, timer_ival, unsigned long) = ival;
	if (timer_pending(timer) && time_after(READ_ONCE(timer->expires), jiffies + ival))
		sk_reset_timer(sk, timer, jiffies + ival);
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_mptcp_view(struct mptcp_sock *msk, void *out, u32 out__sz)
{
	const size_t known_head = offsetof(struct mptcp_bpf_view, path);
	struct mptcp_bpf_view head = {};
	struct list_head *pos;
	u32 stride, room, n = 0;
	char *path;

	if (out__sz < sizeof(u32) * 2 || !mptcp_bpf_conn_is_ours(msk))
		return -EINVAL;
	stride = ((struct mptcp_bpf_view *)out)->path_size;
	if (stride < sizeof(u32) * 2 || stride > out__sz / MPTCP_BPF_PATHS_MAX)
		return -EINVAL;
	room = out__sz - stride * MPTCP_BPF_PATHS_MAX;
	path = (char *)out + room;

	for_each_subflow(pos, msk) {
		void *subflow = mptcp_bpf_subflow_of(pos);
		struct mptcp_bpf_path p;

		if (n == MPTCP_BPF_PATHS_MAX)
			break;
		if (!mptcp_bpf_subflow_active(subflow))
			continue;
		mptcp_bpf_view_path(mptcp_bpf_conn_of(msk), &p, subflow);
		memcpy(path, &p, min_t(size_t, stride, sizeof(p)));
		if (stride > sizeof(p))
			memset(path + sizeof(p), 0, stride - sizeof(p));
		path += stride;
		n++;
	}
	mptcp_bpf_view_head(mptcp_bpf_conn_of(msk), &head);
	head.path_size = stride;
	head.nr_paths = n;
	memcpy(out, &head, min_t(size_t, room, known_head));
	if (room > known_head)
		memset((char *)out + known_head, 0, room - known_head);
	return n;
}

__bpf_kfunc int bpf_mptcp_schedule(struct mptcp_sock *msk, u32 id, u32 burst_bytes, u32 timer_us)
{
	void *subflow;
	int err;

	if (!mptcp_bpf_conn_is_ours(msk))
		return -EINVAL;
	subflow = subflow_by_id(msk, id);
	if (!subflow) {
		mptcp_bpf_conn_refused(msk);
		return -ENOENT;
	}
	err = schedule_subflow(msk, subflow);
	if (err)
		return err;
	*MSK_FIELD(msk, snd_burst, int) = min_t(u32, burst_bytes, INT_MAX);
	set_timer(msk, timer_us);
	return 0;
}

__bpf_kfunc int bpf_mptcp_set_timer(struct mptcp_sock *msk, u32 timer_us)
{
	if (!mptcp_bpf_conn_is_ours(msk))
		return -EINVAL;
	set_timer(msk, timer_us);
	return 0;
}

__bpf_kfunc void bpf_mptcp_reason(struct mptcp_sock *msk, u32 reason)
{
	if (mptcp_bpf_conn_is_ours(msk) && reason < MPTCP_REASON_NR)
		mptcp_bpf_conn_of(msk)->reason = reason;
}

/* TCP gives up after tcp_retries2 window probes, however fast they followed each other; after lost
 * retransmissions it does so by the time they took.
 */
static bool gives_up(const struct inet_connection_sock *icsk)
{
	return icsk->icsk_probes_tstamp &&
	       (u32)(tcp_jiffies32 - icsk->icsk_probes_tstamp) > BLOCKED_FOR_S * HZ;
}

/* TCP doubles icsk_rto when its timer fires and starts the next one from it; that of window probes
 * it shifts by icsk_backoff, with 200 ms as the least.
 */
__bpf_kfunc int bpf_mptcp_probe(struct mptcp_sock *msk, u32 id, u32 max_rto_us)
{
	struct inet_connection_sock *icsk;
	unsigned long most;
	void *subflow;

	subflow = mptcp_bpf_conn_is_ours(msk) ? subflow_by_id(msk, id) : NULL;
	if (!subflow || !mptcp_bpf_subflow_active(subflow))
		return -ENOENT;
	icsk = inet_csk(mptcp_bpf_subflow_sock(subflow));
	most = usecs_to_jiffies(max(max_rto_us, PROBE_MIN_US)) / 2;
	if (icsk->icsk_retransmits && icsk->icsk_rto > most)
		WRITE_ONCE(icsk->icsk_rto, most);
	if (mptcp_bpf_is_blocked(mptcp_bpf_subflow_sock(subflow)) && !gives_up(icsk)) {
		icsk->icsk_backoff = 0;
		icsk->icsk_probes_out = 0;
	}
	return 0;
}

__bpf_kfunc int bpf_mptcp_set_backup(struct mptcp_sock *msk, u32 id, u32 mode)
{
	struct path_state *state;

	if (mode > MPTCP_BACKUP_ALWAYS || !mptcp_bpf_conn_is_ours(msk))
		return -EINVAL;
	state = mptcp_bpf_path_state(mptcp_bpf_conn_of(msk), id);
	if (!state)
		return -ENOENT;
	state->backup_mode = mode;
	return 0;
}

__bpf_kfunc int bpf_mptcp_subflow_set_scheduled(struct mptcp_sock *msk,
						struct mptcp_subflow_context *subflow)
{
	return mptcp_bpf_conn_is_ours(msk) ? schedule_subflow(msk, subflow) : -EINVAL;
}

__bpf_kfunc struct sock *bpf_mptcp_subflow_tcp_sock(struct mptcp_subflow_context *subflow)
{
	return mptcp_bpf_subflow_sock(subflow);
}

__bpf_kfunc int bpf_iter_mptcp_subflow_new(struct bpf_iter_mptcp_subflow *it,
					   struct mptcp_sock *msk)
{
	struct subflow_iter *k = (void *)it;

	BUILD_BUG_ON(sizeof(*k) > sizeof(*it));
	k->head = k->pos = NULL;
	if (!mptcp_bpf_conn_is_ours(msk))
		return -EINVAL;
	k->head = k->pos = MSK_FIELD(msk, conn_list, struct list_head);
	return 0;
}

__bpf_kfunc struct mptcp_subflow_context *
bpf_iter_mptcp_subflow_next(struct bpf_iter_mptcp_subflow *it)
{
	struct subflow_iter *k = (void *)it;

	if (!k->head || list_is_last(k->pos, k->head))
		return NULL;
	k->pos = k->pos->next;
	return mptcp_bpf_subflow_of(k->pos);
}

__bpf_kfunc void bpf_iter_mptcp_subflow_destroy(struct bpf_iter_mptcp_subflow *it)
{
}

__bpf_kfunc_end_defs();

/* A module has one set for a type of program. */
BTF_KFUNCS_START(mptcp_bpf_kfunc_ids)
BTF_ID_FLAGS(func, bpf_mptcp_view, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_schedule, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_set_timer, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_reason, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_probe, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_set_backup, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_subflow_set_scheduled, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_subflow_tcp_sock, KF_TRUSTED_ARGS | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_mptcp_subflow_new, KF_ITER_NEW | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_iter_mptcp_subflow_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_mptcp_subflow_destroy, KF_ITER_DESTROY)
BTF_ID_FLAGS(func, bpf_mptcp_facts, KF_TRUSTED_ARGS) /* select.c */
BTF_ID_FLAGS(func, bpf_mptcp_choose, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(mptcp_bpf_kfunc_ids)

static const struct btf_kfunc_id_set kfunc_set = {
	.owner = THIS_MODULE,
	.set = &mptcp_bpf_kfunc_ids,
};

int mptcp_bpf_kfunc_register(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &kfunc_set);
}
