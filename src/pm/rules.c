// SPDX-License-Identifier: GPL-2.0-only
/* Rules for connections as the selector reads them; see rules.h. */
#include "pm/rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mptcp_bpf_view.h"
#include "pm/planner.h"
#include "util/cgroup.h"

#define V4_MAPPED_BITS 96

_Static_assert(POLICY_RULES_MAX == MPTCP_PROGRAMS_MAX, "the policy takes what the map does");
_Static_assert(POLICY_RULES_MAX == MPTCP_SELECT_RULES_MAX, "the policy takes what the map does");
_Static_assert((int)POLICY_ROLE_CLIENT == MPTCP_ROLE_CLIENT, "roles differ");
_Static_assert((int)POLICY_ROLE_SERVER == MPTCP_ROLE_SERVER, "roles differ");

static int find_user(const struct policy_rule *from, struct mptcp_select_rule *rule,
		     struct error *e)
{
	const struct passwd *pw;

	if (!from->user)
		return 0;
	rule->by_uid = 1;
	if (from->user[strspn(from->user, "0123456789")] == '\0') {
		rule->uid = (uint32_t)strtoul(from->user, NULL, 10);
		return 0;
	}
	pw = getpwnam(from->user);
	if (!pw) {
		error_set(e, -EINVAL, "rule %u (line %u): there is no user \"%s\"", from->number,
			  from->line, from->user);
		return error_hint(e, "getent passwd lists those there are");
	}
	rule->uid = pw->pw_uid;
	return 0;
}

/* Returns 1 when there is no such cgroup. */
static int find_cgroup(const struct policy_rule *from, struct mptcp_select_rule *rule,
		       struct error *e)
{
	uint64_t id = 0;
	uint32_t level = 0;
	int err;

	if (!from->cgroup)
		return 0;
	err = cgroup_find(from->cgroup, &id, &level);
	if (err == -ENOENT)
		return 1;
	if (err == -EOPNOTSUPP) {
		error_set(e, err, "rule %u (line %u) is for a cgroup, but cgroup v2 is not mounted",
			  from->number, from->line);
		return error_hint(e, "mount -t cgroup2 none /sys/fs/cgroup");
	}
	if (err < 0)
		return error_set(e, err, "rule %u (line %u): cannot look up cgroup %s: %s",
				 from->number, from->line, from->cgroup, strerror(-err));
	if (level >= MPTCP_BPF_CGROUP_LEVELS) {
		error_set(e, -EINVAL,
			  "rule %u (line %u): cgroup %s is %u levels deep, rules can "
			  "name cgroups down to %d",
			  from->number, from->line, from->cgroup, level,
			  MPTCP_BPF_CGROUP_LEVELS - 1);
		return error_hint(e, "name the cgroup above it");
	}
	rule->cgroup = id;
	rule->cgroup_level = level;
	return 0;
}

