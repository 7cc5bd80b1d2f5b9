/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module reports in /proc/mptcp_bpf: a header line starting with '#' that names the
 * columns, then one scheduler a line. Columns are found by name, so the module may add some.
 */
#ifndef LOADER_PROC_H
#define LOADER_PROC_H

#include <stdio.h>

#include "loader/loader.h"

/* The caller frees *out. -EPROTO when there is no header with a "name" column. */
int loader_proc_parse(FILE *in, struct loader_sched **out, size_t *nr, struct error *e);

/* The same from the kernel; no schedulers when the module is not loaded. */
int loader_proc_read(struct loader_sched **out, size_t *nr, struct error *e);

/* True when the module knows a scheduler of this name. */
bool loader_proc_has(const char *name);

#endif
