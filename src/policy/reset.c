// SPDX-License-Identifier: GPL-2.0-only
/* `reset`: reasons by the names of RFC 8684, what is said and what is done about what is heard. */
#include <errno.h>
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"

#define AFTER_MS_MIN   100
#define AFTER_MS_MAX   (7 * 86400000ull)
#define RESOURCES_MS   30000
#define MIDDLEBOX_MS   (6 * 3600 * 1000)
#define RETRY_EXPECTED "never, once, back-off, hold or a time from 100ms to 7d"

static const char *const names[] = {
	[POLICY_RESET_UNSPECIFIED] = "unspecified",
	[POLICY_RESET_MPTCP] = "mptcp-specific-error",
	[POLICY_RESET_RESOURCES] = "lack-of-resources",
	[POLICY_RESET_PROHIBITED] = "administratively-prohibited",
	[POLICY_RESET_OUTSTANDING] = "too-much-outstanding-data",
	[POLICY_RESET_PERFORMANCE] = "unacceptable-performance",
	[POLICY_RESET_MIDDLEBOX] = "middlebox-interference",
};
_Static_assert(ARRAY_SIZE(names) == POLICY_RESET_REASONS, "a reason has no name");

/* What the RFC leaves to the host; a stock peer resets with "unspecified, not transient". */
static const struct policy_reaction defaults[] = {
	[POLICY_RESET_UNSPECIFIED] = { .retry = POLICY_RETRY_BACK_OFF, .transient_only = true },
	[POLICY_RESET_MPTCP] = { .retry = POLICY_RETRY_BACK_OFF, .transient_only = true },
	[POLICY_RESET_RESOURCES] = { .retry = POLICY_RETRY_AFTER, .after_ms = RESOURCES_MS },
	[POLICY_RESET_PROHIBITED] = { .retry = POLICY_RETRY_NEVER },
	[POLICY_RESET_OUTSTANDING] = { .retry = POLICY_RETRY_ONCE },
	[POLICY_RESET_PERFORMANCE] = { .retry = POLICY_RETRY_HOLD, .as_backup = true },
	[POLICY_RESET_MIDDLEBOX] = { .retry = POLICY_RETRY_AFTER, .after_ms = MIDDLEBOX_MS },
};
_Static_assert(ARRAY_SIZE(defaults) == POLICY_RESET_REASONS, "a reason has no reaction");

const struct policy_reaction *policy_reset_reaction(const struct policy *policy, uint32_t reason)
{
	if (reason >= POLICY_RESET_REASONS)
		reason = POLICY_RESET_UNSPECIFIED;
	return policy->reset.react[reason].retry ? &policy->reset.react[reason] : &defaults[reason];
}

const char *policy_reset_name(uint32_t reason)
{
	return reason < POLICY_RESET_REASONS ? names[reason] : NULL;
}

int policy_reset_parse(const char *name, enum policy_reset_reason *out)
{
	for (unsigned int i = 0; i < POLICY_RESET_REASONS; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum policy_reset_reason)i;
			return 0;
		}
	}
	return -EINVAL;
}

static const struct word retries[] = {
	{ "never", POLICY_RETRY_NEVER },
	{ "once", POLICY_RETRY_ONCE },
	{ "back-off", POLICY_RETRY_BACK_OFF },
	{ "hold", POLICY_RETRY_HOLD },
};
static const struct value boolean = { .kind = VALUE_BOOL };
static const struct value after = {
	VALUE_QUANTITY,
	QUANTITY_MS,
	.min = AFTER_MS_MIN,
	.max = AFTER_MS_MAX,
};
static const struct value retry = {
	VALUE_MODE,
	WORDS(retries),
	.pattern = "^(never|once|back-off|hold|[0-9]{1,12}(ms|s|min|h|d))$",
	.expected = RETRY_EXPECTED,
};

static void handle_retry(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_reaction *r = object;

	for (size_t i = 0; n->kind == NODE_SCALAR && i < ARRAY_SIZE(retries); i++) {
		if (strcmp(retries[i].name, n->text) == 0) {
			r->retry = (enum policy_retry)retries[i].value;
			return;
		}
	}
	if (parse_is_text(p, key->name, key->value, n) &&
	    parse_quantity(p, key->name, &after, n, &r->after_ms))
		r->retry = POLICY_RETRY_AFTER;
}

static const struct key reaction_keys[] = {
	{ .name = "retry",
	  &retry,
	  handle_retry,
	  0,
	  "When the subflow is opened again: never, once (now, and not a second time), back-off, "
	  "hold (that of the mode) or after a time." },
	{ .name = "as-backup",
	  &boolean,
	  handle_bool,
	  offsetof(struct policy_reaction, as_backup),
	  "Whether the new subflow is a backup." },
	{ .name = "transient-only",
	  &boolean,
	  handle_bool,
	  offsetof(struct policy_reaction, transient_only),
	  "Whether it is opened only when the peer said that the reason will pass (T bit)." },
};
static const struct value reaction = { VALUE_OBJECT, KEYS(reaction_keys) };

