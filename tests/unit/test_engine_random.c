// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random streams of events: what must hold whatever happens. The world's kernel is the judge, not
 * the engine's own view. A failure prints the seed; `test_engine_random SEED` runs that one, and
 * RUNS=N in the environment looks at more.
 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_fixture.h"
#include "pm/address.h"

#define RUNS   300
#define STEPS  250
#define TOKENS 6

#define PROBE_MS_MIN 700

static uint64_t seed;
static unsigned int only;
static bool down_by_hand[WORLD_PATHS];
static uint64_t flipped_ms[WORLD_PATHS];
static bool was_bad[WORLD_PATHS];
static bool alive[TOKENS + 1];
static uint32_t token_at_hand;
/* By whom, and when, a silent path was tried again. */
static struct {
	uint32_t token;
	uint64_t at_ms;
} probed[WORLD_PATHS];

static uint32_t roll(uint32_t sides)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % sides;
}

#define MUST(condition) must(condition, #condition, __LINE__)

static unsigned int run;

static void must(bool condition, const char *text, int line)
{
	CU_ASSERT(condition);
	if (!condition)
		printf("\n    seed %u, connection %u, line %d: %s\n", run, token_at_hand, line,
		       text);
}

static bool is_usable(const struct world *w, const struct world_flow *f)
{
	int path = world_path_of(w, &f->at.local);

	return path < 0 || (w->interfaces[path].up && !down_by_hand[path]);
}

static size_t count(const struct world *w, uint32_t token, const struct world_flow *but,
		    bool active)
{
	size_t nr = 0;

	for (size_t i = 0; i < w->nr_flows; i++) {
		const struct world_flow *f = &w->flows[i];

		nr += f != but && f->token == token && f->established && is_usable(w, f) &&
		      (!active || !f->backup);
	}
	return nr;
}

static bool same(const struct pm_address *a, const struct pm_address *b)
{
	struct pm_address x = pm_address_unmapped(a), y = pm_address_unmapped(b);

	return pm_address_equal(&x, &y);
}

static const struct world_flow *find(const struct world *w, const struct pm_request *r)
{
	for (size_t i = 0; i < w->nr_flows; i++)
		if (w->flows[i].token == r->token && w->flows[i].at.local_port == r->local.port &&
		    same(&w->flows[i].at.local, &r->local.address) &&
		    same(&w->flows[i].at.remote, &r->remote.address))
			return &w->flows[i];
	return NULL;
}

static void watch_add(const struct world *w, const struct pm_request *r)
{
	int path = world_path_of(w, &r->local.address);

	MUST(path >= 0 && w->interfaces[path].up && !down_by_hand[path]);
	MUST(r->local.ifindex == w->interfaces[path].ifindex);
	MUST(count(w, r->token, NULL, false) < 1 + w->policy.limits.subflows);
	for (size_t i = 0; i < w->nr_flows; i++) {
		const struct world_flow *f = &w->flows[i];

		MUST(f->token != r->token || !same(&f->at.local, &r->local.address) ||
		     !same(&f->at.remote, &r->remote.address) || !f->established);
	}
}

static void watch_reset(const struct world *w, const struct pm_request *r,
			const struct world_flow *f)
{
	int path = world_path_of(w, &r->local.address);

	MUST(w->policy.reset.emits && w->policy.reset.emit[r->reset_reason].set);
	MUST(w->policy.reset.emit[r->reset_reason].transient == r->reset_transient);
	MUST(f->established && path >= 0 && w->interfaces[path].up);
}

static bool is_bad(const struct world *w, const struct world_flow *f)
{
	int path = world_path_of(w, &f->at.local);

	for (size_t i = 0; i < pm_engine_nr_sources(w->e); i++) {
		struct pm_source_view v;

		pm_engine_source(w->e, i, &v);
		if (v.bad && world_path_of(w, &v.local) == path)
			return true;
	}
	return false;
}

static void watch_delete(const struct world *w, const struct pm_request *r)
{
	const struct world_flow *f = find(w, r);
	bool twin = false;

	MUST(f);
	if (!f)
		return;
	MUST(!f->established || count(w, r->token, f, false) > 0);
	if (r->reset)
		watch_reset(w, r, f);
	for (size_t i = 0; i < w->nr_flows; i++)
		twin |= &w->flows[i] != f && w->flows[i].token == f->token &&
			same(&w->flows[i].at.local, &f->at.local) &&
			same(&w->flows[i].at.remote, &f->at.remote);
	/* A bad path is left at once; that opinions last is for watch_opinions(). */
	if (f->established && is_usable(w, f) && !is_bad(w, f) && !twin &&
	    w->policy.limits.subflows >= 6)
		MUST(w->now - f->since_ms >= WORLD_HOLD_MS);
}

/* One connection a path, and not too often. */
static void watch_probe(const struct world *w, const struct pm_request *r)
{
	int path = world_path_of(w, &r->local.address);
	bool same_time;

	if (path < 0)
		return;
	same_time = probed[path].token == r->token && probed[path].at_ms == w->now;
	MUST(same_time || !probed[path].at_ms || w->now - probed[path].at_ms >= PROBE_MS_MIN);
	probed[path].token = r->token;
	probed[path].at_ms = w->now;
}

