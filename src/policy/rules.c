// SPDX-License-Identifier: GPL-2.0-only
/* Rules for connections: their conditions, their order, and what cannot be meant. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"
#include "policy/model.h"

#define V4_MAPPED_BITS 96

static void *at_offset(void *object, const struct key *key)
{
	return (char *)object + key->offset;
}

static void keep_text(struct parse *p, const char *text, char **slot)
{
	*slot = strdup(text);
	if (!*slot)
		p->no_memory = true;
}

static bool is_number(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->text[0] && n->text[strspn(n->text, "0123456789")] == 0;
}

void handle_cgroup(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	char **slot = at_offset(object, key);
	size_t size;

	if (!parse_is_text(p, key->name, key->value, n))
		return;
	size = strlen(n->text);
	if (parse_has_control(n->text) || strstr(n->text, "/../") ||
	    (size >= 3 && strcmp(n->text + size - 3, "/..") == 0)) {
		parse_report_type(p, key->name, n, key->value->expected, NULL);
		return;
	}
	keep_text(p, n->text, slot);
	while (*slot && size > 1 && (*slot)[size - 1] == '/')
		(*slot)[--size] = '\0';
}

void handle_user(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	uint64_t number;

	if (is_number(n)) {
		if (!parse_integer(p, key->name, key->value->element, n, &number))
			return;
	} else if (!parse_is_text(p, key->name, key->value, n)) {
		return;
	}
	keep_text(p, n->text, at_offset(object, key));
}

static bool read_range(struct parse *p, const struct key *key, const struct node *n,
		       struct policy_port_range *out)
{
	unsigned int first, last;
	uint64_t number;

	if (is_number(n)) {
		if (!parse_integer(p, key->name, key->value->element, n, &number))
			return false;
		out->first = out->last = (uint16_t)number;
		return true;
	}
	if (!parse_is_text(p, key->name, key->value, n))
		return false;
	first = (unsigned int)strtoul(n->text, NULL, 10);
	last = (unsigned int)strtoul(strchr(n->text, '-') + 1, NULL, 10);
	if (first < 1 || last > UINT16_MAX || first > last) {
		parse_report(p, n, "ports are 1 to 65535, the lower one first",
			     "\"%s\" is no range of ports", n->text);
		return false;
	}
	out->first = (uint16_t)first;
	out->last = (uint16_t)last;
	return true;
}

void handle_ports(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_ports *ports = at_offset(object, key);
	size_t nr;

	if (n->kind != NODE_LIST) {
		ports->nr = read_range(p, key, n, &ports->ranges[0]);
		return;
	}
	nr = parse_list_length(p, key, n);
	for (size_t i = 0; i < nr; i++)
		if (n->items[i].kind != NODE_BROKEN &&
		    read_range(p, key, &n->items[i], &ports->ranges[ports->nr]))
			ports->nr++;
}

/* Clears what is beyond the prefix; were there bits set? */
static bool clear_rest(struct policy_prefix *x)
{
	bool any = false;

	for (unsigned int bit = x->bits; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

		any |= x->address[bit / 8] & mask;
		x->address[bit / 8] &= (uint8_t)~mask;
	}
	return any;
}

static bool read_prefix(const char *text, struct policy_prefix *out)
{
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	bool v6 = memchr(text, ':', n);
	unsigned long bits = slash ? strtoul(slash + 1, NULL, 10) : v6 ? 128 : 32;

	if (n >= sizeof(address) || bits > (v6 ? 128 : 32))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	memset(out, 0, sizeof(*out));
	if (v6) {
		out->bits = (uint8_t)bits;
		return inet_pton(AF_INET6, address, out->address) == 1;
	}
	out->bits = (uint8_t)(V4_MAPPED_BITS + bits);
	out->address[10] = out->address[11] = 0xff;
	return inet_pton(AF_INET, address, out->address + 12) == 1;
}

void handle_prefix(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_prefix *prefix = at_offset(object, key), cleared;
	char network[INET6_ADDRSTRLEN], hint[INET6_ADDRSTRLEN + 32];
	bool v6;

	if (!parse_is_text(p, key->name, key->value, n))
		return;
	if (!read_prefix(n->text, prefix)) {
		parse_report_type(p, key->name, n, key->value->expected, NULL);
		return;
	}
	cleared = *prefix;
	if (!clear_rest(&cleared))
		return;
	v6 = strchr(n->text, ':');
	inet_ntop(v6 ? AF_INET6 : AF_INET, cleared.address + (v6 ? 0 : 12), network,
		  sizeof(network));
	snprintf(hint, sizeof(hint), "did you mean %s/%d?", network,
		 v6 ? cleared.bits : cleared.bits - V4_MAPPED_BITS);
	parse_report(p, n, hint, "\"%s\" has bits set beyond its prefix", n->text);
}

static void take_default(struct draft *draft, const struct node *n, struct policy_rule *rule)
{
	draft->default_node = n;
	draft->rule_scheduler = rule->scheduler;
	draft->policy.rule_mark = rule->mark;
	memset(&rule->scheduler, 0, sizeof(rule->scheduler));
}

