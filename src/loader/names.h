/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module is called, where it shows itself and which struct_ops type it registers. A build
 * against another type of the kernel (for trying the loader where the module cannot be loaded)
 * overrides them on the command line. */
#ifndef LOADER_NAMES_H
#define LOADER_NAMES_H

#ifndef LOADER_MODULE
#define LOADER_MODULE "mptcp_bpf"
#endif
#ifndef LOADER_MODULE_SYSFS
#define LOADER_MODULE_SYSFS "/sys/module/" LOADER_MODULE
#endif
#ifndef LOADER_PROC
#define LOADER_PROC "/proc/" LOADER_MODULE
#endif
#ifndef LOADER_PROC_NET
#define LOADER_PROC_NET "/proc/thread-self/net/" LOADER_MODULE
#endif
#ifndef LOADER_SELECT_TYPE
#define LOADER_SELECT_TYPE "mptcp_bpf_select_ops"
#endif
#ifndef LOADER_OPS_TYPE
#define LOADER_OPS_TYPE "mptcp_bpf_sched_ops"
#endif

#endif
