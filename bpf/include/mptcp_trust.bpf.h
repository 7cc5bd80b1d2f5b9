/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a peer's MP_PRIO (RFC 8684 3.3.8) and the backup bit of its joins may do, by the path they
 * come on. A scheduler takes part with `.path_event = (void *)mptcp_trust` in its ops table.
 */
#ifndef MPTCP_TRUST_BPF_H
#define MPTCP_TRUST_BPF_H

#include "mptcp_survey.bpf.h"

#define MPTCP_TRUST_IDS 16

/*
 * By local address id (`ip mptcp endpoint`): 0 obey the peer, 1 ignore it, 2 let it make a path a
 * backup, but not take that back.
 */
const volatile __u32 trust[MPTCP_TRUST_IDS] = {};

enum mptcp_trust { MPTCP_TRUST_OBEY, MPTCP_TRUST_IGNORE, MPTCP_TRUST_DEMOTE };

/* A mode of bpf_mptcp_set_backup(), or -1 to leave it. */
static __always_inline int mptcp_trust_mode(__u32 level, __u32 flags)
{
	if (level == MPTCP_TRUST_OBEY)
		return MPTCP_BACKUP_BITS;
	if (level == MPTCP_TRUST_IGNORE)
		return flags & MPTCP_PATH_BACKUP_REQUESTED ? MPTCP_BACKUP_ALWAYS
							   : MPTCP_BACKUP_NEVER;
	return flags & MPTCP_PATH_BACKUP_RECEIVED ? MPTCP_BACKUP_ALWAYS : -1;
}

SEC("struct_ops")
void BPF_PROG(mptcp_trust, struct mptcp_sock *msk, __u32 id, __u32 event)
{
	const struct mptcp_bpf_path *p;
	struct mptcp_scratch *s;
	int i;

	if (event != MPTCP_PATH_EVENT_UP && event != MPTCP_PATH_EVENT_BACKUP)
		return;
	s = mptcp_look(msk);
	if (!s)
		return;
	mptcp_for_each_path(p, i, &s->view)
	{
		int mode = mptcp_trust_mode(trust[p->local_id & (MPTCP_TRUST_IDS - 1)], p->flags);

		if (p->id == id && mode >= 0)
			bpf_mptcp_set_backup(msk, id, mode);
	}
}

#endif
