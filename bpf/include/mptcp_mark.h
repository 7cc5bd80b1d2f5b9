/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which firewall mark the subflows of a connection get: what bpf/select/mark.bpf.c reads and the
 * loader writes. The map `marks` holds, for each network namespace, rules 0, 1, 2 …; the first that
 * matches wins, the first index without a rule ends the search.
 */
#ifndef MPTCP_MARK_H
#define MPTCP_MARK_H

#include "mptcp_select.h"

#define MPTCP_MARKS_MAX (MPTCP_SELECT_RULES_MAX + 1) /* and one for the other connections */

struct mptcp_mark {
	struct mptcp_select_rule match; /* its scheduler is not looked at */
	__u32 mark;			/* 0: none */
	__u32 reserved;
};

#endif
