// SPDX-License-Identifier: GPL-2.0-only
/* Views of the engine and reports as JSON; see answers.h and requests.h. */
#include "daemon/answers.h"

#include <string.h>

#include "daemon/requests.h"
#include "pm/address.h"
#include "pm/nat64.h"
#include "pm/reset.h"

#define MS_PER_SECOND 1000

static void open_line(struct json *j, FILE *out)
{
	json_init(j, out, false);
	json_object_open(j);
}

static void close_line(struct json *j)
{
	json_object_close(j);
	json_end(j);
}

static void put_token(struct json *j, uint32_t token)
{
	char text[16];

	snprintf(text, sizeof(text), "%08x", token);
	json_key_string(j, "token", text);
}

static void put_address(struct json *j, const char *v4, const char *v6, const struct pm_address *a)
{
	struct pm_address plain = pm_address_unmapped(a);
	char text[INET6_ADDRSTRLEN];

	if (plain.family)
		json_key_string(j, plain.family == AF_INET ? v4 : v6,
				pm_address_text(&plain, text));
}

static void put_if(struct json *j, const char *key, uint64_t n)
{
	if (n)
		json_key_uint(j, key, n);
}

static const char *state_of(const struct pm_source_view *s)
{
	if (s->forced_down)
		return "down";
	if (s->allowed == PM_ALLOWED_NONE)
		return "closed";
	if (s->bad)
		return "bad";
	return s->allowed == PM_ALLOWED_BACKUP ? "capped" : "good";
}

/* Nothing when the policy that is followed now has no path for it. */
static void put_path(struct json *j, const struct daemon *d, size_t source)
{
	struct pm_source_view s;

	if (source >= pm_engine_nr_sources(d->engine))
		return;
	pm_engine_source(d->engine, source, &s);
	if (s.path < d->policy->nr_paths)
		json_key_string(j, "path", d->policy->paths[s.path].name);
}

static void put_source(struct json *j, const struct daemon *d, const struct pm_source_view *s)
{
	char text[INET6_ADDRSTRLEN];

	json_key_string(j, "path", d->policy->paths[s->path].name);
	json_key_string(j, "interface", s->interface);
	json_key_string(j, "address", pm_address_text(&s->local, text));
	json_key_string(j, "state", state_of(s));
	if (d->policy->paths[s->path].congestion[0])
		json_key_string(j, "congestion_control", d->policy->paths[s->path].congestion);
	if (s->why_bad[0])
		json_key_string(j, "reason", s->why_bad);
}

/* A path that was always as it is has been so since we look. */
static uint64_t since_ms(const struct daemon *d, const struct pm_source_view *s)
{
	return s->since_ms > d->started_ms ? s->since_ms : d->started_ms;
}

void answer_path(struct daemon *d, unsigned int path, FILE *out)
{
	char nat64[PM_NAT64_PREFIX_BYTES];
	struct pm_source_view s;
	struct json j;
	bool any = false;

	for (size_t i = 0; i < pm_engine_nr_sources(d->engine); i++) {
		pm_engine_source(d->engine, i, &s);
		if (s.path != path)
			continue;
		any = true;
		open_line(&j, out);
		put_source(&j, d, &s);
		json_key_string(&j, "wanted", pm_wanted_name(s.wanted));
		json_key_uint(&j, "id", s.id);
		json_key_uint(&j, "subflows", s.nr_subflows);
		json_key_uint(&j, "since_s", (loop_now_ms() - since_ms(d, &s)) / MS_PER_SECOND);
		put_if(&j, "srtt_us", s.health.srtt_us);
		put_if(&j, "rto_us", s.health.rto_us);
		put_if(&j, "loss_permille", s.health.loss_permille);
		put_if(&j, "resent_permille", s.health.resent_permille);
		put_if(&j, "timeouts", s.health.timeouts);
		put_if(&j, "stall_ms", s.health.stall_ms);
		put_if(&j, "rate_bps", s.health.rate_bps);
		if (s.nat64.bits)
			json_key_string(&j, "nat64", pm_nat64_prefix_text(&s.nat64, nat64));
		close_line(&j);
	}
	if (any)
		return;
	open_line(&j, out);
	json_key_string(&j, "path", d->policy->paths[path].name);
	json_key_string(&j, "state", d->forced_down >> path & 1 ? "down" : "absent");
	close_line(&j);
}

static const char *role_name(enum pm_role role)
{
	switch (role) {
	case PM_ROLE_CLIENT:
		return "client";
	case PM_ROLE_SERVER:
		return "server";
	case PM_ROLE_UNKNOWN:
		break;
	}
	return "unknown";
}

/* What the policy sets beside the mode; see policy_rule. */
static void put_rule(struct json *j, const struct policy *policy, unsigned int number)
{
	const char *scheduler = policy->scheduler.name;
	uint32_t mark = policy->rule_mark;

	for (size_t i = 0; i < policy->nr_rules; i++) {
		if (policy->rules[i].number != number)
			continue;
		scheduler = policy->rules[i].scheduler.name;
		mark = policy->rules[i].mark;
	}
	if (scheduler[0])
		json_key_string(j, "scheduler", scheduler);
	put_if(j, "mark", mark);
}

