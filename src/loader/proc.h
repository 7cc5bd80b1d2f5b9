/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module reports in /proc/mptcp_bpf (schedulers) and in /proc/net/mptcp_bpf (connections
 * of one network namespace), tables as in columns.h. */
#ifndef LOADER_PROC_H
#define LOADER_PROC_H

#include <stdio.h>

#include "loader/loader.h"

/* The caller frees *out. -EPROTO when there is no header with a "name" column. */
int loader_proc_parse(FILE *in, struct loader_sched **out, size_t *nr, struct error *e);

/* -EPROTO when there is no header with a "token" column. */
int loader_proc_parse_conns(FILE *in, struct loader_conn **out, size_t *nr, struct error *e);

/* Schedulers from the kernel; no schedulers when the module is not loaded. */
int loader_proc_read(struct loader_sched **out, size_t *nr, struct error *e);

/* True when the module knows a scheduler of this name. */
bool loader_proc_has(const char *name);

#endif