static int notice_absent(const struct policy_rule *from, struct pm_plan *plan, struct error *e)
{
	char text[sizeof(((struct pm_notice *)0)->text)];

	snprintf(text, sizeof(text), "rule %u: there is no cgroup %s; apply again later",
		 from->number, from->cgroup);
	if (pm_plan_add_notice(plan, PM_NOTICE_RULE_ABSENT, text) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	return 0;
}

static void add_for_ports(const struct policy_rule *from, const struct mptcp_select_rule *base,
			  struct mptcp_select_rule *rules, size_t *nr)
{
	static const struct policy_port_range any;

	for (size_t i = 0; i < (from->port.nr ? from->port.nr : 1); i++) {
		for (size_t j = 0; j < (from->local_port.nr ? from->local_port.nr : 1); j++) {
			const struct policy_port_range *remote =
				from->port.nr ? &from->port.ranges[i] : &any;
			const struct policy_port_range *local =
				from->local_port.nr ? &from->local_port.ranges[j] : &any;
			struct mptcp_select_rule *r;

			/* The parser has counted them. */
			if (*nr == MPTCP_SELECT_RULES_MAX)
				return;
			r = &rules[(*nr)++];
			*r = *base;
			r->remote_port_first = remote->first;
			r->remote_port_last = remote->last;
			r->local_port_first = local->first;
			r->local_port_last = local->last;
		}
	}
}

bool pm_rules_wanted(const struct policy *policy)
{
	return policy->nr_rules && policy->scheduler.name[0] &&
	       strcmp(policy->scheduler.name, "default") != 0;
}

/* What a rule is for, with any port; 1: its cgroup does not exist. */
static int make_base(const struct policy_rule *from, struct mptcp_select_rule *base,
		     struct error *e)
{
	int err;

	/* Padding too: rules are compared as bytes. */
	memset(base, 0, sizeof(*base));
	base->rule = from->number;
	base->role = (uint8_t)from->role;
	base->remote_bits = from->prefix.bits;
	memcpy(base->remote, from->prefix.address, sizeof(base->remote));
	err = find_user(from, base, e);
	return err < 0 ? err : find_cgroup(from, base, e);
}

int pm_rules_make(const struct policy *policy,
		  struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX], size_t *nr,
		  struct pm_plan *plan, struct error *e)
{
	*nr = 0;
	for (size_t i = 0; pm_rules_wanted(policy) && i < policy->nr_rules; i++) {
		const struct policy_rule *from = &policy->rules[i];
		struct mptcp_select_rule base;
		int absent = make_base(from, &base, e);
		int err = absent == 1 ? notice_absent(from, plan, e) : absent;

		if (err < 0)
			return err;
		memcpy(base.scheduler, from->scheduler.name, sizeof(base.scheduler));
		if (!absent)
			add_for_ports(from, &base, rules, nr);
	}
	return 0;
}

bool pm_marks_wanted(const struct policy *policy)
{
	return policy->rule_mark || policy_nr_marking(policy);
}

static void add_marks(const struct policy_rule *from, const struct mptcp_select_rule *base,
		      struct mptcp_mark marks[MPTCP_MARKS_MAX], size_t *nr)
{
	struct mptcp_select_rule rules[MPTCP_SELECT_RULES_MAX];
	size_t n = 0;

	add_for_ports(from, base, rules, &n);
	for (size_t i = 0; i < n && *nr < MPTCP_MARKS_MAX; i++)
		marks[(*nr)++] = (struct mptcp_mark){ .match = rules[i], .mark = from->mark };
}

int pm_marks_make(const struct policy *policy, struct mptcp_mark marks[MPTCP_MARKS_MAX], size_t *nr,
		  struct pm_plan *plan, struct error *e)
{
	*nr = 0;
	for (size_t i = 0; i < policy_nr_marking(policy); i++) {
		const struct policy_rule *from = &policy->rules[i];
		struct mptcp_select_rule base;
		int absent = make_base(from, &base, e), err = absent;

		/* Rules for schedulers have noted it. */
		if (absent == 1)
			err = pm_rules_wanted(policy) ? 0 : notice_absent(from, plan, e);
		if (err < 0)
			return err;
		if (!absent)
			add_marks(from, &base, marks, nr);
	}
	if (policy->rule_mark && *nr < MPTCP_MARKS_MAX) {
		memset(&marks[*nr], 0, sizeof(marks[*nr]));
		marks[(*nr)++].mark = policy->rule_mark;
	}
	return 0;
}

int pm_programs_make(const struct policy *policy, struct mptcp_program rules[MPTCP_PROGRAMS_MAX],
		     size_t *nr, struct pm_plan *plan, struct error *e)
{
	*nr = 0;
	for (size_t i = 0; i < policy->nr_programs; i++) {
		const struct policy_program *from = &policy->programs[i];
		const struct policy_rule owner = { .cgroup = from->cgroup,
						   .user = from->user,
						   .number = from->number,
						   .line = from->line };
		struct mptcp_select_rule found = { 0 };
		struct mptcp_program *r = &rules[*nr];
		int err = find_user(&owner, &found, e), absent;

		absent = err < 0 ? err : find_cgroup(&owner, &found, e);
		err = absent == 1 ? notice_absent(&owner, plan, e) : absent;
		if (err < 0)
			return err;
		if (absent)
			continue;
		/* Padding too: rules are compared as bytes. */
		memset(r, 0, sizeof(*r));
		r->cgroup = found.cgroup;
		r->cgroup_level = found.cgroup_level;
		r->uid = found.uid;
		r->by_uid = found.by_uid;
		r->mptcpify = from->mptcpify;
		r->rule = from->number;
		if (from->executable)
			snprintf(r->executable, sizeof(r->executable), "%s", from->executable);
		(*nr)++;
	}
	return 0;
}