void answer_connection(struct daemon *d, const struct pm_connection_view *v,
		       const struct pm_socket_pair *at, FILE *out)
{
	uint64_t now = loop_now_ms();
	struct json j;

	if (!at && v->nr_subflows)
		at = &v->subflows[0].at;
	open_line(&j, out);
	json_key_string(&j, "kind", "connection");
	if (v->token)
		put_token(&j, v->token);
	if (at) {
		put_address(&j, "saddr4", "saddr6", &at->local);
		put_address(&j, "daddr4", "daddr6", &at->remote);
		put_if(&j, "sport", at->local_port);
		put_if(&j, "dport", at->remote_port);
	}
	json_key_string(&j, "role", role_name(v->role));
	json_key_bool(&j, "ours", v->ours);
	json_key_uint(&j, "rule", v->rule);
	if (v->mode < d->policy->nr_modes)
		json_key_string(&j, "mode", d->policy->modes[v->mode].name);
	put_rule(&j, d->policy, v->rule);
	json_key_uint(&j, "subflows", v->nr_subflows);
	if (v->next_ms)
		json_key_uint(&j, "next_ms", v->next_ms > now ? v->next_ms - now : 0);
	if (v->last_reason[0])
		json_key_string(&j, "reason", v->last_reason);
	close_line(&j);
}

static void put_reason(struct json *j, uint32_t reason, bool transient)
{
	const char *text = pm_reset_reason_text(reason);

	json_key_uint(j, "reset_reason", reason);
	if (text)
		json_key_string(j, "reset_reason_text", text);
	json_key_bool(j, "transient", transient);
}

static void put_reset(const struct daemon *d, const struct pm_reset_view *r, FILE *out)
{
	char does[PM_RESET_TEXT_BYTES];
	struct json j;

	open_line(&j, out);
	json_key_string(&j, "kind", "reset");
	json_key_uint(&j, "ago_ms", loop_now_ms() - r->at_ms);
	put_address(&j, "saddr4", "saddr6", &r->at.local);
	put_address(&j, "daddr4", "daddr6", &r->at.remote);
	json_key_uint(&j, "sport", r->at.local_port);
	json_key_uint(&j, "dport", r->at.remote_port);
	put_path(&j, d, r->source);
	put_reason(&j, r->reason, r->transient);
	pm_reaction_describe(&r->reaction, does, sizeof(does));
	json_key_string(&j, "reaction", does);
	close_line(&j);
}

void answer_details(struct daemon *d, const struct pm_connection_view *v, FILE *out)
{
	struct pm_source_view s;
	struct json j;

	for (size_t i = 0; i < pm_engine_nr_sources(d->engine); i++) {
		pm_engine_source(d->engine, i, &s);
		if (s.path >= d->policy->nr_paths)
			continue;
		open_line(&j, out);
		json_key_string(&j, "kind", "path");
		put_source(&j, d, &s);
		json_key_string(&j, "wanted", pm_wanted_name(v->wanted[i]));
		close_line(&j);
	}
	for (size_t i = 0; i < v->nr_subflows; i++) {
		const struct pm_subflow_view *f = &v->subflows[i];

		open_line(&j, out);
		json_key_string(&j, "kind", "subflow");
		put_address(&j, "saddr4", "saddr6", &f->at.local);
		put_address(&j, "daddr4", "daddr6", &f->at.remote);
		json_key_uint(&j, "sport", f->at.local_port);
		json_key_uint(&j, "dport", f->at.remote_port);
		json_key_uint(&j, "locid", f->local_id);
		json_key_uint(&j, "remid", f->remote_id);
		put_path(&j, d, f->source);
		json_key_bool(&j, "established", f->established);
		json_key_bool(&j, "backup", f->backup);
		close_line(&j);
	}
	for (size_t i = 0; i < v->nr_resets; i++)
		put_reset(d, &v->resets[i], out);
}

void answer_clear_view(struct pm_connection_view *v)
{
	free(v->subflows);
	v->subflows = NULL;
}

static const char *request_name(enum pm_request_kind kind)
{
	switch (kind) {
	case PM_SUBFLOW_ADD:
		return "subflow-add";
	case PM_SUBFLOW_DELETE:
		return "subflow-del";
	case PM_SUBFLOW_BACKUP:
		return "subflow-backup";
	case PM_ANNOUNCE:
		return "announce";
	case PM_WITHDRAW:
		return "withdraw";
	}
	return "unknown";
}

static const char *action_name(const struct daemon_report *r)
{
	if (r->decision->kind == PM_DECIDE_REQUEST)
		return request_name(r->decision->request.kind);
	return r->what ? "settings" : "notice";
}

void control_write_report(FILE *out, const struct daemon_report *r)
{
	const struct pm_request *q = &r->decision->request;
	struct json j;

	open_line(&j, out);
	json_key_uint(&j, "time_us", r->time_us);
	json_key_string(&j, "event", "ACTION");
	if (r->decision->token)
		put_token(&j, r->decision->token);
	json_key_string(&j, "action", action_name(r));
	if (r->path)
		json_key_string(&j, "path", r->path);
	if (r->decision->kind == PM_DECIDE_REQUEST) {
		put_if(&j, "locid", q->local.id);
		put_address(&j, "saddr4", "saddr6", &q->local.address);
		put_address(&j, "daddr4", "daddr6", &q->remote.address);
		put_if(&j, "sport", q->local.port);
		put_if(&j, "dport", q->remote.port);
		if (q->local.flags & PM_FLAG_BACKUP)
			json_key_bool(&j, "backup", true);
		if (q->reset)
			put_reason(&j, q->reset_reason, q->reset_transient);
	} else if (r->what) {
		json_key_string(&j, "text", r->what);
	}
	json_key_string(&j, "reason", r->decision->reason);
	if (r->error)
		json_key_string(&j, "error", r->error);
	close_line(&j);
}