static void watch(struct world *w, const struct pm_decision *d)
{
	const struct pm_request *r = &d->request;

	if (d->kind != PM_DECIDE_REQUEST)
		return;
	token_at_hand = r->token;
	MUST(r->token == d->token && r->token && r->token <= TOKENS && alive[r->token]);
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		watch_add(w, r);
		if (d->again)
			watch_probe(w, r);
		break;
	case PM_SUBFLOW_DELETE:
		watch_delete(w, r);
		break;
	case PM_SUBFLOW_BACKUP:
		MUST(find(w, r));
		if (r->local.flags & PM_FLAG_BACKUP)
			MUST(count(w, r->token, find(w, r), true) > 0);
		break;
	case PM_ANNOUNCE:
		MUST(r->local.id != 0);
		break;
	case PM_WITHDRAW:
		break;
	}
}

/* Paths become bad and good again no faster than the mode says. */
static void watch_opinions(const struct world *w)
{
	for (size_t i = 0; i < pm_engine_nr_sources(w->e); i++) {
		struct pm_source_view v;
		int path;

		pm_engine_source(w->e, i, &v);
		path = world_path_of(w, &v.local);
		if (path < 0 || v.bad == was_bad[path])
			continue;
		if (w->interfaces[path].up && flipped_ms[path])
			MUST(v.since_ms - flipped_ms[path] >= WORLD_HOLD_MS);
		was_bad[path] = v.bad;
		if (w->interfaces[path].up)
			flipped_ms[path] = v.since_ms;
	}
}

static void give_snapshot(struct world *w)
{
	struct pm_connections all;
	struct pm_input in = { .kind = PM_INPUT_CONNECTIONS, .connections = &all };

	world_snapshot(w, &all);
	world_input(w, &in);
	pm_connections_clear(&all);
}

static void give_forced(struct world *w, unsigned int path, bool down)
{
	struct pm_input in = { .kind = PM_INPUT_PATH_FORCED };

	in.forced.path = path;
	in.forced.down = down;
	down_by_hand[path] = down;
	world_input(w, &in);
}

static struct pm_event random_event(const struct world *w)
{
	static const uint8_t types[] = { 1, 2, 6, 7, 10, 11, 13, 15, 99 };
	struct pm_event ev = { .type = types[2 + roll(7)], .token = 1 + roll(TOKENS + 2) };

	/* A real subflow for what would contradict the kernel, else anything. */
	if (w->nr_flows &&
	    (ev.type == PM_EVENT_SUB_ESTABLISHED || ev.type == PM_EVENT_SUB_PRIORITY)) {
		const struct world_flow *f = &w->flows[roll((uint32_t)w->nr_flows)];

		ev.type = PM_EVENT_SUB_PRIORITY;
		ev.token = f->token;
		ev.at = f->at;
		ev.backup = roll(2);
		return ev;
	}
	if (ev.type == PM_EVENT_ANNOUNCED || ev.type == PM_EVENT_REMOVED) {
		ev.at.remote = world_address(roll(2) ? "10.9.0.2" : "10.9.0.3");
		ev.at.remote_port = 443;
		ev.remote_id = (uint8_t)roll(4);
		return ev;
	}
	ev.type = PM_EVENT_SUB_CLOSED;
	ev.at.local = world_address("10.0.1.2");
	ev.at.remote = world_address("10.9.9.9");
	return ev;
}

static void step_connection(struct world *w)
{
	static const char *const from[] = { "10.0.1.2", "10.0.2.2", "10.0.3.2", "10.77.0.1" };
	uint32_t token = 1 + roll(TOKENS);
	const char *local = from[roll(4)];
	struct pm_address a = world_address(local);
	int path = world_path_of(w, &a);

	if (alive[token] && roll(3) == 0) {
		alive[token] = false;
		world_close(w, token);
	} else if (!alive[token] && (path < 0 || w->interfaces[path].up)) {
		alive[token] = true;
		world_connect(w, token, local, WORLD_PEER, roll(4) == 0);
	}
}

static void step_flow(struct world *w)
{
	size_t at = w->nr_flows ? roll((uint32_t)w->nr_flows) : 0;
	struct world_flow f;
	size_t others = 0;

	if (!w->nr_flows)
		return;
	f = w->flows[at];
	for (size_t i = 0; i < w->nr_flows; i++)
		others += w->flows[i].token == f.token;
	if (!f.established && roll(2) && is_usable(w, &f))
		world_establish(w, at);
	else if (others > 1)
		world_lose(w, at, (int)roll(9) - 2, roll(2));
}

