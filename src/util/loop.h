/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event loop for one thread: descriptors (epoll), timers, signals (signalfd). Whatever was
 * registered may be changed or removed in any callback, its own and those of others; what was
 * removed is not called any more, even if it was ready.
 */
#ifndef UTIL_LOOP_H
#define UTIL_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOP_NEVER UINT64_MAX

struct loop;

typedef void loop_fd_fn(int fd, uint32_t events, void *data);
typedef void loop_fn(void *data);

/* The caller's, 0-initialized except for the first two; it stays where it is while it is known to a
 * loop. */
struct loop_timer {
	loop_fn *call;
	void *data;
	/* The loop's. */
	uint64_t due_ms, period_ms;
	size_t at; /* in the heap, counted from 1; 0: not known to a loop */
};

/* NULL with errno. */
struct loop *loop_new(void);
/* Idempotent; descriptors stay open, blocked signals are what they were before. */
void loop_free(struct loop **l);

/* `events` as for epoll; EPOLLERR and EPOLLHUP come unasked. -EEXIST, -EPERM (a regular file),
 * -ENOMEM. */
int loop_fd_add(struct loop *l, int fd, uint32_t events, loop_fd_fn *call, void *data);
/* -ENOENT */
int loop_fd_change(struct loop *l, int fd, uint32_t events);
/* Before the descriptor is closed. Unknown ones are ignored. */
void loop_fd_remove(struct loop *l, int fd);

/* -ENOMEM. Known, but not set. */
int loop_timer_add(struct loop *l, struct loop_timer *t);
/* Calls once at `due_ms`, or at once when that is past; LOOP_NEVER: not at all. */
void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t due_ms);
/* Calls every `period_ms` from now on. A call that is late is not made up for. */
void loop_timer_every(struct loop *l, struct loop_timer *t, uint64_t period_ms);
/* Idempotent. */
void loop_timer_remove(struct loop *l, struct loop_timer *t);

/* From now on the signal is blocked for the thread and calls here instead. -EEXIST, -EINVAL. */
int loop_signal_add(struct loop *l, int signal, loop_fn *call, void *data);

/* Until loop_stop(); 0 or -errno. */
int loop_run(struct loop *l);
/* One round that waits at most `wait_ms` (LOOP_NEVER: until something happens). */
int loop_once(struct loop *l, uint64_t wait_ms);
/* The round that is under way is the last one. */
void loop_stop(struct loop *l);

/* CLOCK_MONOTONIC */
uint64_t loop_now_ms(void);

#endif
