// SPDX-License-Identifier: GPL-2.0-only
/* Ten thousand connections: memory and time of a decision; and what happens without memory. */
#include <CUnit/Basic.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine_fixture.h"

#define NR	       10000
#define BYTES_MAX      300
#define BASE_MAX       (10 << 20)
#define ALLOC_OVERHEAD 8

/* The linker sends the engine's allocations here (Makefile). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__real_reallocarray(void *p, size_t nr, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_reallocarray(void *p, size_t nr, size_t size);
void __wrap_free(void *p);

static size_t allocated;  /* bytes, with the allocator's own */
static unsigned int left; /* allocations until one fails; 0: none does */
static unsigned int nr_failed;

static bool fails(void)
{
	if (!left || --left)
		return false;
	nr_failed++;
	return true;
}

/* Each block remembers its size before itself. */
static void *keep(size_t *block, size_t size)
{
	if (!block)
		return NULL;
	*block = size;
	allocated += (size + ALLOC_OVERHEAD + 15) / 16 * 16;
	return block + 2;
}

static void forget(const void *p)
{
	if (p)
		allocated -= (((const size_t *)p)[-2] + ALLOC_OVERHEAD + 15) / 16 * 16;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : keep(__real_malloc(size + 16), size);
}

void *__wrap_calloc(size_t nr, size_t size)
{
	return fails() ? NULL : keep(__real_calloc(1, nr * size + 16), nr * size);
}

void *__wrap_reallocarray(void *p, size_t nr, size_t size)
{
	size_t *block;

	if (fails())
		return NULL;
	block = __real_reallocarray(p ? (size_t *)p - 2 : NULL, 1, nr * size + 16);
	if (!block)
		return NULL;
	if (p)
		forget(block + 2);
	return keep(block, nr * size);
}

void __wrap_free(void *p)
{
	forget(p);
	__real_free(p ? (size_t *)p - 2 : NULL);
}

static struct pm_event event_of(enum pm_event_type type, uint32_t token, const char *local,
				uint16_t port)
{
	struct pm_event ev = { .type = (uint8_t)type, .token = token };

	ev.at.local = world_address(local);
	ev.at.remote = world_address(WORLD_PEER);
	ev.at.local_port = port;
	ev.at.remote_port = 443;
	return ev;
}

static int give(struct world *w, const struct pm_event *ev, struct pm_decisions *out)
{
	struct pm_input in = { .kind = PM_INPUT_EVENT, .event = ev };

	return pm_engine_input(w->e, &in, w->now, out);
}