static void step(struct world *w)
{
	unsigned int path = roll(WORLD_PATHS);
	struct pm_health h = { .srtt_us = roll(1000) * 1000, .rto_us = roll(2000) * 1000 };
	struct pm_event ev;

	switch (roll(12)) {
	case 0:
	case 1:
		step_connection(w);
		break;
	case 2:
		w->interfaces[path].up = roll(3) > 0;
		world_interfaces(w);
		break;
	case 3:
		w->join[path] = (enum world_join)roll(JOIN_FOREIGN);
		break;
	case 4:
	case 5:
	case 6:
		h.loss_permille = (uint16_t)(roll(4) ? 0 : roll(1000));
		h.timeouts = (uint16_t)(roll(3) ? 0 : roll(4));
		h.rate_bps = roll(10) * 1000000ull;
		world_health(w, path, h);
		break;
	case 7:
		step_flow(w);
		break;
	case 8:
		ev = random_event(w);
		world_event(w, &ev);
		break;
	case 9:
		if (roll(4) == 0)
			give_forced(w, path, roll(2));
		break;
	case 10:
		give_snapshot(w);
		break;
	default:
		break;
	}
	watch_opinions(w);
	for (uint32_t ms = roll(1500), part; ms; ms -= part) {
		part = ms < 100 ? ms : 100;
		world_wait(w, part);
		watch_opinions(w);
	}
}

/* All is well for long: each connection has what is wanted, and nothing more is asked for. */
static void check_rest(struct world *w)
{
	struct pm_health good = { .srtt_us = 50000, .rto_us = 250000, .rate_bps = 9000000 };
	size_t before;

	for (unsigned int i = 0; i < WORLD_PATHS; i++) {
		w->join[i] = JOIN_WORKS;
		w->interfaces[i].up = true;
	}
	world_interfaces(w);
	for (unsigned int i = 0; i < WORLD_PATHS; i++)
		give_forced(w, i, false);
	for (size_t i = 0; i < w->nr_flows;) { /* the kernel gives up on them */
		if (w->flows[i].established) {
			i++;
			continue;
		}
		world_lose(w, i, -1, false);
		i = 0; /* which others have gone is the engine's to say */
	}
	for (int n = 0; n < 100; n++) {
		for (unsigned int i = 0; i < WORLD_PATHS; i++)
			world_health(w, i, good);
		world_wait(w, 3000);
	}
	give_snapshot(w);
	before = w->nr_requests;
	give_snapshot(w);
	world_wait(w, 100000);
	MUST(w->nr_requests == before);
	for (uint32_t token = 1; token <= TOKENS; token++) {
		struct pm_connection_view v;
		size_t active = 0;

		token_at_hand = token;
		if (pm_engine_connection(w->e, token, &v) < 0)
			continue;
		for (size_t i = 0; i < v.nr_subflows; i++) {
			size_t s = v.subflows[i].source;

			active += v.subflows[i].established && !v.subflows[i].backup;
			/* The last one stays, wanted or not. */
			if (v.role == PM_ROLE_CLIENT && s != SIZE_MAX && v.nr_subflows > 1)
				MUST(v.wanted[s] != PM_WANT_NONE);
		}
		MUST(active > 0 || v.nr_subflows <= 1); /* one is used in any case */
		free(v.subflows);
	}
}

static void run_one(void)
{
	struct world w;

	seed = run * 7919ull + 1;
	memset(down_by_hand, 0, sizeof(down_by_hand));
	memset(flipped_ms, 0, sizeof(flipped_ms));
	memset(was_bad, 0, sizeof(was_bad));
	memset(alive, 0, sizeof(alive));
	memset(probed, 0, sizeof(probed));
	world_init(&w, (enum policy_mode_kind)(run % WORLD_MODES));
	w.policy.limits.subflows = roll(2) ? 8 : roll(4);
	w.policy.limits.add_addr_accepted = roll(3);
	w.paths[roll(WORLD_PATHS)].use |= roll(2) ? POLICY_ENDPOINT_SIGNAL : 0;
	w.paths[roll(WORLD_PATHS)].use |= roll(3) ? 0 : POLICY_ENDPOINT_FULLMESH;
	w.paths[SAT].backup = (enum policy_tristate)roll(3);
	w.paths[roll(WORLD_PATHS)].trust = (enum policy_trust)roll(3);
	w.policy.reset.emits = run % 2;
	for (unsigned int i = 0; i < POLICY_RESET_REASONS; i++) {
		w.policy.reset.emit[i].set = run / 2 >> i & 1;
		w.policy.reset.emit[i].transient = run >> i & 1;
	}
	w.watch = watch;
	world_start(&w);
	for (int i = 0; i < STEPS; i++)
		step(&w);
	check_rest(&w);
	world_clear(&w);
}

static void test_random(void)
{
	const char *more = getenv("RUNS");
	unsigned int last = more ? (unsigned int)strtoul(more, NULL, 10) : RUNS;

	for (run = only ? only : 1; run <= (only ? only : last); run++) {
		run_one();
		if (CU_get_number_of_failure_records() > 5)
			return;
	}
}

int main(int argc, char **argv)
{
	unsigned int failed;
	CU_pSuite suite;

	only = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
	CU_initialize_registry();
	suite = CU_add_suite("engine at random", NULL, NULL);
	CU_add_test(suite, "what always holds", test_random);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
