// SPDX-License-Identifier: GPL-2.0-only
/* Planning and rollback order: tables of kernel state and policy against actions. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "pm/address.h"
#include "pm/engine_choose.h"
#include "pm/execute.h"
#include "pm/fastopen.h"
#include "pm/pm.h"

/* A world with wlan0 (2) 10.0.1.2, wwan0 (3) 10.0.2.2 and fd00::2, eth0 (4) down. */
struct world {
	struct pm_address wifi[1], lte[2], cable[1];
	struct pm_interface interfaces[3];
	struct pm_endpoint endpoints[8];
	struct pm_kernel kernel;
	struct policy_path paths[3];
	struct policy_mode modes[POLICY_MODE_TARGET + 1];
	struct policy policy;
};

static struct pm_address address(const char *text)
{
	struct pm_address a = { 0 };

	pm_address_parse(text, &a);
	return a;
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->wifi[0] = address("10.0.1.2");
	w->lte[0] = address("10.0.2.2");
	w->lte[1] = address("fd00::2");
	w->cable[0] = address("10.0.3.2");
	w->interfaces[0] = (struct pm_interface){ .ifindex = 2,
						  .name = "wlan0",
						  .up = true,
						  .type = POLICY_LINK_WIFI,
						  .addresses = w->wifi,
						  .nr_addresses = 1 };
	w->interfaces[1] = (struct pm_interface){ .ifindex = 3,
						  .name = "wwan0",
						  .up = true,
						  .type = POLICY_LINK_CELLULAR,
						  .addresses = w->lte,
						  .nr_addresses = 2 };
	w->interfaces[2] = (struct pm_interface){ .ifindex = 4,
						  .name = "eth0",
						  .type = POLICY_LINK_ETHERNET,
						  .addresses = w->cable,
						  .nr_addresses = 1 };
	w->kernel = (struct pm_kernel){ .endpoints = w->endpoints,
					.interfaces = w->interfaces,
					.nr_interfaces = 3,
					.limits = { 2, 0 },
					.scheduler = "default",
					.enabled = true,
					.available_schedulers = "default minrtt" };
	w->paths[0] = (struct policy_path){
		.name = "wifi", .type = POLICY_LINK_WIFI, .cost = 1, .use = POLICY_ENDPOINT_SUBFLOW
	};
	w->paths[1] = (struct policy_path){ .name = "lte",
					    .interface = (char *)"wwan*",
					    .cost = 10,
					    .use = POLICY_ENDPOINT_SUBFLOW };
	for (size_t i = 0; i <= POLICY_MODE_TARGET; i++)
		w->modes[i] = *policy_mode_builtin((enum policy_mode_kind)i);
	w->policy = (struct policy){ .name = "test",
				     .paths = w->paths,
				     .nr_paths = 2,
				     .rule_paths = UINT32_MAX,
				     .modes = w->modes };
}

static void set_mode(struct world *w, enum policy_mode_kind mode)
{
	w->policy.mode = mode;
	w->policy.mode_index = mode;
}

/* Carries the plan out on the model, so that planning again shows whether it converges. */
static void world_apply(struct world *w, const struct pm_plan *plan)
{
	struct pm_kernel *k = &w->kernel;

	for (size_t i = 0; i < plan->nr_actions; i++) {
		const struct pm_action *a = &plan->actions[i];
		size_t n = 0;

		while (n < k->nr_endpoints && k->endpoints[n].id != a->endpoint.id)
			n++;
		switch (a->kind) {
		case PM_ADD_ENDPOINT:
			k->endpoints[k->nr_endpoints] = a->endpoint;
			k->endpoints[k->nr_endpoints].id = (uint8_t)(100 + k->nr_endpoints);
			k->nr_endpoints++;
			break;
		case PM_DELETE_ENDPOINT:
			memmove(&k->endpoints[n], &k->endpoints[n + 1],
				(--k->nr_endpoints - n) * sizeof(k->endpoints[0]));
			break;
		case PM_CHANGE_ENDPOINT:
			k->endpoints[n] = a->endpoint;
			break;
		case PM_SET_LIMITS:
			k->limits = a->limits;
			break;
		case PM_SET_SCHEDULER:
			strcpy(k->scheduler, a->scheduler);
			break;
		case PM_SET_SYN_RETRIES:
			k->syn_retries = a->syn_retries;
			break;
		case PM_SET_FASTOPEN:
			k->fastopen = a->fastopen;
			break;
		case PM_SET_MANAGER:
			strcpy(k->manager, a->manager);
			break;
		}
	}
}