static int connect_one(struct world *w, uint32_t token, struct pm_decisions *out)
{
	struct pm_event ev = event_of(PM_EVENT_CREATED, token, "10.0.1.2", (uint16_t)token);
	int rc = give(w, &ev, out);

	ev.type = PM_EVENT_ESTABLISHED;
	if (rc == 0)
		rc = give(w, &ev, out);
	ev = event_of(PM_EVENT_SUB_ESTABLISHED, token, "10.0.2.2", (uint16_t)token);
	return rc < 0 ? rc : give(w, &ev, out);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int interfaces(struct world *w, struct pm_decisions *out)
{
	struct pm_input in = { .kind = PM_INPUT_INTERFACES };

	in.interfaces.items = w->interfaces;
	in.interfaces.nr = WORLD_PATHS;
	return pm_engine_input(w->e, &in, w->now, out);
}

static void test_ten_thousand(void)
{
	struct pm_decisions out = { 0 };
	size_t base, before = allocated;
	struct pm_event ev;
	struct world w;
	double start;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.rules[0] = (struct policy_rule){ .cgroup = (char *)"/backup", .paths = UINT32_MAX };
	w.policy.nr_rules = 1;
	world_start(&w);
	base = allocated - before;
	start = now_s();
	for (uint32_t token = 1; token <= NR; token++) {
		struct pm_identity id = { .token = token, .cgroup = "/user.slice/a-long.scope" };
		struct pm_input in = { .kind = PM_INPUT_IDENTITY, .identity = &id };

		ev = event_of(PM_EVENT_CREATED, token, "10.0.1.2", (uint16_t)token);
		give(&w, &ev, &out);
		ev.type = PM_EVENT_ESTABLISHED;
		give(&w, &ev, &out);
		pm_engine_input(w.e, &in, w.now, &out);
		ev = event_of(PM_EVENT_SUB_ESTABLISHED, token, "10.0.2.2", (uint16_t)token);
		give(&w, &ev, &out);
		pm_decisions_clear(&out);
	}
	printf("\n    10,000 connections made in %.1f ms\n", (now_s() - start) * 1e3);
	CU_ASSERT_EQUAL(pm_engine_nr_connections(w.e), NR);
	printf("    base %zu KiB, %zu bytes a connection of two subflows\n", base / 1024,
	       (allocated - before - base) / NR);
	CU_ASSERT(base <= BASE_MAX);
	CU_ASSERT((allocated - before - base) / NR <= BYTES_MAX);

	w.interfaces[WIFI].up = false;
	start = now_s();
	CU_ASSERT_EQUAL(interfaces(&w, &out), 0);
	printf("    interface down: %zu decisions in %.1f ms\n", out.nr, (now_s() - start) * 1e3);
	CU_ASSERT_EQUAL(out.nr, 2 * NR); /* withdrawn and deleted */
	pm_decisions_clear(&out);

	start = now_s();
	for (uint32_t token = 1; token <= NR; token++) {
		ev = event_of(PM_EVENT_SUB_CLOSED, token, "10.0.1.2", (uint16_t)token);
		give(&w, &ev, &out);
	}
	printf("    10,000 events in %.1f ms\n", (now_s() - start) * 1e3);
	CU_ASSERT_EQUAL(out.nr, 0);
	world_clear(&w);
	CU_ASSERT_EQUAL(allocated, before);
}

/* More than a batch of one connection: the rest is due at once, and comes. */
static void test_batches(void)
{
	struct pm_address many[20];
	struct pm_decisions out = { 0 };
	struct world w;
	size_t nr = 0;

	world_init(&w, POLICY_MODE_AGGREGATE);
	w.policy.limits.subflows = 30;
	for (unsigned int i = 0; i < 20; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.8.0.%u", i + 1);
		many[i] = world_address(text);
	}
	w.interfaces[LTE].addresses = many;
	w.interfaces[LTE].nr_addresses = 20;
	world_start(&w);
	CU_ASSERT_EQUAL(connect_one(&w, 1, &out), 0);
	CU_ASSERT_EQUAL(pm_engine_due(w.e), w.now + 1);
	while (pm_engine_due(w.e) == w.now + 1) {
		struct pm_input in = { .kind = PM_INPUT_TICK };

		nr += out.nr;
		pm_decisions_clear(&out);
		w.now++;
		CU_ASSERT_EQUAL(pm_engine_input(w.e, &in, w.now, &out), 0);
		CU_ASSERT(out.nr <= PM_SUBFLOWS_PER_BATCH);
	}
	CU_ASSERT_EQUAL(nr + out.nr, 20);
	pm_decisions_clear(&out);
	world_clear(&w);
}

/* The n-th allocation fails: nothing is told, and a snapshot later all is as if it had not. */
static void check_without_memory(unsigned int n)
{
	struct pm_decisions out = { 0 };
	struct pm_connections all = { 0 };
	struct pm_input in = { .kind = PM_INPUT_CONNECTIONS, .connections = &all };
	struct world w;
	int rc;

	world_init(&w, POLICY_MODE_AGGREGATE);
	left = n;
	w.e = pm_engine_new(&w.policy);
	if (!w.e) {
		left = 0;
		return;
	}
	rc = interfaces(&w, &out);
	for (uint32_t token = 1; rc == 0 && token <= 3; token++)
		rc = connect_one(&w, token, &out);
	if (rc == 0) {
		w.interfaces[CABLE].up = true;
		rc = interfaces(&w, &out);
	}
	left = 0;
	CU_ASSERT(rc == 0 || rc == -ENOMEM);
	for (size_t i = 0; i < out.nr; i++)
		CU_ASSERT(out.items[i].kind != PM_DECIDE_REQUEST || out.items[i].reason[0]);
	pm_decisions_clear(&out);
	if (rc < 0) {
		/* What the kernel has: three connections with their first subflow. */
		for (uint32_t token = 1; token <= 3; token++) {
			struct world_flow f = { .token = token, .established = true };
			struct pm_event ev =
				event_of(PM_EVENT_CREATED, token, "10.0.1.2", (uint16_t)token);

			f.at = ev.at;
			w.flows[w.nr_flows++] = f;
		}
		world_interfaces(&w);
		world_snapshot(&w, &all);
		world_input(&w, &in);
		world_wait(&w, 500);
		CU_ASSERT_EQUAL(pm_engine_nr_connections(w.e), 3);
		for (uint32_t token = 1; token <= 3; token++) {
			struct pm_connection_view v;

			CU_ASSERT_EQUAL_FATAL(pm_engine_connection(w.e, token, &v), 0);
			CU_ASSERT_EQUAL(v.nr_subflows, 2u + w.interfaces[CABLE].up);
			for (size_t i = 0; i < v.nr_subflows; i++)
				CU_ASSERT(v.subflows[i].established);
			free(v.subflows);
		}
		pm_connections_clear(&all);
	}
	world_clear(&w);
}

static void test_without_memory(void)
{
	size_t before = allocated;

	for (unsigned int n = 1; n < 200; n++) {
		check_without_memory(n);
		CU_ASSERT_EQUAL(allocated, before);
	}
	printf("\n    %u allocations failed\n", nr_failed);
	CU_ASSERT(nr_failed > 10);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("engine at scale", NULL, NULL);
	CU_add_test(suite, "10,000 connections", test_ten_thousand);
	CU_add_test(suite, "batches", test_batches);
	CU_add_test(suite, "without memory", test_without_memory);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
