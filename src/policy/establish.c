// SPDX-License-Identifier: GPL-2.0-only
/* The section about how connections get established. */
#include <stdio.h>

#include "policy/check.h"
#include "policy/handlers.h"

#define TIMER_MS     250
#define LEARN_TTL_MS (7 * 86400000ull)
#define EXPLORE_PPM  20000

static const struct word robes[] = {
	{ "ips", POLICY_ROBE_IPS },
	{ "timer", POLICY_ROBE_TIMER },
	{ "sim", POLICY_ROBE_SIM },
};

static const struct value robe = { VALUE_SWITCHES, WORDS(robes) };
static const struct value timer = { VALUE_QUANTITY, QUANTITY_MS, .min = 20, .max = 3000 };
static const struct value learn_ttl = {
	VALUE_QUANTITY,
	QUANTITY_MS,
	.min = 1000,
	.max = 365 * 86400000ull,
};
static const struct value explore = { VALUE_QUANTITY, QUANTITY_PPM, .max = 500000 };
static const struct value syn_retries = { VALUE_INTEGER, .max = 128 };

void handle_establish(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_establish *x = (void *)((char *)object + key->offset);
	size_t before = p->diagnostics->total;

	*x = (struct policy_establish){
		.timer_ms = TIMER_MS,
		.learn_ttl_ms = LEARN_TTL_MS,
		.explore_ppm = EXPLORE_PPM,
	};
	parse_object(p, key->name, key->value, n, x);
	x->has_syn_retries = node_get(n, "fallback-syn-retries");
	p->draft.establish_broken = p->diagnostics->total != before;
}

void parse_destinations(struct parse *p, const struct key *key, const struct node *n,
			struct policy_destination *out, size_t *nr_out)
{
	size_t nr = parse_list_length(p, key, n), ranges = 0;

	for (size_t i = 0; i < nr; i++)
		if (n->items[i].kind != NODE_BROKEN)
			parse_object(p, "a destination", key->value->element, &n->items[i],
				     &out[(*nr_out)++]);
	for (size_t i = 0; i < *nr_out; i++)
		ranges += out[i].port.nr ? out[i].port.nr : 1;
	if (ranges > POLICY_DEST_RANGES_MAX)
		parse_report(p, n, "write fewer, or ranges such as 8000-8010",
			     "\"%s\" has %zu destinations and ranges of ports, %d are possible",
			     key->name, ranges, POLICY_DEST_RANGES_MAX);
}

void handle_idempotent(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_establish *x = object;

	parse_destinations(p, key, n, x->idempotent, &x->nr_idempotent);
}

static void check_without(struct parse *p, const struct node *establish, const char *key,
			  unsigned int needs, const char *words)
{
	char hint[64];

	if (!node_get(establish, key) || (p->draft.policy.establish.robe & needs))
		return;
	snprintf(hint, sizeof(hint), "add %s to \"robe\" or leave it out", words);
	parse_report(p, node_get(establish, key), hint, "\"%s\" does nothing without %s", key,
		     words);
}

void check_establish(struct parse *p, const struct node *root)
{
	const unsigned int race = POLICY_ROBE_TIMER | POLICY_ROBE_SIM;
	const struct node *establish = node_get(root, "establish");

	if (!establish || p->draft.establish_broken)
		return;
	if ((p->draft.policy.establish.robe & race) == race)
		parse_report(p, node_get(establish, "robe"), "keep one of them",
			     "\"timer\" and \"sim\" exclude each other");
	check_without(p, establish, "timer", race, "timer or sim");
	check_without(p, establish, "idempotent", race, "timer or sim");
	check_without(p, establish, "learn", POLICY_ROBE_IPS, "ips");
}

static const struct key learn_keys[] = {
	{ .name = "ttl",
	  &learn_ttl,
	  handle_quantity,
	  offsetof(struct policy_establish, learn_ttl_ms),
	  "How long something learned about a path counts when nothing new comes.",
	  "7d" },
	{ .name = "explore",
	  &explore,
	  handle_quantity32,
	  offsetof(struct policy_establish, explore_ppm),
	  "Share of the connections that try a path which is not known to be the best.",
	  "2%" },
};
static const struct value learn = { VALUE_OBJECT, KEYS(learn_keys) };

static const struct key destination_keys[] = {
	{ .name = "prefix",
	  &grammar_prefix,
	  handle_prefix,
	  offsetof(struct policy_destination, prefix),
	  "Address of the peer, or the prefix it is in; any when left out." },
	{ .name = "port",
	  &grammar_ports,
	  handle_ports,
	  offsetof(struct policy_destination, port),
	  "Port of the peer: a number, a range, or a list of them; any when left out." },
};
static const struct value destination = { VALUE_OBJECT, KEYS(destination_keys) };
const struct value grammar_destinations = {
	VALUE_LIST,
	.element = &destination,
	.max = POLICY_DEST_MAX,
};

static const struct key establish_keys[] = {
	{ .name = "robe",
	  &robe,
	  handle_switches,
	  offsetof(struct policy_establish, robe),
	  "What is done about a first path that does not answer: ips chooses it by what was "
	  "learned, timer sends an unanswered SYN on the next path too, sim sends it on two at "
	  "once.",
	  "off" },
	{ .name = "timer",
	  &timer,
	  handle_quantity,
	  offsetof(struct policy_establish, timer_ms),
	  "How long a SYN may stay unanswered before it is sent again, with timer on the next "
	  "path.",
	  "250ms" },
	{ .name = "learn", &learn, handle_object, 0, "How ips learns." },
	{ .name = "fallback-syn-retries",
	  &syn_retries,
	  handle_integer,
	  offsetof(struct policy_establish, fallback_syn_retries),
	  "Retransmitted SYNs that still ask for MPTCP; 128: all. The kernel's setting is left "
	  "alone when absent." },
	{ .name = "idempotent",
	  &grammar_destinations,
	  handle_idempotent,
	  0,
	  "Destinations where a SYN with data may be sent twice." },
};
const struct value grammar_establish = { VALUE_OBJECT, KEYS(establish_keys) };
