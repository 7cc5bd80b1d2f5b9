// SPDX-License-Identifier: GPL-2.0-only
/* epoll, a heap of timers and a signalfd; see loop.h. */
#include "util/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX    64
#define MS_PER_SECOND 1000
#define NS_PER_MS     1000000

/* A descriptor's number is used again, so an event names the generation it was asked for. */
struct slot {
	loop_fd_fn *call; /* NULL: free */
	void *data;
	uint32_t generation;
};

struct on_signal {
	loop_fn *call;
	void *data;
};

struct loop {
	int epoll, signals;
	bool stop;
	struct slot *slots; /* by descriptor */
	size_t nr_slots;
	struct loop_timer **heap; /* earliest first */
	size_t nr_timers, room;
	struct on_signal on_signal[NSIG];
	sigset_t caught, before;
};

uint64_t loop_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * MS_PER_SECOND + (uint64_t)t.tv_nsec / NS_PER_MS;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->signals = -1;
	sigemptyset(&l->caught);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop **l)
{
	struct loop *loop = *l;

	*l = NULL;
	if (!loop)
		return;
	for (size_t i = 0; i < loop->nr_timers; i++)
		loop->heap[i]->at = 0;
	if (loop->signals >= 0) {
		close(loop->signals);
		sigprocmask(SIG_SETMASK, &loop->before, NULL);
	}
	close(loop->epoll);
	free(loop->slots);
	free(loop->heap);
	free(loop);
}

static struct slot *slot_of(struct loop *l, int fd)
{
	return fd >= 0 && (size_t)fd < l->nr_slots && l->slots[fd].call ? &l->slots[fd] : NULL;
}