/* "+10.0.1.2/2 -..." : sign, address, flags; L, S, R, F and M for limits, scheduler, retries, data
 * in the SYN and manager. */
static void summary(const struct pm_plan *plan, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	out[0] = '\0';
	for (size_t i = 0; i < plan->nr_actions; i++) {
		const struct pm_action *a = &plan->actions[i];
		size_t used = strlen(out);
		const char *gap = used ? " " : "";

		if (a->kind == PM_SET_LIMITS)
			snprintf(out + used, size - used, "%sL%u,%u", gap, a->limits.subflows,
				 a->limits.add_addr_accepted);
		else if (a->kind == PM_SET_SCHEDULER)
			snprintf(out + used, size - used, "%sS%s", gap, a->scheduler);
		else if (a->kind == PM_SET_SYN_RETRIES)
			snprintf(out + used, size - used, "%sR%d", gap, a->syn_retries);
		else if (a->kind == PM_SET_FASTOPEN)
			snprintf(out + used, size - used, "%sF%x", gap, (unsigned int)a->fastopen);
		else if (a->kind == PM_SET_MANAGER)
			snprintf(out + used, size - used, "%sM%s", gap, a->manager);
		else
			snprintf(out + used, size - used, "%s%c%s/%u", gap, "+-~"[a->kind],
				 pm_address_text(&a->endpoint.address, text), a -> endpoint.flags);
	}
}

static void expect_as(struct world *w, const struct policy *policy,
		      const struct pm_plan_options *options, const char *want)
{
	struct pm_plan plan = { 0 };
	char got[512];

	CU_ASSERT_EQUAL(pm_plan_make_as(policy, &w->kernel, options, &plan, NULL), 0);
	summary(&plan, got, sizeof(got));
	if (strcmp(got, want) != 0)
		printf("\n  got  %s\n  want %s\n", got, want);
	CU_ASSERT_STRING_EQUAL(got, want);
	world_apply(w, &plan);
	pm_plan_clear(&plan);
	CU_ASSERT_EQUAL(pm_plan_make_as(policy, &w->kernel, options, &plan, NULL), 0);
	CU_ASSERT_EQUAL(plan.nr_actions, 0);
	pm_plan_clear(&plan);
}

static void expect(struct world *w, const struct policy *policy, bool force, const char *want)
{
	const struct pm_plan_options options = { .force = force };

	expect_as(w, policy, &options, want);
}

static size_t notices(struct world *w, enum pm_notice_kind kind)
{
	struct pm_plan plan = { 0 };
	size_t nr = 0;

	CU_ASSERT_EQUAL(pm_plan_make(&w->policy, &w->kernel, false, &plan, NULL), 0);
	for (size_t i = 0; i < plan.nr_notices; i++)
		nr += plan.notices[i].kind == kind;
	pm_plan_clear(&plan);
	return nr;
}

static void endpoint(struct world *w, const char *text, int ifindex, uint32_t flags, bool owned)
{
	struct pm_kernel *k = &w->kernel;

	k->endpoints[k->nr_endpoints] = (struct pm_endpoint){ .id = (uint8_t)(k->nr_endpoints + 1),
							      .flags = flags,
							      .ifindex = ifindex,
							      .address = address(text),
							      .owned = owned };
	k->nr_endpoints++;
}

