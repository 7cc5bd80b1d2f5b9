/* SPDX-License-Identifier: GPL-2.0-only */
/* What BPF programs find in vmlinux.h, as far as schedulers use it, when they run on the host. */
#ifndef HOST_KERNEL_H
#define HOST_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

struct mptcp_sock;
struct mptcp_subflow_context;
struct sock;

#endif
