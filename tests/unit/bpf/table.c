// SPDX-License-Identifier: GPL-2.0-only
/* Running tables of decisions under CUnit. */
#include "table.h"

#include <stdio.h>

static void table_path(struct fake_conn *c, const struct table_path *t)
{
	struct fake_path *p = fake_path_add(c, t->id, t->rtt_ms * 1000);
	struct mptcp_bpf_path *v = &p->view;

	p->closed = t->closed;
	if (t->var_ms)
		v->rttvar_us = t->var_ms * 1000;
	if (t->cwnd || t->zero_cwnd)
		v->cwnd = t->cwnd;
	v->in_flight = t->in_flight;
	v->queued_bytes = t->queued;
	v->flags |= t->flags;
	if (t->no_memory)
		v->flags &= ~(__u32)MPTCP_PATH_MEMORY;
	v->timeouts = t->timeouts;
	v->stuck_us = t->stuck_ms * 1000;
}

void table_conn(struct fake_conn *c, const struct table_row *row)
{
	static __u32 token;

	fake_conn_init(c);
	c->head.token = ++token;
	c->head.unsent_bytes = row->unsent;
	c->head.unacked_bytes = row->unacked;
	c->head.sent_bytes = row->sent;
	c->head.reinjected_bytes = row->reinjected;
	if (row->window)
		c->head.window_bytes = row->window;
	for (size_t i = 0; i < TABLE_PATHS && row->path[i].id; i++)
		table_path(c, &row->path[i]);
}

static bool as_wanted(const struct table_row *row, const struct fake_decision *d)
{
	if (d->id != row->want || d->nr != !!row->want || !d->err != !!row->want || d->refused)
		return false;
	return d->reason == row->reason && (!row->timer_us || d->timer_us == row->timer_us);
}

void table_run(struct fake_sched *s, const struct table_row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct fake_decision d;
		struct fake_conn c;

		table_conn(&c, &rows[i]);
		d = rows[i].retrans ? fake_get_retrans(s, &c) : fake_get_send(s, &c);
		if (as_wanted(&rows[i], &d))
			continue;
		printf("\n    row '%s': subflow %u instead of %u, reason %u (%u), timer %u (%u), "
		       "error %d, refused %u\n",
		       rows[i].name, d.id, rows[i].want, d.reason, rows[i].reason, d.timer_us,
		       rows[i].timer_us, d.err, d.refused);
		CU_FAIL("a decision differs from its row");
	}
	CU_PASS("the rows were run");
}

void table_run_defaults(const char *scheduler, const struct table_row *rows, size_t nr)
{
	struct fake_sched *s = fake_sched_open(scheduler);

	table_run(s, rows, nr);
	fake_sched_close(s);
}

int table_main(const char *suite, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = { { suite, NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
