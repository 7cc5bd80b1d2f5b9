/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program that watches the guard needs of the kernel: subflows to be looked at, as the guard
 * hands them over, and a way to make one of them ask for a sign of life. For one program in a
 * network namespace, because the guard hands each subflow over once.
 */
#ifndef LOADER_GUARD_WATCH_H
#define LOADER_GUARD_WATCH_H

#include <linux/types.h>

#include "loader/loader.h"
#include "mptcp_guard.h"
#include "mptcp_probe.h"

struct loader_guard_watch;

typedef void loader_guard_watch_fn(const struct mptcp_guard_event *event, void *data);

/* -ENOENT when nothing is guarded in the namespace. The calling thread has to be in it. */
int loader_guard_watch_open(const struct loader_config *c, uint64_t netns,
			    loader_guard_watch_fn *each, void *data,
			    struct loader_guard_watch **out, struct error *e);
/* Idempotent. */
void loader_guard_watch_close(struct loader_guard_watch **w);

/* For poll(): readable when there is a subflow to be looked at. */
int loader_guard_watch_fd(const struct loader_guard_watch *w);
/* Hands over what there is, without waiting. */
int loader_guard_watch_read(struct loader_guard_watch *w, struct error *e);

/* Runs the probe once, as *p says; its answer is in *p. -ENOENT: there is no such subflow. */
int loader_guard_probe(struct loader_guard_watch *w, struct mptcp_probe *p, struct error *e);

#endif
