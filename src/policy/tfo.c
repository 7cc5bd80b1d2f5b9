// SPDX-License-Identifier: GPL-2.0-only
/* `tfo`: whether, and to whom, data rides in the SYN of a connection (TCP Fast Open, RFC 7413). */
#include "policy/check.h"
#include "policy/handlers.h"

#define BLACKHOLE_MS 3600000u

static const struct word servers[] = {
	{ "off", POLICY_TFO_SERVER_OFF },
	{ "asked", POLICY_TFO_SERVER_ASKED },
	{ "all", POLICY_TFO_SERVER_ALL },
};
_Static_assert(ARRAY_SIZE(servers) == POLICY_TFO_SERVER_ALL, "a server setting has no name");

static const struct word sides[] = {
	{ "client", POLICY_TFO_NO_COOKIE_CLIENT },
	{ "server", POLICY_TFO_NO_COOKIE_SERVER },
};

static const struct value client = { .kind = VALUE_BOOL };
static const struct value server = { VALUE_WORD, WORDS(servers) };
static const struct value no_cookie = { VALUE_SWITCHES, WORDS(sides) };
static const struct value blackhole = { VALUE_QUANTITY, QUANTITY_MS, .max = 365 * 86400000ull };

void handle_tfo(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_tfo *tfo = (struct policy_tfo *)((char *)object + key->offset);
	size_t before = p->diagnostics->total;

	tfo->blackhole_ms = BLACKHOLE_MS;
	parse_object(p, key->name, key->value, n, tfo);
	p->draft.tfo_broken = p->diagnostics->total != before;
}

void handle_tfo_to(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	struct policy_tfo *tfo = object;

	parse_destinations(p, key, n, tfo->to, &tfo->nr_to);
}

static void check_needs(struct parse *p, const struct node *n, const char *name, bool met,
			const char *needs)
{
	if (n && !met)
		parse_report(p, n, "add it or leave this out", "\"%s\" does nothing without \"%s\"",
			     name, needs);
}

void check_tfo(struct parse *p, const struct node *root)
{
	const struct policy_tfo *tfo = &p->draft.policy.tfo;
	const struct node *n = node_get(root, "tfo"), *no = n ? node_get(n, "no-cookie") : NULL;
	bool is_client = tfo->client == POLICY_YES;
	bool is_server = tfo->server >= POLICY_TFO_SERVER_ASKED;

	if (!n || p->draft.tfo_broken)
		return;
	check_needs(p, node_get(n, "to"), "to", is_client, "client: on");
	check_needs(p, node_get(n, "blackhole"), "blackhole", is_client, "client: on");
	if (tfo->no_cookie & POLICY_TFO_NO_COOKIE_CLIENT)
		check_needs(p, no, "no-cookie: [client]", is_client, "client: on");
	if (tfo->no_cookie & POLICY_TFO_NO_COOKIE_SERVER)
		check_needs(p, no, "no-cookie: [server]", is_server, "server: asked or all");
	if (tfo->no_cookie & POLICY_TFO_NO_COOKIE_CLIENT && tfo->nr_to)
		parse_report(p, no,
			     "leave \"to\" out, or give routes to these destinations "
			     "fastopen_no_cookie (ip-route(8))",
			     "\"no-cookie: [client]\" is for all destinations, \"to\" lists some");
	/* What is on the way of SYNs is on the interfaces of paths. */
	if (is_client && tfo->nr_to && !node_get(root, "paths"))
		parse_report(p, node_get(n, "to"), "say which interfaces are meant, in \"paths\"",
			     "\"to\" has nowhere to be looked after: there are no paths");
}

static const struct key tfo_keys[] = {
	{ .name = "client",
	  &client,
	  handle_tristate,
	  offsetof(struct policy_tfo, client),
	  "Whether applications that ask for it may send data in the SYN; the kernel's setting is "
	  "left alone when absent." },
	{ .name = "to",
	  &grammar_destinations,
	  handle_tfo_to,
	  0,
	  "The only destinations that get data in the SYN; it is taken out of SYNs to others and "
	  "follows later." },
	{ .name = "server",
	  &server,
	  handle_word,
	  offsetof(struct policy_tfo, server),
	  "Whether servers take data from the SYN: off, those that asked for it, or all that begin "
	  "to listen; the kernel's setting is left alone when absent." },
	{ .name = "no-cookie",
	  &no_cookie,
	  handle_switches,
	  offsetof(struct policy_tfo, no_cookie),
	  "Who does without the cookie that shows that the client's address is its own: client, "
	  "server.",
	  "off" },
	{ .name = "blackhole",
	  &blackhole,
	  handle_quantity,
	  offsetof(struct policy_tfo, blackhole_ms),
	  "For how long a destination gets no data in the SYN after such SYNs were lost twice in a "
	  "row on the way to it; 0s: that is not watched.",
	  "1h" },
};
const struct value grammar_tfo = { VALUE_OBJECT, KEYS(tfo_keys) };