static void test_modes(void)
{
	static const struct {
		enum policy_mode_kind mode;
		enum policy_tristate wifi, lte;
		const char *want;
	} table[] = {
		{ POLICY_MODE_HANDOVER, POLICY_UNSET, POLICY_UNSET,
		  "+10.0.1.2/2 +10.0.2.2/6 +fd00::2/6" },
		{ POLICY_MODE_HANDOVER, POLICY_UNSET, POLICY_NO,
		  "+10.0.1.2/2 +10.0.2.2/2 +fd00::2/2" },
		{ POLICY_MODE_AGGREGATE, POLICY_UNSET, POLICY_UNSET,
		  "+10.0.1.2/2 +10.0.2.2/2 +fd00::2/2" },
		{ POLICY_MODE_AGGREGATE, POLICY_YES, POLICY_UNSET,
		  "+10.0.1.2/6 +10.0.2.2/2 +fd00::2/2" },
		{ POLICY_MODE_ACTIVE_STANDBY, POLICY_UNSET, POLICY_UNSET,
		  "+10.0.1.2/2 +10.0.2.2/6 +fd00::2/6" },
		{ POLICY_MODE_ACTIVE_STANDBY, POLICY_YES, POLICY_UNSET,
		  "+10.0.1.2/6 +10.0.2.2/2 +fd00::2/2" },
		{ POLICY_MODE_LOAD_BALANCE, POLICY_UNSET, POLICY_UNSET,
		  "+10.0.1.2/2 +10.0.2.2/2 +fd00::2/2" },
		{ POLICY_MODE_REDUNDANT, POLICY_UNSET, POLICY_YES,
		  "+10.0.1.2/2 +10.0.2.2/6 +fd00::2/6" },
		{ POLICY_MODE_TARGET, POLICY_UNSET, POLICY_UNSET,
		  "+10.0.1.2/2 +10.0.2.2/6 +fd00::2/6" },
		{ POLICY_MODE_CHEAPEST, POLICY_UNSET, POLICY_UNSET, "+10.0.1.2/2" },
		{ POLICY_MODE_CHEAPEST, POLICY_UNSET, POLICY_NO, "+10.0.1.2/2" },
		{ POLICY_MODE_CHEAPEST, POLICY_YES, POLICY_UNSET,
		  "+10.0.1.2/6 +10.0.2.2/2 +fd00::2/2" },
		/* The daemon opens subflows. */
		{ POLICY_MODE_INTERACTIVE, POLICY_UNSET, POLICY_UNSET, "" },
		{ POLICY_MODE_PURE_HANDOVER, POLICY_UNSET, POLICY_UNSET, "" },
		{ POLICY_MODE_SMALLEST_DELAY, POLICY_UNSET, POLICY_UNSET, "" },
		{ POLICY_MODE_PRIORITY, POLICY_UNSET, POLICY_NO, "" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct world w;

		world_init(&w);
		set_mode(&w, table[i].mode);
		w.paths[0].backup = table[i].wifi;
		w.paths[1].backup = table[i].lte;
		expect(&w, &w.policy, false, table[i].want);
	}
}

static void test_standby_takes_what_is_present(void)
{
	struct world w;

	world_init(&w);
	set_mode(&w, POLICY_MODE_ACTIVE_STANDBY);
	w.interfaces[0].up = false;
	expect(&w, &w.policy, false, "+10.0.2.2/2 +fd00::2/2");
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_PATH_ABSENT), 1);
	w.interfaces[0].up = true;
	expect(&w, &w.policy, false, "~10.0.2.2/6 ~fd00::2/6 +10.0.1.2/2");
}

static void test_cheapest_takes_what_is_present(void)
{
	struct world w;

	world_init(&w);
	set_mode(&w, POLICY_MODE_CHEAPEST);
	w.interfaces[0].up = false;
	expect(&w, &w.policy, false, "+10.0.2.2/2 +fd00::2/2");
	w.interfaces[0].up = true;
	expect(&w, &w.policy, false, "-10.0.2.2/2 -fd00::2/2 +10.0.1.2/2");
}

/* Without the paths that the default rule leaves out, the others are ranked. */
static void test_paths_of_the_default_rule(void)
{
	struct world w;

	world_init(&w);
	w.policy.rule_paths = 1 << 1;
	expect(&w, &w.policy, false, "+10.0.2.2/2 +fd00::2/2");
	set_mode(&w, POLICY_MODE_ACTIVE_STANDBY);
	expect(&w, &w.policy, false, "");
	w.policy.rule_paths = 1;
	expect(&w, &w.policy, false, "-10.0.2.2/2 -fd00::2/2 +10.0.1.2/2");
}

/* Who would close it again? */
static void test_schedule_without_daemon(void)
{
	const enum pm_wanted wanted[] = { PM_WANT_ACTIVE, PM_WANT_ACTIVE };
	const struct pm_plan_options options = { .wanted = wanted };
	struct world w;

	world_init(&w);
	w.paths[0].when.days = 0x7f;
	set_mode(&w, POLICY_MODE_ACTIVE_STANDBY);
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_DAEMON), 1);
	expect(&w, &w.policy, false, "+10.0.2.2/2 +fd00::2/2");
	expect_as(&w, &w.policy, &options, "+10.0.1.2/2");
}