/* What is not said stays as it is without a policy; but who says when means it with and without the
 * T bit. */
static void handle_reaction(struct parse *p, const struct key *key, const struct node *n,
			    void *object)
{
	struct policy_reaction *r = (struct policy_reaction *)((char *)object + key->offset);

	for (size_t i = 0; i < POLICY_RESET_REASONS; i++)
		if (strcmp(names[i], key->name) == 0)
			*r = defaults[i];
	if (node_get(n, "retry"))
		r->transient_only = false;
	parse_object(p, key->name, key->value, n, r);
	if (r->retry != POLICY_RETRY_NEVER)
		return;
	if (r->as_backup && node_get(n, "as-backup"))
		parse_report(p, node_get(n, "as-backup"),
			     "give it another \"retry\", or leave it out",
			     "\"as-backup\" means nothing with retry \"never\"");
	if (r->transient_only)
		parse_report(p, node_get(n, "transient-only"),
			     "give it another \"retry\", or leave it out",
			     "\"transient-only\" means nothing with retry \"never\"");
}

#define REACT(reason, text)                                    \
	{                                                      \
		.name = (text), &reaction, handle_reaction,    \
		offsetof(struct policy_reset, react[reason]),  \
		"What is done after a reset with this reason." \
	}
static const struct key react_keys[] = {
	REACT(POLICY_RESET_UNSPECIFIED, "unspecified"),
	REACT(POLICY_RESET_MPTCP, "mptcp-specific-error"),
	REACT(POLICY_RESET_RESOURCES, "lack-of-resources"),
	REACT(POLICY_RESET_PROHIBITED, "administratively-prohibited"),
	REACT(POLICY_RESET_OUTSTANDING, "too-much-outstanding-data"),
	REACT(POLICY_RESET_PERFORMANCE, "unacceptable-performance"),
	REACT(POLICY_RESET_MIDDLEBOX, "middlebox-interference"),
};
static const struct value react = { VALUE_OBJECT, KEYS(react_keys) };

static const struct key emitted_keys[] = {
	{ .name = "transient",
	  &boolean,
	  handle_bool,
	  0,
	  "Whether the peer is told that the reason will pass and it may try again (T bit).",
	  .required = true },
};
static const struct value emitted = { VALUE_OBJECT, KEYS(emitted_keys) };

static void handle_emitted(struct parse *p, const struct key *key, const struct node *n,
			   void *object)
{
	struct policy_reset *reset = object;

	reset->emits = true;
	for (size_t i = 0; i < POLICY_RESET_REASONS; i++) {
		if (strcmp(names[i], key->name) != 0)
			continue;
		reset->emit[i].set = true;
		parse_object(p, key->name, key->value, n, &reset->emit[i].transient);
	}
}

#define EMIT(text, when)                                          \
	{                                                         \
		.name = (text), &emitted, handle_emitted, 0, when \
	}
#define NEVER_EMITTED(text)                                          \
	{                                                            \
		.name = (text), &emitted, handle_emitted, 0,         \
		.refused = "subflows are not closed for this reason" \
	}
static const struct key emit_keys[] = {
	EMIT("unacceptable-performance", "Of a subflow on a path that is bad."),
	EMIT("administratively-prohibited",
	     "Of a subflow on a path that a cap, a schedule or a person has closed."),
	EMIT("lack-of-resources", "Of a subflow that is one too many for the limits."),
	NEVER_EMITTED("unspecified"),
	NEVER_EMITTED("mptcp-specific-error"),
	NEVER_EMITTED("too-much-outstanding-data"),
	NEVER_EMITTED("middlebox-interference"),
};
static const struct value emit = { VALUE_OBJECT, KEYS(emit_keys) };

static const struct key reset_keys[] = {
	{ .name = "emit",
	  &emit,
	  handle_object,
	  0,
	  "Reasons that the peer is told, with a reset, when a subflow is dropped; without them "
	  "it is closed as any other." },
	{ .name = "react",
	  &react,
	  handle_object,
	  0,
	  "What is done when the peer resets a subflow, by its reason." },
};
const struct value grammar_reset = { VALUE_OBJECT, KEYS(reset_keys) };

void handle_reset(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_reset *reset = (struct policy_reset *)((char *)object + key->offset);

	reset->set = true;
	parse_object(p, key->name, key->value, n, reset);
}

void check_reset(struct parse *p, const struct node *root)
{
	if (p->draft.policy.reset.emits && !node_get(root, "paths"))
		parse_report(p, node_get(node_get(root, "reset"), "emit"),
			     "say which interfaces are meant, in \"paths\"",
			     "\"emit\" has nothing to drop: there are no paths");
}
