// SPDX-License-Identifier: GPL-2.0-only
/* How much paths may move, and at what times they may be used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"

#define HOURS_PATTERN                     \
	"^([01][0-9]|2[0-3]):[0-5][0-9]-" \
	"(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
#define EVERY_DAY 0x7f

static const struct word days[] = {
	{ "sun", 1 << 0 }, { "mon", 1 << 1 }, { "tue", 1 << 2 }, { "wed", 1 << 3 },
	{ "thu", 1 << 4 }, { "fri", 1 << 5 }, { "sat", 1 << 6 },
};

static const struct word periods[] = {
	{ "day", POLICY_PER_DAY },
	{ "month", POLICY_PER_MONTH },
};
_Static_assert(ARRAY_SIZE(periods) == POLICY_PER_MONTH + 1, "a period has no name");

static const struct word actions[] = {
	{ "backup", POLICY_CAP_BACKUP },
	{ "close", POLICY_CAP_CLOSE },
	{ "notify", POLICY_CAP_NOTIFY },
};
_Static_assert(ARRAY_SIZE(actions) == POLICY_CAP_NOTIFY + 1, "an action has no name");

static uint16_t minutes(const char *text)
{
	return (uint16_t)(((text[0] - '0') * 10 + text[1] - '0') * 60 + (text[3] - '0') * 10 +
			  text[4] - '0');
}

static void read_hours(struct parse *p, const struct key *key, const struct node *n,
		       struct policy_when *when)
{
	struct policy_hours *hours = &when->hours[when->nr_hours];

	if (n->kind == NODE_BROKEN || !parse_is_text(p, key->name, key->value, n))
		return;
	hours->from = minutes(n->text);
	hours->to = minutes(n->text + strlen("00:00-"));
	if (hours->from == hours->to)
		parse_report(p, n, "leave \"time\" out for the whole day",
			     "\"%s\" is no time at all", n->text);
	else
		when->nr_hours++;
}

static void handle_hours(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_when *when = object;
	size_t nr;

	if (n->kind != NODE_LIST) {
		read_hours(p, key, n, when);
		return;
	}
	nr = parse_list_length(p, key, n);
	for (size_t i = 0; i < nr; i++)
		read_hours(p, key, &n->items[i], when);
}

void handle_when(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_when *when = (void *)((char *)object + key->offset);

	when->days = EVERY_DAY;
	parse_object(p, key->name, key->value, n, when);
}

void handle_caps(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct draft *draft = object;
	struct policy *policy = &draft->policy;
	size_t nr = parse_list_length(p, key, n);

	policy->caps = nr ? calloc(nr, sizeof(*policy->caps)) : NULL;
	if (nr && !policy->caps)
		p->no_memory = true;
	for (size_t i = 0; policy->caps && i < nr; i++) {
		struct policy_cap *cap = &policy->caps[policy->nr_caps];
		size_t before = p->diagnostics->total;

		if (n->items[i].kind == NODE_BROKEN)
			continue;
		cap->line = n->items[i].line;
		parse_object(p, "a cap", key->value->element, &n->items[i], cap);
		draft->cap_nodes[policy->nr_caps] = &n->items[i];
		draft->cap_broken[policy->nr_caps++] = p->diagnostics->total != before;
	}
}

void check_caps(struct parse *p)
{
	const struct policy *policy = &p->draft.policy;
	char hint[64];

	for (size_t i = 0; i < policy->nr_caps; i++) {
		const struct policy_cap *cap = &policy->caps[i];

		for (size_t n = 0; n < i && !p->draft.cap_broken[i]; n++) {
			const struct policy_cap *other = &policy->caps[n];

			if (p->draft.cap_broken[n] || other->path != cap->path ||
			    other->per != cap->per || other->then != cap->then)
				continue;
			snprintf(hint, sizeof(hint), "the first one stands on line %u",
				 other->line);
			parse_report(p, p->draft.cap_nodes[i], hint,
				     "there is already such a cap for path \"%s\"",
				     policy->paths[cap->path].name);
			break;
		}
	}
}

static const struct value hours = {
	VALUE_TEXTS,
	.max = POLICY_HOURS_MAX,
	.pattern = HOURS_PATTERN,
	.expected = "a time such as 22:00-06:00, or a list of them",
};
static const struct value day_list = { VALUE_FLAGS, WORDS(days) };
static const struct key when_keys[] = {
	{ .name = "time",
	  &hours,
	  handle_hours,
	  0,
	  "Part of the day such as 22:00-06:00, local time, or a list of them.",
	  "all day" },
	{ .name = "days",
	  &day_list,
	  handle_flags,
	  offsetof(struct policy_when, days),
	  "Days of the week; a time past midnight belongs to the day it begins on.",
	  "all of them" },
};
const struct value grammar_when = { VALUE_OBJECT, KEYS(when_keys) };

static const struct value path_name = {
	VALUE_TEXT,
	.pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
	.expected = "the name of a path",
};
static const struct value amount = {
	VALUE_QUANTITY,
	QUANTITY_BYTES,
	.min = 1000,
	.max = 1000000000000000,
};
static const struct value period = { VALUE_WORD, WORDS(periods) };
static const struct value action = { VALUE_WORD, WORDS(actions) };
static const struct key cap_keys[] = {
	{ .name = "path", &path_name, handle_reference, 0, "Name of the path.", .required = true },
	{ .name = "bytes",
	  &amount,
	  handle_quantity,
	  offsetof(struct policy_cap, bytes),
	  "What its interfaces may move, both directions and all traffic counted.",
	  .required = true },
	{ .name = "per",
	  &period,
	  handle_word,
	  offsetof(struct policy_cap, per),
	  "The time it is for: day or month, local time.",
	  .required = true },
	{ .name = "then",
	  &action,
	  handle_word,
	  offsetof(struct policy_cap, then),
	  "What happens: backup (used only when nothing else is), close, or notify.",
	  "backup" },
};
static const struct value cap = { VALUE_OBJECT, KEYS(cap_keys) };
const struct value grammar_caps = { VALUE_LIST, .element = &cap, .max = POLICY_CAPS_MAX };