/* The engine speaks of paths; of one path's interfaces still only one is active. */
static void test_standby_of_one_path(void)
{
	const enum pm_wanted wanted[] = { PM_WANT_ACTIVE, PM_WANT_BACKUP };
	const struct pm_plan_options options = { .wanted = wanted };
	struct world w;

	world_init(&w);
	set_mode(&w, POLICY_MODE_ACTIVE_STANDBY);
	w.paths[0].type = POLICY_LINK_ANY;
	expect_as(&w, &w.policy, &options, "+10.0.1.2/2 +10.0.2.2/6 +fd00::2/6");
}

/* Endpoints go when the daemon takes over; what endpoints cannot do is refused when asked for. */
static void test_engines(void)
{
	struct pm_plan plan = { 0 };
	struct error e = { 0 };
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_DAEMON), 0);
	endpoint(&w, "10.0.1.2", 2, PM_FLAG_SUBFLOW, true);
	set_mode(&w, POLICY_MODE_INTERACTIVE);
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_DAEMON), 1);
	expect(&w, &w.policy, false, "-10.0.1.2/2");
	w.policy.engine = POLICY_ENGINE_KERNEL;
	CU_ASSERT_EQUAL(pm_plan_make(&w.policy, &w.kernel, false, &plan, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "engine kernel cannot do what the default rule asks: mode "
				       "interactive leaves a path by its figures");
	set_mode(&w, POLICY_MODE_AGGREGATE);
	expect(&w, &w.policy, false, "+10.0.1.2/2 +10.0.2.2/2 +fd00::2/2");
	w.policy.engine = POLICY_ENGINE_USERSPACE;
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_DAEMON), 1);
	expect(&w, &w.policy, false, "-10.0.1.2/2 -10.0.2.2/2 -fd00::2/2");
}

static void test_first_match_wins(void)
{
	struct world w;

	world_init(&w);
	set_mode(&w, POLICY_MODE_AGGREGATE);
	w.paths[0] = (struct policy_path){ .name = "any", .use = POLICY_ENDPOINT_SIGNAL };
	w.paths[1].use = POLICY_ENDPOINT_SUBFLOW;
	expect(&w, &w.policy, false, "+10.0.1.2/1 +10.0.2.2/1 +fd00::2/1");
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_PATH_ABSENT), 1);
}

static void test_ownership(void)
{
	struct world w;

	world_init(&w);
	endpoint(&w, "10.0.1.2", 2, PM_FLAG_SUBFLOW, false);
	endpoint(&w, "10.0.2.2", 3, PM_FLAG_SIGNAL, false);
	endpoint(&w, "192.0.2.1", 0, PM_FLAG_SIGNAL, false);
	endpoint(&w, "192.0.2.2", 0, PM_FLAG_SIGNAL, true);
	endpoint(&w, "192.0.2.3", 0, PM_FLAG_IMPLICIT, false);
	CU_ASSERT_EQUAL(notices(&w, PM_NOTICE_FOREIGN_ENDPOINT), 2);
	expect(&w, &w.policy, false, "-192.0.2.2/1 +fd00::2/6");
	expect(&w, &w.policy, true, "-10.0.2.2/1 -192.0.2.1/1 +10.0.2.2/6");
	expect(&w, NULL, true, "-fd00::2/6 -10.0.2.2/6");
}

static void test_limits_and_scheduler(void)
{
	struct world w;

	world_init(&w);
	w.policy.nr_paths = 0;
	w.policy.limits.set = true;
	w.policy.limits.subflows = 4;
	strcpy(w.policy.scheduler.name, "minrtt");
	expect(&w, &w.policy, false, "Sminrtt L4,0");
	w.kernel.set_limits[0] = (struct pm_limits){ 4, 0 };
	w.kernel.nr_set_limits = 1;
	w.kernel.saved_limits = (struct pm_limits){ 2, 0 };
	strcpy(w.kernel.set_scheduler[0], "minrtt");
	w.kernel.nr_set_scheduler = 1;
	strcpy(w.kernel.saved_scheduler, "default");
	expect(&w, NULL, false, "L2,0 Sdefault");
	w.kernel.limits.subflows = 7; /* someone else's since */
	expect(&w, NULL, false, "");
}