struct text {
	char *out;
	size_t size, at;
	bool any;
};

__attribute__((format(printf, 2, 3))) static void condition(struct text *t, const char *fmt, ...)
{
	va_list ap;

	t->at += (size_t)snprintf(t->out + t->at, t->size - t->at, "%s", t->any ? ", " : " for ");
	t->any = true;
	if (t->at >= t->size)
		t->at = t->size - 1;
	va_start(ap, fmt);
	t->at += (size_t)vsnprintf(t->out + t->at, t->size - t->at, fmt, ap);
	va_end(ap);
	if (t->at >= t->size)
		t->at = t->size - 1;
}

static void ports(struct text *t, const char *name, uint16_t first, uint16_t last)
{
	if (first && first == last)
		condition(t, "%s %u", name, first);
	else if (first)
		condition(t, "%s %u-%u", name, first, last);
}

static void prefix(struct text *t, const struct mptcp_select_rule *r)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };
	bool v4 = r->remote_bits >= V4_MAPPED_BITS && memcmp(r->remote, mapped, 12) == 0;
	char address[INET6_ADDRSTRLEN] = "?";

	if (!r->remote_bits)
		return;
	inet_ntop(v4 ? AF_INET : AF_INET6, r->remote + (v4 ? 12 : 0), address, sizeof(address));
	condition(t, "prefix %s/%d", address,
		  v4 ? r->remote_bits - V4_MAPPED_BITS : r->remote_bits);
}

static void owner(struct text *t, uint64_t cgroup, bool by_uid, uint32_t uid)
{
	char path[256];

	if (cgroup && cgroup_path(cgroup, path, sizeof(path)) == 0)
		condition(t, "cgroup %s", path);
	else if (cgroup)
		condition(t, "cgroup number %" PRIu64, cgroup);
	if (by_uid)
		condition(t, "uid %u", uid);
}

void pm_program_describe(const struct mptcp_program *r, char *out, size_t size)
{
	struct text t = { .out = out, .size = size };

	t.at = (size_t)snprintf(out, size, "rule %u: mptcpify %s", r->rule,
				r->mptcpify ? "on" : "off");
	if (t.at >= size)
		t.at = size - 1;
	owner(&t, r->cgroup, r->by_uid, r->uid);
	if (r->executable[0])
		condition(&t, "executable %.*s", MPTCP_EXECUTABLE_BYTES, r->executable);
}

/* Behind what is in `out` already. */
static void describe_conditions(const struct mptcp_select_rule *r, char *out, size_t size)
{
	struct text t = { .out = out, .size = size, .at = strlen(out) };

	owner(&t, r->cgroup, r->by_uid, r->uid);
	ports(&t, "port", r->remote_port_first, r->remote_port_last);
	ports(&t, "local-port", r->local_port_first, r->local_port_last);
	prefix(&t, r);
	if (r->role)
		condition(&t, "role %s", r->role == MPTCP_ROLE_SERVER ? "server" : "client");
}

void pm_rule_describe(const struct mptcp_select_rule *r, char *out, size_t size)
{
	snprintf(out, size, "rule %u: scheduler %.16s", r->rule, r->scheduler);
	describe_conditions(r, out, size);
}

void pm_mark_describe(const struct mptcp_mark *m, char *out, size_t size)
{
	char whose[24];

	snprintf(whose, sizeof(whose), m->match.rule ? "rule %u" : "default rule", m->match.rule);
	if (m->mark)
		snprintf(out, size, "%s: mark %u (0x%x)", whose, m->mark, m->mark);
	else
		snprintf(out, size, "%s: no mark", whose);
	describe_conditions(&m->match, out, size);
}