static int reserve_slot(struct loop *l, int fd)
{
	size_t nr = (size_t)fd + 1;
	struct slot *bigger;

	if (nr <= l->nr_slots)
		return 0;
	bigger = reallocarray(l->slots, nr, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	memset(bigger + l->nr_slots, 0, (nr - l->nr_slots) * sizeof(*bigger));
	l->slots = bigger;
	l->nr_slots = nr;
	return 0;
}

static int control(struct loop *l, int operation, int fd, uint32_t events)
{
	struct epoll_event e = {
		.events = events,
		.data.u64 = (uint64_t)l->slots[fd].generation << 32 | (uint32_t)fd,
	};

	return epoll_ctl(l->epoll, operation, fd, &e) < 0 ? -errno : 0;
}

int loop_fd_add(struct loop *l, int fd, uint32_t events, loop_fd_fn *call, void *data)
{
	int err;

	if (fd < 0)
		return -EBADF;
	if (slot_of(l, fd))
		return -EEXIST;
	err = reserve_slot(l, fd);
	if (err == 0)
		err = control(l, EPOLL_CTL_ADD, fd, events);
	if (err < 0)
		return err;
	l->slots[fd].call = call;
	l->slots[fd].data = data;
	return 0;
}

int loop_fd_change(struct loop *l, int fd, uint32_t events)
{
	return slot_of(l, fd) ? control(l, EPOLL_CTL_MOD, fd, events) : -ENOENT;
}

void loop_fd_remove(struct loop *l, int fd)
{
	struct slot *s = slot_of(l, fd);

	if (!s)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
	s->call = NULL;
	s->generation++;
}

static void place(struct loop *l, size_t at, struct loop_timer *t)
{
	l->heap[at - 1] = t;
	t->at = at;
}

/* Puts a timer whose time has changed where it belongs; `at` counts from 1. */
static void sift(struct loop *l, struct loop_timer *t)
{
	size_t at = t->at;

	while (at > 1 && t->due_ms < l->heap[at / 2 - 1]->due_ms) {
		place(l, at, l->heap[at / 2 - 1]);
		at /= 2;
	}
	for (;;) {
		size_t child = 2 * at;

		if (child < l->nr_timers && l->heap[child]->due_ms < l->heap[child - 1]->due_ms)
			child++;
		if (child > l->nr_timers || l->heap[child - 1]->due_ms >= t->due_ms)
			break;
		place(l, at, l->heap[child - 1]);
		at = child;
	}
	place(l, at, t);
}

int loop_timer_add(struct loop *l, struct loop_timer *t)
{
	if (l->nr_timers == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		struct loop_timer **bigger = reallocarray(l->heap, room, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		l->heap = bigger;
		l->room = room;
	}
	t->due_ms = LOOP_NEVER;
	t->period_ms = 0;
	place(l, ++l->nr_timers, t);
	return 0;
}

static void move_to(struct loop *l, struct loop_timer *t, uint64_t due_ms)
{
	assert(t->at);
	t->due_ms = due_ms;
	sift(l, t);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t due_ms)
{
	t->period_ms = 0;
	move_to(l, t, due_ms);
}

void loop_timer_every(struct loop *l, struct loop_timer *t, uint64_t period_ms)
{
	t->period_ms = period_ms;
	move_to(l, t, loop_now_ms() + period_ms);
}

void loop_timer_remove(struct loop *l, struct loop_timer *t)
{
	struct loop_timer *last;
	size_t at = t->at;

	if (!at)
		return;
	last = l->heap[--l->nr_timers];
	t->at = 0;
	if (last == t)
		return;
	place(l, at, last);
	sift(l, last);
}

static void read_signals(int fd, uint32_t events, void *data)
{
	struct signalfd_siginfo info;
	struct loop *l = data;

	(void)events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		const struct on_signal *on = &l->on_signal[info.ssi_signo];

		if (on->call)
			on->call(on->data);
	}
}

int loop_signal_add(struct loop *l, int signal, loop_fn *call, void *data)
{
	sigset_t caught = l->caught, before;
	int fd, err = 0;

	if (signal <= 0 || signal >= NSIG || sigaddset(&caught, signal) < 0)
		return -EINVAL;
	if (l->on_signal[signal].call)
		return -EEXIST;
	fd = signalfd(l->signals, &caught, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (l->signals < 0) {
		err = loop_fd_add(l, fd, EPOLLIN, read_signals, l);
		if (err < 0) {
			close(fd);
			return err;
		}
	}
	sigprocmask(SIG_BLOCK, &caught, &before);
	if (l->signals < 0)
		l->before = before;
	l->signals = fd;
	l->caught = caught;
	l->on_signal[signal] = (struct on_signal){ call, data };
	return 0;
}

static int timeout_of(const struct loop *l, uint64_t wait_ms)
{
	uint64_t now = loop_now_ms(), left = wait_ms;

	if (l->nr_timers && l->heap[0]->due_ms != LOOP_NEVER) {
		uint64_t due = l->heap[0]->due_ms;

		if (due <= now)
			return 0;
		if (due - now < left)
			left = due - now;
	}
	if (left == LOOP_NEVER)
		return -1;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* Those that were due when the round began: one that sets itself to "at once" waits for the next
 * round, so that descriptors have their turn. */
static void run_timers(struct loop *l, uint64_t now)
{
	for (size_t n = l->nr_timers; n && l->nr_timers && l->heap[0]->due_ms <= now; n--) {
		struct loop_timer *t = l->heap[0];

		if (t->due_ms == LOOP_NEVER)
			return;
		move_to(l, t, t->period_ms ? now + t->period_ms : LOOP_NEVER);
		t->call(t->data);
	}
}

int loop_once(struct loop *l, uint64_t wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(l->epoll, events, EVENTS_MAX, timeout_of(l, wait_ms));

	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n; i++) {
		int fd = (int)(uint32_t)events[i].data.u64;
		const struct slot *s = slot_of(l, fd);

		if (s && s->generation == events[i].data.u64 >> 32)
			s->call(fd, events[i].events, s->data);
	}
	run_timers(l, loop_now_ms());
	return 0;
}

int loop_run(struct loop *l)
{
	int err = 0;

	l->stop = false;
	while (err == 0 && !l->stop)
		err = loop_once(l, LOOP_NEVER);
	return err;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
