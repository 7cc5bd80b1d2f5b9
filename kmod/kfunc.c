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

#include "mptcp_bpf_view.h"

/* The MPTCP retransmit interval a scheduler may ask for. */
#define TIMER_MIN_US 1000u
#define TIMER_MAX_US 5000000u

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

static void view_path(struct mptcp_bpf_path *p, void *subflow, struct sock *ssk)
{
	const struct tcp_sock *tp = tcp_sk(ssk);
	u32 mss = tp->mss_cache ?: 1;
	bool memory = sk_stream_memory_free(ssk);

	p->id = *SUBFLOW_FIELD(subflow, subflow_id, u32);
	p->srtt_us = tp->srtt_us >> 3;
	p->rttvar_us = tp->mdev_us >> 2;
	p->min_rtt_us = tcp_min_rtt(tp) == ~0U ? 0 : tcp_min_rtt(tp);
	p->rto_us = jiffies_to_usecs(inet_csk(ssk)->icsk_rto);
	p->cwnd = tcp_snd_cwnd(tp);
	p->in_flight = tcp_packets_in_flight(tp);
	p->queued_bytes = READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_nxt);
	p->mss = mss;
	p->ack_age_ms = jiffies_to_msecs(tcp_jiffies32 - READ_ONCE(tp->rcv_tstamp));
	p->send_age_ms = jiffies_to_msecs(tcp_jiffies32 - READ_ONCE(tp->lsndtime));
	p->pacing_bytes_per_s = READ_ONCE(ssk->sk_pacing_rate);
	p->local_id = max_t(s16, *SUBFLOW_FIELD(subflow, local_id, s16), 0);
	p->remote_id = *SUBFLOW_FIELD(subflow, remote_id, u8);
	p->retransmits = READ_ONCE(tp->total_retrans);
	p->timeouts = inet_csk(ssk)->icsk_retransmits;

	p->flags = memory ? MPTCP_PATH_MEMORY : 0;
	if (memory && p->in_flight + DIV_ROUND_UP(p->queued_bytes, mss) < p->cwnd)
		p->flags |= MPTCP_PATH_ROOM;
	if (SUBFLOW_FLAG(subflow, request_bkup))
		p->flags |= MPTCP_PATH_BACKUP_REQUESTED;
	if (SUBFLOW_FLAG(subflow, backup))
		p->flags |= MPTCP_PATH_BACKUP_RECEIVED;
	if (SUBFLOW_FLAG(subflow, stale))
		p->flags |= MPTCP_PATH_STALE;
	if (tp->packets_out)
		p->flags |= MPTCP_PATH_OUTSTANDING;
	if (inet_csk(ssk)->icsk_ca_state >= TCP_CA_Recovery)
		p->flags |= MPTCP_PATH_LOSS;
}

static void view_head(struct mptcp_bpf_view *v, struct mptcp_sock *msk)
{
	u64 nxt = READ_ONCE(*MSK_FIELD(msk, snd_nxt, u64));
	u64 end = READ_ONCE(*MSK_FIELD(msk, wnd_end, u64));

	v->next_seq = nxt;
	v->unsent_bytes = READ_ONCE(*MSK_FIELD(msk, write_seq, u64)) - nxt;
	v->unacked_bytes = nxt - READ_ONCE(*MSK_FIELD(msk, snd_una, u64));
	v->window_bytes = (s64)(end - nxt) > 0 ? end - nxt : 0;
	v->age_ms = mptcp_bpf_conn_age_ms(msk);
	v->token = *MSK_FIELD(msk, token, u32);
}

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
	WRITE_ONCE(*SUBFLOW_FIELD(subflow, scheduled, bool), true);
	return 0;
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
		view_path(&p, subflow, mptcp_bpf_subflow_sock(subflow));
		memcpy(path, &p, min_t(size_t, stride, sizeof(p)));
		if (stride > sizeof(p))
			memset(path + sizeof(p), 0, stride - sizeof(p));
		path += stride;
		n++;
	}
	view_head(&head, msk);
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
	if (timer_us)
		*MSK_FIELD(msk, timer_ival, unsigned long) =
			usecs_to_jiffies(clamp(timer_us, TIMER_MIN_US, TIMER_MAX_US)) + 1;
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

BTF_KFUNCS_START(mptcp_bpf_kfunc_ids)
BTF_ID_FLAGS(func, bpf_mptcp_view, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_schedule, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_subflow_set_scheduled, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_mptcp_subflow_tcp_sock, KF_TRUSTED_ARGS | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_mptcp_subflow_new, KF_ITER_NEW | KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_iter_mptcp_subflow_next, KF_ITER_NEXT | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_iter_mptcp_subflow_destroy, KF_ITER_DESTROY)
BTF_KFUNCS_END(mptcp_bpf_kfunc_ids)

static const struct btf_kfunc_id_set kfunc_set = {
	.owner = THIS_MODULE,
	.set = &mptcp_bpf_kfunc_ids,
};

int mptcp_bpf_kfunc_register(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &kfunc_set);
}
