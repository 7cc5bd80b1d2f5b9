// SPDX-License-Identifier: GPL-2.0-only
/* The section that tunes modes and makes new ones. */
#include <stdio.h>
#include <string.h>

#include "policy/check.h"
#include "policy/handlers.h"

static bool is_off(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->plain &&
	       (strcmp(n->text, "off") == 0 || strcmp(n->text, "no") == 0 ||
		strcmp(n->text, "false") == 0);
}

static bool read_number(struct parse *p, const char *what, const struct value *v,
			const struct node *n, uint64_t *out)
{
	return v->kind == VALUE_INTEGER ? parse_integer(p, what, v, n, out)
					: parse_quantity(p, what, v, n, out);
}

/* Each key of the mapping is read once and put where handle_threshold() looks. */
static void handle_bound(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	uint64_t number;

	if (read_number(p, key->name, key->value, n, &number))
		memcpy((char *)object + key->offset, &number, sizeof(number));
}

/*
 * `enter` alone, or both. Two thirds of it are where a path is good again when that is not said:
 * the proportion that iOS has.
 */
static bool read_threshold(struct parse *p, const struct key *key, const struct node *n,
			   struct policy_threshold *out)
{
	struct value low = *key->value->element;
	const struct key bounds[] = {
		{ .name = "enter",
		  .value = key->value->element,
		  .handle = handle_bound,
		  .offset = offsetof(struct policy_threshold, enter),
		  .required = true },
		{ .name = "leave",
		  .value = &low,
		  .handle = handle_bound,
		  .offset = offsetof(struct policy_threshold, leave) },
	};
	const struct value mapping = { VALUE_OBJECT, KEYS(bounds) };
	size_t before = p->diagnostics->total;

	low.min = 0;
	*out = (struct policy_threshold){ 0 };
	if (is_off(n))
		return true;
	if (n->kind == NODE_MAP)
		parse_object(p, key->name, &mapping, n, out);
	else
		read_number(p, key->name, key->value->element, n, &out->enter);
	if (p->diagnostics->total != before)
		return false;
	if (!node_get(n, "leave"))
		out->leave = out->enter * 2 / 3;
	if (out->leave <= out->enter)
		return true;
	parse_report(p, node_get(n, "leave"),
		     "a path is bad from \"enter\" on, and good again at \"leave\" or below",
		     "\"leave\" is above \"enter\"");
	return false;
}

static void store_threshold(struct parse *p, const struct key *key, const struct node *n,
			    void *object, uint64_t factor, uint64_t divisor)
{
	struct policy_threshold t;

	if (!read_threshold(p, key, n, &t))
		return;
	t.enter = t.enter * factor / divisor;
	t.leave = t.leave * factor / divisor;
	memcpy((char *)object + key->offset, &t, sizeof(t));
}

static void handle_delay(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	store_threshold(p, key, n, object, 1000, 1);
}

static void handle_portion(struct parse *p, const struct key *key, const struct node *n,
			   void *object)
{
	store_threshold(p, key, n, object, 1, 1000);
}

static void handle_threshold(struct parse *p, const struct key *key, const struct node *n,
			     void *object)
{
	store_threshold(p, key, n, object, 1, 1);
}

static void handle_alpha(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	uint64_t ppm;
	uint32_t permille;

	if (!parse_quantity(p, key->name, key->value, n, &ppm))
		return;
	permille = (uint32_t)(ppm / 1000);
	memcpy((char *)object + key->offset, &permille, sizeof(permille));
}

static struct draft_mode *find_mode(struct draft *d, const char *name)
{
	for (size_t i = 0; i < d->nr_modes; i++)
		if (strcmp(d->modes[i].mode.name, name) == 0)
			return &d->modes[i];
	return NULL;
}

/* Of a mode with a name of its own; a built-in one is what it is. */
static void handle_kind(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct draft_mode *m = object;

	if (m < &p->draft.modes[MODES_BUILTIN])
		parse_report(p, n, "give the mode a name of its own",
			     "the kind of built-in mode \"%s\" is fixed", m->mode.name);
	else
		handle_word(p, key, n, object);
}

/* What the kind is decides what the other keys start from, wherever it stands. */
static void start_mode(struct draft_mode *m, const char *name, const struct node *kind)
{
	for (size_t i = 0; kind->kind == NODE_SCALAR && i < MODES_BUILTIN; i++)
		if (strcmp(grammar_kinds[i].name, kind->text) == 0)
			m->mode =
				*policy_mode_builtin((enum policy_mode_kind)grammar_kinds[i].value);
	snprintf(m->mode.name, sizeof(m->mode.name), "%s", name);
}

static struct draft_mode *add_mode(struct parse *p, const struct value *value,
				   const struct node *name, const struct node *kind)
{
	struct draft *d = &p->draft;
	const char *candidates[MODES_BUILTIN];
	char hint[sizeof(((struct policy_diagnostic *)0)->hint)];

	if (!parse_is_text(p, "a mode's name", value, name))
		return NULL;
	if (!kind) {
		for (size_t i = 0; i < MODES_BUILTIN; i++)
			candidates[i] = d->modes[i].mode.name;
		parse_suggest(name->text, candidates, MODES_BUILTIN,
			      "for one of your own add \"kind\"", hint, sizeof(hint));
		parse_report(p, name, hint, "there is no built-in mode \"%s\"", name->text);
		return NULL;
	}
	if (d->nr_modes == POLICY_MODES_MAX) {
		parse_report(p, name, NULL, "there are more than %d modes of your own",
			     POLICY_MODES_MAX - MODES_BUILTIN);
		return NULL;
	}
	start_mode(&d->modes[d->nr_modes], name->text, kind);
	return &d->modes[d->nr_modes++];
}

