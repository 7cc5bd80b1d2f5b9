// SPDX-License-Identifier: GPL-2.0-only
/* `guard`: its keys, how they are read, and what cannot be meant. */
#include "policy/check.h"
#include "policy/grammar.h"
#include "policy/handlers.h"

#define RATE_MAX 1000000

static const struct word prios[] = {
	{ "accept", POLICY_GUARD_PRIO_ACCEPT },
	{ "ignore-backup", POLICY_GUARD_PRIO_IGNORE_BACKUP },
	{ "ignore-all", POLICY_GUARD_PRIO_IGNORE_ALL },
	{ "rate", POLICY_GUARD_PRIO_RATE },
	{ "never-empty", POLICY_GUARD_PRIO_NEVER_EMPTY },
};
_Static_assert(ARRAY_SIZE(prios) == POLICY_GUARD_PRIO_NEVER_EMPTY + 1, "an action has no name");

static const struct word removes[] = {
	{ "accept", POLICY_GUARD_REMOVE_ACCEPT },
	{ "probe", POLICY_GUARD_REMOVE_PROBE },
	{ "ignore", POLICY_GUARD_REMOVE_IGNORE },
};
_Static_assert(ARRAY_SIZE(removes) == POLICY_GUARD_REMOVE_IGNORE + 1, "an action has no name");

static const struct word belows[] = {
	{ "normal", POLICY_GUARD_BELOW_NORMAL },
	{ "high", POLICY_GUARD_BELOW_HIGH },
};
_Static_assert(ARRAY_SIZE(belows) == POLICY_GUARD_BELOW_HIGH, "a level has no name");

static const struct value prio_word = { VALUE_WORD, WORDS(prios) };
static const struct value remove_word = { VALUE_WORD, WORDS(removes) };
static const struct value below = { VALUE_WORD, WORDS(belows) };
static const struct value rate = { VALUE_INTEGER, .min = 1, .max = RATE_MAX };

#define BELOW_HELP "Only on paths that are trusted less than this; without it on all."

static const struct key prio_keys[] = {
	{ .name = "action",
	  &prio_word,
	  handle_word,
	  offsetof(struct policy_guard, mp_prio.action),
	  "What is done with a request to make a subflow a backup, or no longer (MP_PRIO).",
	  .required = true },
	{ .name = "trust-below",
	  &below,
	  handle_word,
	  offsetof(struct policy_guard, mp_prio.below),
	  BELOW_HELP },
	{ .name = "per-minute",
	  &rate,
	  handle_integer,
	  offsetof(struct policy_guard, mp_prio.per_minute),
	  "With action rate: how many are obeyed on a subflow." },
};
static const struct value prio = { VALUE_ACTION, .element = &prio_word, KEYS(prio_keys) };

static const struct key remove_keys[] = {
	{ .name = "action",
	  &remove_word,
	  handle_word,
	  offsetof(struct policy_guard, rm_addr.action),
	  "What is done when an address is withdrawn (REMOVE_ADDR).",
	  .required = true },
	{ .name = "trust-below",
	  &below,
	  handle_word,
	  offsetof(struct policy_guard, rm_addr.below),
	  BELOW_HELP },
};
static const struct value remove_addr = { VALUE_ACTION, .element = &remove_word,
					  KEYS(remove_keys) };

static const struct key address_keys[] = {
	{ .name = "prefix",
	  &grammar_prefix,
	  handle_prefix,
	  offsetof(struct policy_destination, prefix),
	  "The address, or the prefix it is in.",
	  .required = true },
	{ .name = "port",
	  &grammar_ports,
	  handle_ports,
	  offsetof(struct policy_destination, port),
	  "Its port; any without.",
	  "any" },
};
static const struct value address = { VALUE_OBJECT, KEYS(address_keys) };
static const struct value addresses = {
	VALUE_LIST,
	.element = &address,
	.max = POLICY_GUARD_LIST_MAX,
};

static const struct key guard_keys[] = {
	{ .name = "mp-prio",
	  &prio,
	  handle_action,
	  0,
	  "Requests to make a subflow a backup: an action alone, or with what it needs.",
	  "accept" },
	{ .name = "rm-addr",
	  &remove_addr,
	  handle_action,
	  0,
	  "Withdrawn addresses: an action alone, or with the paths it is for.",
	  "accept" },
	{ .name = "add-addr",
	  &addresses,
	  handle_addresses,
	  0,
	  "The addresses that may be announced (ADD_ADDR); all without." },
	{ .name = "join-rate",
	  &rate,
	  handle_integer,
	  offsetof(struct policy_guard, joins_per_minute),
	  "How many subflows may be opened from outside, on each interface and in a minute." },
};
const struct value grammar_guard = { VALUE_OBJECT, KEYS(guard_keys) };

void handle_action(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	/* The action is the first of the keys. */
	struct key alone = key->value->keys[0];

	if (n->kind == NODE_MAP) {
		parse_object(p, key->name, key->value, n, object);
		return;
	}
	alone.name = key->name;
	handle_word(p, &alone, n, object);
}

void handle_addresses(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_guard *guard = object;
	size_t nr = parse_list_length(p, key, n), weight = 0;

	for (size_t i = 0; i < nr; i++) {
		struct policy_destination *at = &guard->add_addr[guard->nr_add_addr];

		if (n->items[i].kind == NODE_BROKEN)
			continue;
		parse_object(p, "an address", key->value->element, &n->items[i], at);
		guard->nr_add_addr++;
		weight += at->port.nr ? at->port.nr : 1;
	}
	if (weight > POLICY_GUARD_LIST_MAX)
		parse_report(p, n, "use ranges of ports",
			     "\"%s\" is too long: with each listed port counted it has more than "
			     "%d entries",
			     key->name, POLICY_GUARD_LIST_MAX);
}

void handle_guard(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_guard *guard = (struct policy_guard *)((char *)object + key->offset);

	guard->set = true;
	parse_object(p, key->name, key->value, n, guard);
}

void check_guard(struct parse *p, const struct node *root)
{
	const struct policy_guard *guard = &p->draft.policy.guard;
	const struct node *n = node_get(root, "guard"), *mp_prio;
	bool rated = guard->mp_prio.action == POLICY_GUARD_PRIO_RATE;

	if (!guard->set)
		return;
	if (!node_get(root, "paths"))
		parse_report(p, n, "say which interfaces are meant, in \"paths\"",
			     "\"guard\" has nothing to guard: there are no paths");
	mp_prio = node_get(n, "mp-prio");
	if (!mp_prio)
		return;
	/* What is wrong with the two themselves has been said. */
	if (rated && !node_get(mp_prio, "per-minute"))
		parse_report(p, mp_prio, "write { action: rate, per-minute: N }",
			     "action \"rate\" needs \"per-minute\"");
	else if (!rated && node_get(mp_prio, "per-minute") && node_get(mp_prio, "action"))
		parse_report(p, node_get(mp_prio, "per-minute"), "leave it out, or use rate",
			     "\"per-minute\" means nothing with this action");
}

bool policy_guard_applies(enum policy_guard_below level, enum policy_trust trust)
{
	switch (level) {
	case POLICY_GUARD_ALL:
		return true;
	case POLICY_GUARD_BELOW_NORMAL:
		return trust == POLICY_TRUST_LOW;
	case POLICY_GUARD_BELOW_HIGH:
		return trust != POLICY_TRUST_HIGH;
	}
	return true;
}
