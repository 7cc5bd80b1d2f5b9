// SPDX-License-Identifier: GPL-2.0-only
/* Events for people and programs; see event_lines.h. */
#include "cli/event_lines.h"

#include <inttypes.h>
#include <linux/mptcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/conn_views.h"
#include "util/json.h"

#define US_PER_SECOND	  1000000
#define EVENT_FLAGS_KNOWN (PM_EVENT_FLAG_DENY_JOIN_ID0 | PM_EVENT_FLAG_SERVER_SIDE)

/* One line: fields are written one after the other, in either form. */
struct line {
	FILE *out;
	bool json;
	struct json j;
};

static void put_uint(struct line *l, const char *key, uint64_t n)
{
	if (l->json)
		json_key_uint(&l->j, key, n);
	else
		fprintf(l->out, " %s=%" PRIu64, key, n);
}

/* A single word. */
static void put_word(struct line *l, const char *key, const char *word)
{
	if (l->json)
		json_key_string(&l->j, key, word);
	else
		fprintf(l->out, " %s=%s", key, word);
}

static void put_text(struct line *l, const char *key, const char *text)
{
	if (l->json)
		json_key_string(&l->j, key, text);
	else
		fprintf(l->out, " %s=\"%s\"", key, text);
}

static void put_bool(struct line *l, const char *key, bool b)
{
	if (l->json)
		json_key_bool(&l->j, key, b);
	else
		fprintf(l->out, " %s=%d", key, b);
}

/* There when true, as flags of `ip -j mptcp endpoint`. */
static void put_flag(struct line *l, const char *key, bool set)
{
	if (set && l->json)
		json_key_bool(&l->j, key, true);
	else if (set)
		fprintf(l->out, " %s", key);
}

static void put_token(struct line *l, uint32_t token)
{
	char text[16];

	snprintf(text, sizeof(text), "%08x", token);
	put_word(l, "token", text);
}

static void put_address(struct line *l, const char *v4, const char *v6, const struct pm_address *a)
{
	char text[INET6_ADDRSTRLEN];

	if (a->family)
		put_word(l, a->family == AF_INET ? v4 : v6, pm_address_text(a, text));
}

static void put_addresses(struct line *l, const struct pm_socket_pair *at)
{
	put_address(l, "saddr4", "saddr6", &at->local);
	put_address(l, "daddr4", "daddr6", &at->remote);
}

/* UTC, as ISO 8601 has it. */
static void write_time(FILE *out, uint64_t time_us)
{
	time_t s = (time_t)(time_us / US_PER_SECOND);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "%s.%06uZ", text, (unsigned int)(time_us % US_PER_SECOND));
}

static struct line begin(const struct event_lines *lines, uint64_t time_us, const char *name)
{
	struct line l = { .out = lines->out, .json = lines->json };

	if (!l.json) {
		write_time(l.out, time_us);
		fprintf(l.out, " [%16s]", name);
		return l;
	}
	json_init(&l.j, l.out, false);
	json_object_open(&l.j);
	json_key_uint(&l.j, "time_us", time_us);
	json_key_string(&l.j, "event", name);
	return l;
}

static void end(struct line *l)
{
	if (l->json) {
		json_object_close(&l->j);
		json_end(&l->j);
	} else {
		fputc('\n', l->out);
	}
	fflush(l->out);
}

static void put_reset(struct line *l, const struct pm_event *e)
{
	const char *reason = pm_reset_reason_text(e->reset_reason);

	if (pm_event_has(e, MPTCP_ATTR_RESET_REASON)) {
		put_uint(l, "reset_reason", e->reset_reason);
		if (reason)
			put_text(l, "reset_reason_text", reason);
	}
	if (pm_event_has(e, MPTCP_ATTR_RESET_FLAGS)) {
		put_uint(l, "reset_flags", e->reset_flags);
		put_flag(l, "transient", e->reset_flags & PM_RESET_FLAG_TRANSIENT);
	}
}

/* Who opened the connection is told by an attribute or, by newer kernels, by a flag as well; those
 * say nothing on the client. */