static void read_mode(struct parse *p, const struct value *value, const struct node *name,
		      const struct node *n)
{
	struct draft_mode *m = find_mode(&p->draft, name->text);
	size_t before = p->diagnostics->total;

	if (!parse_is_map(p, name->text, n))
		return;
	if (!m)
		m = add_mode(p, value, name, node_get(n, "kind"));
	if (!m)
		return;
	parse_object(p, name->text, value->element, n, m);
	if (p->diagnostics->total == before && node_get(n, "target") &&
	    m->mode.kind != POLICY_MODE_TARGET)
		parse_report(p, node_get(n, "target"), "only modes of kind \"target\" have one",
			     "\"target\" does nothing in mode \"%s\"", m->mode.name);
}

void handle_modes(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	(void)object;
	if (!parse_is_map(p, key->name, n))
		return;
	for (size_t i = 0; i + 1 < n->nr; i += 2)
		if (parse_is_new_key(p, n, i) && n->items[i + 1].kind != NODE_BROKEN)
			read_mode(p, key->value, &n->items[i], &n->items[i + 1]);
}

static const struct value delay = { VALUE_QUANTITY, QUANTITY_MS, .min = 1, .max = 600000 };
static const struct value portion = { VALUE_QUANTITY, QUANTITY_PPM, .min = 1000, .max = 1000000 };
static const struct value times = { VALUE_INTEGER, .min = 1, .max = 15 };
static const struct value period = { VALUE_QUANTITY, QUANTITY_MS, .min = 20, .max = 60000 };
static const struct value hold = { VALUE_QUANTITY, QUANTITY_MS, .max = 3600000 };
static const struct value amount = { VALUE_QUANTITY, QUANTITY_BYTES, .max = 1ull << 40 };
static const struct value rate = {
	VALUE_QUANTITY, QUANTITY_BPS, .min = 1000,
	.max = 34000000000, /* the scheduler counts bytes a second in 32 bits */
};
static const struct value delays = { VALUE_THRESHOLD, .element = &delay };
static const struct value portions = { VALUE_THRESHOLD, .element = &portion };
static const struct value counts = { VALUE_THRESHOLD, .element = &times };
static const struct value kind = { VALUE_WORD, WORDS(grammar_kinds) };

#define AT(member) offsetof(struct policy_switch, member)
static const struct key switch_keys[] = {
	{ .name = "rtt", &delays, handle_delay, AT(rtt_us), "Smoothed round-trip time." },
	{ .name = "rto", &delays, handle_delay, AT(rto_us), "Retransmission timeout." },
	{ .name = "loss",
	  &portions,
	  handle_portion,
	  AT(loss_permille),
	  "Share of what was sent that TCP holds for lost, as a moving average." },
	{ .name = "resent",
	  &portions,
	  handle_portion,
	  AT(resent_permille),
	  "Share of what was sent that was sent again, as a moving average." },
	{ .name = "timeouts",
	  &counts,
	  handle_threshold,
	  AT(timeouts),
	  "Retransmission timeouts in a row." },
	{ .name = "stall",
	  &delays,
	  handle_threshold,
	  AT(stall_ms),
	  "Time since anything was acknowledged, with something to be acknowledged, or since "
	  "anything came, with a request unanswered." },
	{ .name = "alpha",
	  &portion,
	  handle_alpha,
	  AT(alpha_permille),
	  "Weight of the newest sample in the averages.",
	  "50%" },
	{ .name = "period",
	  &period,
	  handle_quantity32,
	  AT(period_ms),
	  "Time between two samples.",
	  "500ms" },
};
#undef AT
static const struct value switches = { VALUE_OBJECT, KEYS(switch_keys) };

#define AT(member) offsetof(struct draft_mode, member)
static const struct key open_keys[] = {
	{ .name = "time",
	  &hold,
	  handle_quantity32,
	  offsetof(struct policy_mode, open_after_ms),
	  "Age of the connection." },
	{ .name = "bytes",
	  &amount,
	  handle_quantity,
	  offsetof(struct policy_mode, open_after_bytes),
	  "What it has sent and received." },
};
static const struct value open_after = { VALUE_OBJECT, KEYS(open_keys) };

static const struct key mode_keys[] = {
	{ .name = "kind",
	  &kind,
	  handle_kind,
	  AT(mode.kind),
	  "The built-in mode that one with a name of your own is made from." },
	{ .name = "scheduler",
	  &grammar_scheduler,
	  handle_scheduler,
	  AT(scheduler),
	  "Packet scheduler of the mode; comes before the one at the top." },
	{ .name = "switch", &switches, handle_object, AT(mode.when_bad), "When a path is bad." },
	{ .name = "hold",
	  &hold,
	  handle_quantity32,
	  AT(mode.hold_ms),
	  "How long a path stays good, or bad, at least before it is the other." },
	{ .name = "open-after",
	  &open_after,
	  handle_object,
	  AT(mode),
	  "What a connection must have reached before it gets a second subflow.",
	  "at once" },
	{ .name = "target",
	  &rate,
	  handle_quantity,
	  AT(mode.target_bps),
	  "Mode target: the rate below which dearer paths help.",
	  "5mbit" },
};
#undef AT
static const struct value mode = { VALUE_OBJECT, KEYS(mode_keys) };

#define MODE_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
const struct value grammar_modes = {
	VALUE_MODES,
	WORDS(grammar_kinds),
	.element = &mode,
	.pattern = MODE_PATTERN,
	.expected = "up to 63 letters, digits, \".\", \"_\" or \"-\", the first a letter or digit",
};
const struct value grammar_mode_ref = {
	VALUE_MODE,
	WORDS(grammar_kinds),
	.pattern = MODE_PATTERN,
	.expected = "the name of a mode",
};
