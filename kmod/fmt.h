/* SPDX-License-Identifier: GPL-2.0-only */
/* Before any kernel header: every message names the module. */
#define pr_fmt(fmt) "mptcp_bpf: " fmt
