/* SPDX-License-Identifier: GPL-2.0-only */
/* What the probe (bpf/guard/probe.bpf.c) is asked and answers: the one value of its map. */
#ifndef MPTCP_PROBE_H
#define MPTCP_PROBE_H

enum mptcp_probe_action {
	MPTCP_PROBE_START, /* keepalive segments now and each second; what was set is saved */
	MPTCP_PROBE_STOP,  /* what was saved is set again */
};

struct mptcp_probe {
	/* the subflow */
	__u8 family; /* 4 or 6; IPv4 in the first 4 bytes, of a socket of IPv6 too */
	__u8 action;
	__u16 local_port, remote_port; /* host byte order */
	__u16 found;		       /* answer: how many such sockets */
	__u8 local[16], remote[16];
	/* keepalive as it was before START, as setsockopt has it */
	__s32 on, idle_s, interval_s, count;
};

#endif