void handle_connections(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct draft *draft = object;
	struct policy *policy = &draft->policy;
	size_t nr = parse_list_length(p, key, n);
	const struct node *last = NULL;

	policy->rules = nr ? calloc(nr, sizeof(*policy->rules)) : NULL;
	policy->programs = nr ? calloc(nr, sizeof(*policy->programs)) : NULL;
	if (nr && (!policy->rules || !policy->programs))
		p->no_memory = true;
	for (size_t i = 0; policy->rules && policy->programs && i < nr; i++) {
		struct policy_rule *rule = &policy->rules[policy->nr_rules];
		const struct node *item = &n->items[i];
		size_t before = p->diagnostics->total;
		char hint[80];

		if (item->kind == NODE_BROKEN)
			continue;
		if (last && !node_get(item, "mptcpify")) {
			snprintf(hint, sizeof(hint), "put the rule on line %u last", last->line);
			parse_report(p, item, hint,
				     "the rule can never match: the one on line %u has no "
				     "\"match\" and takes every connection",
				     last->line);
			return;
		}
		rule->number = (unsigned int)i + 1;
		rule->line = item->line;
		parse_object(p, "a connection rule", key->value->element, item, rule);
		if (take_program(p, item, rule, p->diagnostics->total != before))
			continue;
		if (node_get(item, "match")) {
			draft->rule_nodes[policy->nr_rules] = item;
			draft->rule_broken[policy->nr_rules++] = p->diagnostics->total != before;
			continue;
		}
		last = item;
		take_default(draft, item, rule);
		rule_clear(rule);
	}
}

static const struct policy_scheduler *nearest(const struct draft *d, unsigned int mode,
					      const struct policy_scheduler *own)
{
	if (own->name[0])
		return own;
	return d->modes[mode].scheduler.name[0] ? &d->modes[mode].scheduler : &d->top_scheduler;
}

const struct policy_scheduler *draft_default_scheduler(const struct draft *d)
{
	return nearest(d, d->policy.mode_index, &d->rule_scheduler);
}

const struct policy_scheduler *draft_rule_scheduler(const struct draft *d,
						    const struct policy_rule *rule)
{
	const struct policy_scheduler *s = nearest(d, rule->mode_index, &rule->scheduler);

	return s->name[0] ? s : draft_default_scheduler(d);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_conditions(const struct policy_rule *a, const struct policy_rule *b)
{
	return same_text(a->cgroup, b->cgroup) && same_text(a->user, b->user) &&
	       memcmp(&a->port, &b->port, sizeof(a->port)) == 0 &&
	       memcmp(&a->local_port, &b->local_port, sizeof(a->local_port)) == 0 &&
	       memcmp(&a->prefix, &b->prefix, sizeof(a->prefix)) == 0 && a->role == b->role;
}

/* The kernel runs one copy of a scheduler, with one set of knobs. */
static void check_knobs(struct parse *p, size_t at, const struct policy_scheduler *s)
{
	const struct draft *d = &p->draft;
	const struct policy_scheduler *other;

	other = draft_default_scheduler(d);
	for (size_t i = 0;; i++) {
		if (strcmp(other->name, s->name) == 0 && !scheduler_equal(other, s)) {
			parse_report(p, d->rule_nodes[at], "write the same knobs at each place",
				     "scheduler \"%s\" is used with different knobs", s->name);
			return;
		}
		if (i == at)
			return;
		other = draft_rule_scheduler(d, &d->policy.rules[i]);
	}
}

static void check_rule(struct parse *p, size_t at)
{
	const struct policy_rule *rules = p->draft.policy.rules;

	check_knobs(p, at, draft_rule_scheduler(&p->draft, &rules[at]));
	for (size_t i = 0; i < at; i++) {
		if (p->draft.rule_broken[i] || !same_conditions(&rules[i], &rules[at]))
			continue;
		parse_report(p, node_get(p->draft.rule_nodes[at], "match"), NULL,
			     "the rule can never match: the one on line %u has the same conditions",
			     rules[i].line);
		return;
	}
}

/* The module is asked for a connection's scheduler only when the connection is made with one of its
 * own. */
static void check_default(struct parse *p)
{
	const struct draft *d = &p->draft;
	const struct policy_scheduler *s = draft_default_scheduler(d);

	if (s->name[0] && strcmp(s->name, "default") != 0)
		return;
	for (size_t i = 0; i < d->policy.nr_rules; i++) {
		const struct policy_rule *rule = &d->policy.rules[i];

		if (strcmp(draft_rule_scheduler(d, rule)->name, s->name) == 0)
			continue;
		parse_report(p, d->rule_nodes[i],
			     "add a last rule without \"match\", with \"scheduler: NAME\"",
			     "rules for some connections need a BPF scheduler for the others");
		return;
	}
}

void check_rules(struct parse *p)
{
	const struct policy *policy = &p->draft.policy;
	size_t weight = 0;

	if (policy->nr_rules == 0)
		return;
	/* A scheduler with a mistake in it may be the very one that seems to be missing. */
	if (p->diagnostics->total == 0)
		check_default(p);
	for (size_t i = 0; i < policy->nr_rules; i++) {
		size_t before = weight;

		weight += policy_rule_weight(&policy->rules[i]);
		if (before <= POLICY_RULES_MAX && weight > POLICY_RULES_MAX)
			parse_report(p, p->draft.rule_nodes[i], "use ranges of ports",
				     "too many rules: with each listed port counted they are more "
				     "than %d",
				     POLICY_RULES_MAX);
		if (!p->draft.rule_broken[i])
			check_rule(p, i);
	}
}
