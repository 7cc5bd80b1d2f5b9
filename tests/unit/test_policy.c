// SPDX-License-Identifier: GPL-2.0-only
/* What a right policy becomes: every key, every default, the order of schedulers. */
#include "policy/policy.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "util/cleanup.h"

#define HEAD "version: 1\nname: t\n"

/* NULL when the text is refused; says why. */
static struct policy *parse(const char *text)
{
	struct policy_diagnostics d;
	struct policy *p = NULL;

	if (policy_parse("t.yaml", text, strlen(text), &p, &d) < 0)
		policy_diagnostics_print(stdout, "t.yaml", &d, false);
	policy_diagnostics_clear(&d);
	return p;
}

static void test_defaults(void)
{
	_cleanup_(policy_free) struct policy *p = parse(HEAD "paths:\n  - name: a\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_STRING_EQUAL(p->file, "t.yaml");
	CU_ASSERT_STRING_EQUAL(p->name, "t");
	CU_ASSERT_EQUAL(p->fallback, POLICY_FALLBACK_DENY);
	CU_ASSERT_EQUAL(p->observe.log, POLICY_LOG_INFO);
	CU_ASSERT_EQUAL(p->mode, POLICY_MODE_HANDOVER);
	CU_ASSERT_STRING_EQUAL(p->scheduler.name, "");
	CU_ASSERT_FALSE(p->limits.set);
	CU_ASSERT_EQUAL_FATAL(p->nr_paths, 1);
	CU_ASSERT_PTR_NULL(p->paths[0].interface);
	CU_ASSERT_EQUAL(p->paths[0].type, POLICY_LINK_ANY);
	CU_ASSERT_EQUAL(p->paths[0].cost, 1);
	CU_ASSERT_FALSE(p->paths[0].metered);
	CU_ASSERT_EQUAL(p->paths[0].trust, POLICY_TRUST_NORMAL);
	CU_ASSERT_EQUAL(p->paths[0].backup, POLICY_UNSET);
	CU_ASSERT_EQUAL(p->paths[0].use, POLICY_ENDPOINT_SUBFLOW);
	CU_ASSERT_EQUAL(p->paths[0].line, 4);
}

static void test_every_key(void)
{
	_cleanup_(policy_free) struct policy *p = parse(
		HEAD "fallback: allow\n"
		     "observe: { log: debug }\n"
		     "scheduler: { name: rr, knobs: { n: 18446744073709551615, w: [1, 2] } }\n"
		     "paths:\n"
		     "  - name: a\n"
		     "    match: { interface: \"wl*\", type: wifi }\n"
		     "    cost: 1000000\n"
		     "    metered: on\n"
		     "    trust: low\n"
		     "    backup: no\n"
		     "    endpoint: [subflow, fullmesh]\n"
		     "  - { name: b, trust: high, backup: yes, endpoint: [signal, subflow] }\n"
		     "connections: [ { mode: aggregate } ]\n"
		     "limits: { subflows: 64, add-addr-accepted: 3 }\n");
	const struct policy_path *a;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL(p->fallback, POLICY_FALLBACK_ALLOW);
	CU_ASSERT_EQUAL(p->observe.log, POLICY_LOG_DEBUG);
	CU_ASSERT_EQUAL(p->mode, POLICY_MODE_AGGREGATE);
	CU_ASSERT_STRING_EQUAL(p->scheduler.name, "rr");
	CU_ASSERT_EQUAL_FATAL(p->scheduler.nr_knobs, 2);
	CU_ASSERT_STRING_EQUAL(p->scheduler.knobs[0].name, "n");
	CU_ASSERT_EQUAL(p->scheduler.knobs[0].nr_values, 1);
	CU_ASSERT_EQUAL(p->scheduler.knobs[0].values[0], UINT64_MAX);
	CU_ASSERT_EQUAL(p->scheduler.knobs[1].nr_values, 2);
	CU_ASSERT_EQUAL(p->scheduler.knobs[1].values[1], 2);
	CU_ASSERT_EQUAL_FATAL(p->nr_paths, 2);
	a = &p->paths[0];
	CU_ASSERT_STRING_EQUAL(a->interface, "wl*");
	CU_ASSERT_EQUAL(a->type, POLICY_LINK_WIFI);
	CU_ASSERT_EQUAL(a->cost, 1000000);
	CU_ASSERT_TRUE(a->metered);
	CU_ASSERT_EQUAL(a->trust, POLICY_TRUST_LOW);
	CU_ASSERT_EQUAL(a->backup, POLICY_NO);
	CU_ASSERT_EQUAL(a->use, POLICY_ENDPOINT_SUBFLOW | POLICY_ENDPOINT_FULLMESH);
	CU_ASSERT_EQUAL(p->paths[1].trust, POLICY_TRUST_HIGH);
	CU_ASSERT_EQUAL(p->paths[1].backup, POLICY_YES);
	CU_ASSERT_EQUAL(p->paths[1].use, POLICY_ENDPOINT_SUBFLOW | POLICY_ENDPOINT_SIGNAL);
	CU_ASSERT_TRUE(p->limits.set);
	CU_ASSERT_EQUAL(p->limits.subflows, 64);
	CU_ASSERT_EQUAL(p->limits.add_addr_accepted, 3);
}

#define TOP  "scheduler: { name: top, knobs: { a: 1 } }\n"
#define MODE "modes: { aggregate: { scheduler: mode }, handover: { scheduler: other } }\n"
#define RULE "connections: [ { mode: aggregate, scheduler: { name: rule } } ]\n"
#define BARE "connections: [ { mode: aggregate } ]\n"

static void test_scheduler_order(void)
{
	static const struct {
		const char *text, *scheduler;
		size_t nr_knobs;
	} cases[] = {
		{ HEAD, "", 0 },
		{ HEAD TOP, "top", 1 },
		{ HEAD TOP MODE, "other", 0 },
		{ HEAD TOP MODE BARE, "mode", 0 },
		{ HEAD TOP MODE RULE, "rule", 0 },
		{ HEAD TOP RULE, "rule", 0 },
		{ HEAD TOP BARE, "top", 1 },
		{ HEAD BARE "modes: { handover: { scheduler: other } }\n", "", 0 },
		{ HEAD "modes: { active-standby: { scheduler: s } }\n"
		       "connections:\n  - mode: active-standby\n",
		  "s", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(policy_free) struct policy *p = parse(cases[i].text);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_STRING_EQUAL(p->scheduler.name, cases[i].scheduler);
		CU_ASSERT_EQUAL(p->scheduler.nr_knobs, cases[i].nr_knobs);
	}
}

static const uint8_t v4[16] = { [10] = 0xff, 0xff, 10, 1 };
static const uint8_t v6[16] = { 0xfd };

static void test_rules(void)
{
	_cleanup_(policy_free) struct policy *p = parse(
		HEAD "scheduler: { name: top, knobs: { a: 1 } }\n"
		     "modes: { aggregate: { scheduler: mode } }\n"
		     "connections:\n"
		     "  - match: { cgroup: /user.slice/, uid: alice, port: [443, 8000-8010],\n"
		     "             local-port: \"1-9\", prefix: 10.1.0.0/16, role: client }\n"
		     "    scheduler: { name: rule, knobs: { b: [2, 3] } }\n"
		     "  - { match: { uid: 1000, prefix: \"fd00::/8\" }, mode: aggregate }\n"
		     "  - { match: { port: 22, role: server } }\n"
		     "  - { mode: active-standby }\n");
	const struct policy_rule *r;

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_EQUAL_FATAL(p->nr_rules, 3);
	CU_ASSERT_EQUAL(p->mode, POLICY_MODE_ACTIVE_STANDBY);
	CU_ASSERT_STRING_EQUAL(p->scheduler.name, "top");
	r = &p->rules[0];
	CU_ASSERT_STRING_EQUAL(r->cgroup, "/user.slice");
	CU_ASSERT_STRING_EQUAL(r->user, "alice");
	CU_ASSERT_EQUAL(r->port.nr, 2);
	CU_ASSERT_EQUAL(r->port.ranges[0].last, 443);
	CU_ASSERT_EQUAL(r->port.ranges[1].first, 8000);
	CU_ASSERT_EQUAL(r->port.ranges[1].last, 8010);
	CU_ASSERT_EQUAL(r->local_port.ranges[0].last, 9);
	CU_ASSERT_EQUAL(memcmp(r->prefix.address, v4, 16), 0);
	CU_ASSERT_EQUAL(r->prefix.bits, 112);
	CU_ASSERT_EQUAL(r->role, POLICY_ROLE_CLIENT);
	CU_ASSERT_STRING_EQUAL(r->scheduler.name, "rule");
	CU_ASSERT_EQUAL(r->scheduler.knobs[0].nr_values, 2);
	CU_ASSERT_EQUAL(r->number, 1);
	CU_ASSERT_EQUAL(r->line, 6);
	CU_ASSERT_EQUAL(policy_rule_weight(r), 2);
	r = &p->rules[1];
	CU_ASSERT_STRING_EQUAL(r->user, "1000");
	CU_ASSERT_EQUAL(memcmp(r->prefix.address, v6, 16), 0);
	CU_ASSERT_EQUAL(r->prefix.bits, 8);
	CU_ASSERT_EQUAL(r->role, POLICY_ROLE_ANY);
	CU_ASSERT_STRING_EQUAL(r->scheduler.name, "mode");
	r = &p->rules[2];
	CU_ASSERT_EQUAL(r->role, POLICY_ROLE_SERVER);
	CU_ASSERT_STRING_EQUAL(r->scheduler.name, "top");
	CU_ASSERT_EQUAL(r->scheduler.nr_knobs, 1);
	CU_ASSERT_STRING_EQUAL(r->scheduler.knobs[0].name, "a");
	CU_ASSERT_EQUAL(r->number, 3);
}

static void test_link_types(void)
{
	for (int i = POLICY_LINK_ANY; i <= POLICY_LINK_VPN; i++) {
		_cleanup_(policy_free) struct policy *p = NULL;
		char text[128];

		snprintf(text, sizeof(text), HEAD "paths: [ { name: a, match: { type: %s } } ]\n",
			 policy_link_type_name((enum policy_link_type)i));
		p = parse(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(p->paths[0].type, (enum policy_link_type)i);
	}
}

static void test_modes(void)
{
	for (int i = POLICY_MODE_HANDOVER; i <= POLICY_MODE_TARGET; i++) {
		const char *name = policy_mode_name((enum policy_mode_kind)i);
		_cleanup_(policy_free) struct policy *p = NULL;
		char text[160], scheduler[8];

		/* The key under "modes" and the word under "mode" have to be the same mode. */
		snprintf(text, sizeof(text),
			 HEAD "connections: [ { mode: %s } ]\nmodes: { %s: { scheduler: s%d } }\n",
			 name, name, i);
		p = parse(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_EQUAL(p->mode, (enum policy_mode_kind)i);
		CU_ASSERT_EQUAL(p->mode_index, (unsigned int)i);
		snprintf(scheduler, sizeof(scheduler), "s%d", i);
		CU_ASSERT_STRING_EQUAL(p->scheduler.name, scheduler);
	}
}

static void test_limits_defaults(void)
{
	_cleanup_(policy_free) struct policy *p = parse(HEAD "limits: { add-addr-accepted: 1 }\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_TRUE(p->limits.set);
	CU_ASSERT_EQUAL(p->limits.subflows, 2);
	CU_ASSERT_EQUAL(p->limits.add_addr_accepted, 1);
}

static void test_harmless_yaml(void)
{
	static const char *const texts[] = {
		"\xef\xbb\xbf" HEAD,
		"---\n" HEAD "...\n",
		"version: 1\r\nname: t\r\n",
		"{ \"version\": 1, \"name\": \"t\" }",
		"version: 1\nname: &anchor t\n",
		"%YAML 1.1\n---\n" HEAD,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		_cleanup_(policy_free) struct policy *p = parse(texts[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(p);
		CU_ASSERT_STRING_EQUAL(p->name, "t");
	}
}

static void test_load(void)
{
	char file[] = "/tmp/test_policy.XXXXXX";
	struct policy_diagnostics d;
	struct policy *p = NULL;
	struct error e = { 0 };
	int fd = mkstemp(file);

	CU_ASSERT_TRUE_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, HEAD, strlen(HEAD)), (ssize_t)strlen(HEAD));
	CU_ASSERT_EQUAL(policy_load(file, &p, &d, &e), 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_STRING_EQUAL(p->file, file);
	policy_free(&p);
	policy_free(&p);
	CU_ASSERT_PTR_NULL(p);
	CU_ASSERT_EQUAL(write(fd, "a: 1\nb: 2\n", 10), 10);
	CU_ASSERT_EQUAL(policy_load(file, &p, &d, &e), -EINVAL);
	CU_ASSERT_EQUAL(e.code, -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, ": 2 errors"));
	CU_ASSERT_PTR_NULL(p);
	policy_diagnostics_clear(&d);
	CU_ASSERT_EQUAL(ftruncate(fd, 1024 * 1024 + 1), 0);
	CU_ASSERT_EQUAL(policy_load(file, &p, &d, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(d.items[0].text, "the file is larger than 1 MiB");
	policy_diagnostics_clear(&d);
	close(fd);
	unlink(file);
	CU_ASSERT_EQUAL(policy_load(file, &p, &d, &e), -ENOENT);
	CU_ASSERT_EQUAL(policy_load("/", &p, &d, &e), -EISDIR);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/"));
}

static void test_schema(void)
{
	static const char *const parts[] = {
		"draft/2020-12",
		"\"version\"",
		"\"add-addr-accepted\"",
		"\"active-standby\"",
		"\"fullmesh\"",
		"\"metered\"",
		"\"additionalProperties\": false",
		"\"maximum\": 1000000",
	};
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	policy_schema_print(f);
	fclose(f);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		CU_ASSERT_PTR_NOT_NULL(strstr(text, parts[i]));
	CU_ASSERT_PTR_NULL(strstr(text, "not supported yet"));
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "defaults", test_defaults },
		{ "every key", test_every_key },
		{ "order of schedulers", test_scheduler_order },
		{ "rules", test_rules },
		{ "link types", test_link_types },
		{ "modes", test_modes },
		{ "defaults of limits", test_limits_defaults },
		{ "harmless YAML", test_harmless_yaml },
		{ "files", test_load },
		{ "schema", test_schema },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "policy", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