static void put_flags(struct line *l, const struct pm_event *e)
{
	put_flag(l, "server_side", e->server_side || (e->flags & PM_EVENT_FLAG_SERVER_SIDE));
	put_flag(l, "deny_join_id0", e->flags & PM_EVENT_FLAG_DENY_JOIN_ID0);
	if (e->flags & ~EVENT_FLAGS_KNOWN)
		put_uint(l, "rawflags", e->flags & ~EVENT_FLAGS_KNOWN);
}

void event_lines_event(const struct event_lines *lines, uint64_t time_us, const struct pm_event *e,
		       const char *dev)
{
	const char *name = pm_event_name(e->type);
	struct line l = begin(lines, time_us, name ? name : "UNKNOWN");

	if (!name)
		put_uint(&l, "type", e->type);
	if (pm_event_has(e, MPTCP_ATTR_TOKEN))
		put_token(&l, e->token);
	if (pm_event_has(e, MPTCP_ATTR_REM_ID))
		put_uint(&l, "remid", e->remote_id);
	if (pm_event_has(e, MPTCP_ATTR_LOC_ID))
		put_uint(&l, "locid", e->local_id);
	put_addresses(&l, &e->at);
	if (pm_event_has(e, MPTCP_ATTR_SPORT))
		put_uint(&l, "sport", e->at.local_port);
	if (pm_event_has(e, MPTCP_ATTR_DPORT))
		put_uint(&l, "dport", e->at.remote_port);
	if (pm_event_has(e, MPTCP_ATTR_BACKUP))
		put_bool(&l, "backup", e->backup);
	if (pm_event_has(e, MPTCP_ATTR_ERROR)) {
		put_uint(&l, "error", e->error);
		put_text(&l, "error_text", strerror(e->error));
	}
	put_flags(&l, e);
	if (pm_event_has(e, MPTCP_ATTR_TIMEOUT))
		put_uint(&l, "timeout", e->timeout);
	if (dev)
		put_word(&l, "dev", dev);
	else if (pm_event_has(e, MPTCP_ATTR_IF_IDX))
		put_uint(&l, "ifindex", (uint32_t)e->ifindex);
	put_reset(&l, e);
	end(&l);
}

void event_lines_current(const struct event_lines *lines, uint64_t time_us,
			 const struct pm_connection *c)
{
	struct line l = begin(lines, time_us, "CURRENT");
	const char *state = view_state_name(c->state);

	put_token(&l, c->token);
	put_addresses(&l, &c->at);
	put_uint(&l, "sport", c->at.local_port);
	put_uint(&l, "dport", c->at.remote_port);
	put_flag(&l, "server_side", c->role == PM_ROLE_SERVER);
	if (state)
		put_word(&l, "state", state);
	put_uint(&l, "nr_subflows", c->nr_subflows);
	put_flag(&l, "fallback", c->fallback);
	end(&l);
}

void event_lines_overflow(const struct event_lines *lines, uint64_t time_us,
			  const size_t *connections)
{
	struct line l = begin(lines, time_us, "OVERFLOW");

	if (l.json)
		json_key_string(&l.j, "text", "lost events: the kernel's buffer was full");
	else
		fputs(" lost events: the kernel's buffer was full", l.out);
	if (connections)
		put_uint(&l, "connections", *connections);
	end(&l);
}

static void put_told(struct line *l, const struct flat_member *m)
{
	switch (m->kind) {
	case FLAT_STRING:
		if (m->text[strcspn(m->text, " \"")])
			put_text(l, m->key, m->text);
		else
			put_word(l, m->key, m->text);
		break;
	case FLAT_NUMBER:
		put_uint(l, m->key, strtoull(m->text, NULL, 10));
		break;
	case FLAT_TRUE:
		put_flag(l, m->key, true);
		break;
	case FLAT_FALSE:
	case FLAT_NULL:
		break;
	}
}

void event_lines_told(const struct event_lines *lines, const struct flat *told)
{
	const char *name = flat_string(told, "event");
	struct line l = begin(lines, flat_uint(told, "time_us"), name ? name : "UNKNOWN");

	for (size_t i = 0; i < told->nr; i++)
		if (strcmp(told->items[i].key, "event") != 0 &&
		    strcmp(told->items[i].key, "time_us") != 0)
			put_told(&l, &told->items[i]);
	end(&l);
}