static void test_syn_retries(void)
{
	struct world w;

	world_init(&w);
	w.policy.nr_paths = 0;
	w.kernel.syn_retries = 2;
	expect(&w, &w.policy, false, "");
	w.policy.establish.has_syn_retries = true;
	w.policy.establish.fallback_syn_retries = 0;
	expect(&w, &w.policy, false, "R0");
	w.kernel.set_syn_retries[0] = 0;
	w.kernel.nr_set_syn_retries = 1;
	w.kernel.saved_syn_retries = 2;
	expect(&w, NULL, false, "R2");
	w.kernel.syn_retries = 0;
	w.policy.establish.has_syn_retries = false;
	expect(&w, &w.policy, false, "R2");
	w.kernel.syn_retries = 5; /* someone else's since */
	expect(&w, NULL, false, "");
}

static void test_fastopen(void)
{
	struct world w;

	world_init(&w);
	w.policy.nr_paths = 0;
	w.kernel.fastopen = 0x1;
	expect(&w, &w.policy, false, "");
	w.policy.tfo.client = POLICY_YES;
	expect(&w, &w.policy, false, "");
	w.policy.tfo.server = POLICY_TFO_SERVER_ALL;
	w.policy.tfo.no_cookie = POLICY_TFO_NO_COOKIE_SERVER;
	expect(&w, &w.policy, false, "F603");
	w.kernel.set_fastopen[0] = 0x603;
	w.kernel.nr_set_fastopen = 1;
	w.kernel.saved_fastopen = 0x1;
	/* The other side comes back with a policy that does not name it. */
	w.policy.tfo = (struct policy_tfo){ .client = POLICY_NO };
	expect(&w, &w.policy, false, "F0");
	w.kernel.fastopen = 0x603;
	w.policy.tfo.client = POLICY_UNSET;
	expect(&w, &w.policy, false, "F1");
	w.kernel.fastopen = 0x603;
	expect(&w, NULL, false, "F1");
	w.kernel.fastopen = 0x3; /* someone else's since */
	expect(&w, NULL, false, "");
	w.policy.tfo.client = POLICY_YES;
	w.kernel.fastopen = -1; /* a kernel without */
	expect(&w, &w.policy, false, "");
}

