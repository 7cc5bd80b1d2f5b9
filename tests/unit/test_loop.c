// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: descriptors, timers, signals, and changes from within callbacks. */
#include "util/loop.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/cleanup.h"

#define TIMERS 200

struct world {
	struct loop *l;
	int pipes[2][2];
	int calls;
	struct loop_timer timer;
};

static void open_world(struct world *w)
{
	*w = (struct world){ .l = loop_new() };
	CU_ASSERT_PTR_NOT_NULL_FATAL(w->l);
	for (int i = 0; i < 2; i++)
		CU_ASSERT_FATAL(pipe2(w->pipes[i], O_CLOEXEC | O_NONBLOCK) == 0);
}

static void close_world(struct world *w)
{
	loop_free(&w->l);
	loop_free(&w->l);
	for (int i = 0; i < 4; i++)
		close(w->pipes[i / 2][i % 2]);
}

static void fill(const struct world *w, int i)
{
	CU_ASSERT(write(w->pipes[i][1], "x", 1) == 1);
}

static void drain(int fd, uint32_t events, void *data)
{
	struct world *w = data;
	char c;

	w->calls++;
	CU_ASSERT(events & EPOLLIN);
	CU_ASSERT(read(fd, &c, 1) == 1);
}

static void test_descriptors(void)
{
	struct world w;

	open_world(&w);
	CU_ASSERT_EQUAL(loop_fd_add(w.l, w.pipes[0][0], EPOLLIN, drain, &w), 0);
	CU_ASSERT_EQUAL(loop_fd_add(w.l, w.pipes[0][0], EPOLLIN, drain, &w), -EEXIST);
	CU_ASSERT_EQUAL(loop_fd_add(w.l, -1, EPOLLIN, drain, &w), -EBADF);
	CU_ASSERT_EQUAL(loop_fd_change(w.l, w.pipes[1][0], EPOLLIN), -ENOENT);
	CU_ASSERT_EQUAL(loop_once(w.l, 0), 0);
	CU_ASSERT_EQUAL(w.calls, 0);
	fill(&w, 0);
	CU_ASSERT_EQUAL(loop_fd_change(w.l, w.pipes[0][0], 0), 0);
	CU_ASSERT_EQUAL(loop_once(w.l, 0), 0);
	CU_ASSERT_EQUAL(w.calls, 0);
	CU_ASSERT_EQUAL(loop_fd_change(w.l, w.pipes[0][0], EPOLLIN), 0);
	CU_ASSERT_EQUAL(loop_once(w.l, LOOP_NEVER), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	loop_fd_remove(w.l, w.pipes[0][0]);
	loop_fd_remove(w.l, w.pipes[0][0]);
	fill(&w, 0);
	CU_ASSERT_EQUAL(loop_once(w.l, 0), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	close_world(&w);
}

/* Both are ready; whichever comes first closes the other and opens another pipe, which gets the
 * same numbers and has nothing to read. */
static void replace_other(int fd, uint32_t events, void *data)
{
	struct world *w = data;
	int other = fd == w->pipes[0][0], *p = w->pipes[other];
	int before = p[0];

	(void)events;
	w->calls++;
	loop_fd_remove(w->l, fd);
	loop_fd_remove(w->l, before);
	close(p[0]);
	close(p[1]);
	CU_ASSERT_FATAL(pipe2(p, O_CLOEXEC | O_NONBLOCK) == 0);
	CU_ASSERT_EQUAL(p[0], before);
	CU_ASSERT_EQUAL(loop_fd_add(w->l, p[0], EPOLLIN, drain, w), 0);
}

static void test_descriptor_used_again(void)
{
	struct world w;

	open_world(&w);
	for (int i = 0; i < 2; i++) {
		fill(&w, i);
		CU_ASSERT_EQUAL(loop_fd_add(w.l, w.pipes[i][0], EPOLLIN, replace_other, &w), 0);
	}
	CU_ASSERT_EQUAL(loop_once(w.l, LOOP_NEVER), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	CU_ASSERT_EQUAL(loop_once(w.l, 0), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	close_world(&w);
}

static void count(void *data)
{
	((struct world *)data)->calls++;
}

static void count_and_stop(void *data)
{
	count(data);
	loop_stop(((struct world *)data)->l);
}

static void test_timer_once(void)
{
	uint64_t before = loop_now_ms();
	struct world w;

	open_world(&w);
	w.timer = (struct loop_timer){ .call = count_and_stop, .data = &w };
	CU_ASSERT_EQUAL(loop_timer_add(w.l, &w.timer), 0);
	loop_timer_set(w.l, &w.timer, before + 20);
	CU_ASSERT_EQUAL(loop_once(w.l, 0), 0);
	CU_ASSERT_EQUAL(w.calls, 0);
	CU_ASSERT_EQUAL(loop_run(w.l), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	CU_ASSERT(loop_now_ms() >= before + 20);
	CU_ASSERT_EQUAL(w.timer.due_ms, LOOP_NEVER);
	loop_timer_set(w.l, &w.timer, 0);
	loop_timer_set(w.l, &w.timer, LOOP_NEVER);
	CU_ASSERT_EQUAL(loop_once(w.l, 0), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	loop_timer_remove(w.l, &w.timer);
	loop_timer_remove(w.l, &w.timer);
	close_world(&w);
}

static void test_timer_every(void)
{
	uint64_t before = loop_now_ms();
	struct world w;

	open_world(&w);
	w.timer = (struct loop_timer){ .call = count, .data = &w };
	CU_ASSERT_EQUAL(loop_timer_add(w.l, &w.timer), 0);
	loop_timer_every(w.l, &w.timer, 5);
	while (w.calls < 4)
		CU_ASSERT_EQUAL_FATAL(loop_once(w.l, LOOP_NEVER), 0);
	CU_ASSERT(loop_now_ms() >= before + 20);
	close_world(&w);
}

/* One that is always due must not keep descriptors from being served. */
static void again_at_once(void *data)
{
	struct world *w = data;

	w->calls++;
	loop_timer_set(w->l, &w->timer, 0);
}

static void test_timer_at_once(void)
{
	struct world w;

	open_world(&w);
	w.timer = (struct loop_timer){ .call = again_at_once, .data = &w };
	CU_ASSERT_EQUAL(loop_timer_add(w.l, &w.timer), 0);
	loop_timer_set(w.l, &w.timer, 0);
	CU_ASSERT_EQUAL(loop_once(w.l, LOOP_NEVER), 0);
	CU_ASSERT_EQUAL(w.calls, 1);
	close_world(&w);
}

static uint64_t last_due;
static int nr_fired;

static void in_order(void *data)
{
	uint64_t due = *(uint64_t *)data;

	CU_ASSERT(due >= last_due);
	last_due = due;
	nr_fired++;
}

static void test_heap(void)
{
	static struct loop_timer timers[TIMERS];
	static uint64_t due[TIMERS];
	_cleanup_(loop_free) struct loop *l = loop_new();
	int removed = 0;

	srandom(4);
	last_due = 0;
	nr_fired = 0;
	for (int i = 0; i < TIMERS; i++) {
		timers[i] = (struct loop_timer){ .call = in_order, .data = &due[i] };
		CU_ASSERT_EQUAL(loop_timer_add(l, &timers[i]), 0);
	}
	for (int i = 0; i < 20 * TIMERS; i++) {
		int n = (int)(random() % TIMERS);

		if (!timers[n].at)
			continue;
		due[n] = (uint64_t)random() % 1000;
		loop_timer_set(l, &timers[n], due[n]);
		if (i % 100 == 0) {
			loop_timer_remove(l, &timers[n]);
			removed++;
		}
	}
	CU_ASSERT(removed > 20);
	for (int i = 0; i < TIMERS; i++)
		if (timers[i].at && timers[i].due_ms == LOOP_NEVER)
			loop_timer_set(l, &timers[i], due[i] = 0);
	CU_ASSERT_EQUAL(loop_once(l, 0), 0);
	CU_ASSERT_EQUAL(nr_fired, TIMERS - removed);
}

static void test_signals(void)
{
	sigset_t blocked;
	struct world w;

	open_world(&w);
	CU_ASSERT_EQUAL(loop_signal_add(w.l, SIGUSR1, count, &w), 0);
	CU_ASSERT_EQUAL(loop_signal_add(w.l, SIGUSR2, count_and_stop, &w), 0);
	CU_ASSERT_EQUAL(loop_signal_add(w.l, SIGUSR2, count, &w), -EEXIST);
	CU_ASSERT_EQUAL(loop_signal_add(w.l, 0, count, &w), -EINVAL);
	CU_ASSERT_EQUAL(loop_signal_add(w.l, NSIG, count, &w), -EINVAL);
	raise(SIGUSR1);
	raise(SIGUSR2);
	CU_ASSERT_EQUAL(loop_run(w.l), 0);
	CU_ASSERT_EQUAL(w.calls, 2);
	close_world(&w);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	CU_ASSERT_FALSE(sigismember(&blocked, SIGUSR1));
	CU_ASSERT_FALSE(sigismember(&blocked, SIGUSR2));
}

int main(void)
{
	CU_pSuite s;
	unsigned int failures;

	CU_initialize_registry();
	s = CU_add_suite("loop", NULL, NULL);
	CU_add_test(s, "descriptors", test_descriptors);
	CU_add_test(s, "a descriptor's number is used again", test_descriptor_used_again);
	CU_add_test(s, "a timer, once", test_timer_once);
	CU_add_test(s, "a timer, again and again", test_timer_every);
	CU_add_test(s, "a timer that is always due", test_timer_at_once);
	CU_add_test(s, "many timers", test_heap);
	CU_add_test(s, "signals", test_signals);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}
