/* SPDX-License-Identifier: GPL-2.0-only */
/* libbpf's header of this name, for BPF programs that run on the host: plain functions. */
#ifndef HOST_BPF_TRACING_H
#define HOST_BPF_TRACING_H

#define BPF_PROG(name, ...) name(__VA_ARGS__)

#endif