static void test_fastopen_bits(void)
{
	static const struct {
		struct policy_tfo tfo;
		int before, after;
	} cases[] = {
		{ { .client = POLICY_UNSET }, 0x637, 0x637 },
		{ { .client = POLICY_YES }, 0x0, 0x1 },
		{ { .client = POLICY_YES }, 0x606, 0x603 },
		{ { .client = POLICY_YES, .no_cookie = POLICY_TFO_NO_COOKIE_CLIENT }, 0x2, 0x7 },
		{ { .client = POLICY_NO }, 0x607, 0x602 },
		{ { .server = POLICY_TFO_SERVER_OFF }, 0x607, 0x5 },
		{ { .server = POLICY_TFO_SERVER_ASKED }, 0x605, 0x7 },
		{ { .server = POLICY_TFO_SERVER_ALL }, 0x201, 0x403 },
		{ { .server = POLICY_TFO_SERVER_ASKED, .no_cookie = POLICY_TFO_NO_COOKIE_SERVER },
		  0x1,
		  0x203 },
		{ { .client = POLICY_YES, .server = POLICY_TFO_SERVER_OFF }, 0x60f, 0x9 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(pm_fastopen_bits(&cases[i].tfo, cases[i].before), cases[i].after);
}

static void test_wanted_by_path(void)
{
	enum pm_wanted wanted[] = { PM_WANT_ACTIVE, PM_WANT_NONE, PM_WANT_ACTIVE };
	const struct pm_plan_options options = { .wanted = wanted };
	struct world w;

	world_init(&w);
	w.paths[1].backup = POLICY_NO;
	expect_as(&w, &w.policy, &options, "+10.0.1.2/2");
	wanted[1] = PM_WANT_BACKUP;
	expect_as(&w, &w.policy, &options, "+10.0.2.2/6 +fd00::2/6");
	wanted[0] = PM_WANT_NONE;
	wanted[1] = PM_WANT_ACTIVE;
	for (size_t i = 0; i < w.kernel.nr_endpoints; i++)
		w.kernel.endpoints[i].owned = true;
	expect_as(&w, &w.policy, &options, "-10.0.1.2/2 ~10.0.2.2/2 ~fd00::2/2");
}

static void test_endpoints_left_alone(void)
{
	const struct pm_plan_options options = { .leave_endpoints = true, .leave_scheduler = true };
	struct world w;

	world_init(&w);
	endpoint(&w, "10.0.1.2", 2, PM_FLAG_SUBFLOW, true);
	endpoint(&w, "192.0.2.2", 0, PM_FLAG_SIGNAL, true);
	w.policy.limits.set = true;
	w.policy.limits.subflows = 4;
	strcpy(w.policy.scheduler.name, "minrtt");
	expect_as(&w, &w.policy, &options, "L4,0");
	expect_as(&w, NULL, &options, "-10.0.1.2/2 -192.0.2.2/1");
}

static void test_manager(void)
{
	struct pm_plan_options options = { .leave_endpoints = true,
					   .engine = POLICY_ENGINE_USERSPACE };
	struct world w;

	world_init(&w);
	/* Before there was the sysctl. */
	expect_as(&w, &w.policy, &options, "");
	strcpy(w.kernel.manager, "kernel");
	expect_as(&w, &w.policy, &options, "Muserspace");
	strcpy(w.kernel.set_manager[0], "userspace");
	w.kernel.nr_set_manager = 1;
	strcpy(w.kernel.saved_manager, "kernel");
	options.engine = POLICY_ENGINE_AUTO;
	expect_as(&w, &w.policy, &options, "Mkernel");
	strcpy(w.kernel.manager, "userspace");
	expect_as(&w, NULL, &options, "Mkernel");
	/* Someone else's since. */
	strcpy(w.kernel.manager, "other");
	expect_as(&w, NULL, &options, "");
	options.engine = POLICY_ENGINE_KERNEL;
	expect_as(&w, &w.policy, &options, "Mkernel");
}

/* What was there before us is saved once, whatever we set later. */
static void test_manager_recorded(void)
{
	struct pm_action act = { .kind = PM_SET_MANAGER, .manager = "userspace" };
	struct pm_state s = { 0 };
	struct world w;

	world_init(&w);
	strcpy(w.kernel.manager, "kernel");
	CU_ASSERT_EQUAL(pm_state_intend(&w.policy, &w.kernel, &act, 1, &s), 0);
	CU_ASSERT_STRING_EQUAL(s.saved_manager, "kernel");
	CU_ASSERT_EQUAL(s.nr_set_manager, 1);
	CU_ASSERT_STRING_EQUAL(s.set_manager[0], "userspace");
	pm_state_clear(&s);
	CU_ASSERT_EQUAL(pm_state_conclude(&w.policy, &w.kernel, &act, 1, &s), 0);
	CU_ASSERT_STRING_EQUAL(s.saved_manager, "kernel");
	CU_ASSERT_EQUAL(s.nr_set_manager, 1);
	pm_state_clear(&s);
	strcpy(w.kernel.manager, "userspace");
	strcpy(w.kernel.saved_manager, "kernel");
	strcpy(w.kernel.set_manager[0], "userspace");
	w.kernel.nr_set_manager = 1;
	CU_ASSERT_EQUAL(pm_state_conclude(&w.policy, &w.kernel, NULL, 0, &s), 0);
	CU_ASSERT_STRING_EQUAL(s.saved_manager, "kernel");
	CU_ASSERT_EQUAL(s.nr_set_manager, 1);
	pm_state_clear(&s);
	strcpy(act.manager, "kernel");
	CU_ASSERT_EQUAL(pm_state_intend(NULL, &w.kernel, &act, 1, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_manager, 2);
	pm_state_clear(&s);
	CU_ASSERT_EQUAL(pm_state_conclude(NULL, &w.kernel, &act, 1, &s), 0);
	CU_ASSERT_EQUAL(s.nr_set_manager, 0);
	pm_state_clear(&s);
}

/* SYNs that are repeated sooner: as many more ask for MPTCP, but not fewer than others want. */
static void test_syn_retries_of_rescue(void)
{
	struct world w;

	world_init(&w);
	w.policy.nr_paths = 0;
	w.kernel.syn_retries = 2;
	w.policy.establish.robe = POLICY_ROBE_TIMER;
	w.policy.establish.timer_ms = 250;
	expect(&w, &w.policy, false, "R7");
	w.kernel.set_syn_retries[0] = 7;
	w.kernel.nr_set_syn_retries = 1;
	w.kernel.saved_syn_retries = 2;
	w.kernel.syn_retries = 7;
	expect(&w, &w.policy, false, "");
	w.policy.establish.timer_ms = 500;
	expect(&w, &w.policy, false, "R5");
	w.kernel.set_syn_retries[0] = 5;
	expect(&w, NULL, false, "R2");
	w.kernel.syn_retries = 20; /* someone else's */
	expect(&w, &w.policy, false, "");
	w.policy.establish.has_syn_retries = true;
	w.policy.establish.fallback_syn_retries = 1;
	expect(&w, &w.policy, false, "R1");
	w.policy.establish.has_syn_retries = false;
	w.kernel.syn_retries = -1; /* a kernel without */
	expect(&w, &w.policy, false, "");
}

struct fake {
	char log[512];
	int fail_at, calls;
};

static int fake_act(void *data, struct pm_action *a, struct error *e)
{
	struct pm_plan one = { .actions = a, .nr_actions = 1 };
	struct fake *f = data;
	size_t used = strlen(f->log);

	if (++f->calls == f->fail_at)
		return error_set(e, -ERANGE, "refused");
	summary(&one, f->log + used, sizeof(f->log) - used);
	strcat(f->log, ";");
	return 0;
}

static void test_rollback_newest_first(void)
{
	struct pm_action actions[] = {
		{ .kind = PM_SET_LIMITS, .limits = { 4, 1 }, .limits_before = { 2, 0 } },
		{ .kind = PM_DELETE_ENDPOINT,
		  .endpoint = { .flags = 1, .address = address("10.0.0.1") } },
		{ .kind = PM_CHANGE_ENDPOINT,
		  .endpoint = { .flags = 6, .address = address("10.0.0.2") },
		  .before = { .flags = 2, .address = address("10.0.0.2") } },
		{ .kind = PM_ADD_ENDPOINT,
		  .endpoint = { .flags = 2, .address = address("10.0.0.3") } },
	};
	struct fake f = { .fail_at = 4 };
	struct pm_executor executor = { fake_act, &f };
	struct error e = { 0 };
	bool left = true;

	CU_ASSERT_EQUAL(pm_actions_run(actions, 4, &executor, &left, &e), -ERANGE);
	CU_ASSERT_FALSE(left);
	CU_ASSERT_STRING_EQUAL(f.log, "L4,1;-10.0.0.1/1;~10.0.0.2/6;~10.0.0.2/2;+10.0.0.1/1;L2,0;");
	CU_ASSERT_STRING_EQUAL(e.text, "refused");
}

int main(void)
{
	unsigned int failed;
	CU_pSuite suite;

	CU_initialize_registry();
	suite = CU_add_suite("plan", NULL, NULL);
	CU_add_test(suite, "modes", test_modes);
	CU_add_test(suite, "active-standby takes what is present",
		    test_standby_takes_what_is_present);
	CU_add_test(suite, "cheapest takes what is present", test_cheapest_takes_what_is_present);
	CU_add_test(suite, "paths of the default rule", test_paths_of_the_default_rule);
	CU_add_test(suite, "a schedule without daemon", test_schedule_without_daemon);
	CU_add_test(suite, "active-standby with one path", test_standby_of_one_path);
	CU_add_test(suite, "engines", test_engines);
	CU_add_test(suite, "first match wins", test_first_match_wins);
	CU_add_test(suite, "ownership", test_ownership);
	CU_add_test(suite, "limits and scheduler", test_limits_and_scheduler);
	CU_add_test(suite, "SYN retries", test_syn_retries);
	CU_add_test(suite, "data in the SYN", test_fastopen);
	CU_add_test(suite, "bits of tcp_fastopen", test_fastopen_bits);
	CU_add_test(suite, "endpoints as an engine wants them", test_wanted_by_path);
	CU_add_test(suite, "endpoints left alone", test_endpoints_left_alone);
	CU_add_test(suite, "path manager", test_manager);
	CU_add_test(suite, "path manager recorded", test_manager_recorded);
	CU_add_test(suite, "SYN retries of rescue", test_syn_retries_of_rescue);
	CU_add_test(suite, "rollback newest first", test_rollback_newest_first);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
