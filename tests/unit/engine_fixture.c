// SPDX-License-Identifier: GPL-2.0-only
/* The world of the engine's tests; see engine_fixture.h. */
#include "engine_fixture.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <linux/mptcp.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm/address.h"

static const char *const names[WORLD_PATHS] = { "wifi", "lte", "cable", "sat" };
static const char *const devices[WORLD_PATHS] = { "wlan0", "wwan0", "eth0", "sat0" };
static const char *const locals[WORLD_PATHS] = { "10.0.1.2", "10.0.2.2", "10.0.3.2", "10.0.4.2" };
static const uint32_t costs[WORLD_PATHS] = { 1, 10, 1, 20 };

#define PATIENT                                                                                    \
	{                                                                                          \
		.rto_us = { 1500000, 1000000 }, .loss_permille = { 250, 100 },                     \
		.resent_permille = { 500, 250 }, .timeouts = { 2, 0 }, .stall_ms = { 3000, 1000 }, \
		.period_ms = 500                                                                   \
	}
#define QUICK                                                                     \
	{                                                                         \
		.rtt_us = { 600000, 400000 }, .rto_us = { 1500000, 1000000 },     \
		.loss_permille = { 250, 100 }, .resent_permille = { 500, 250 },   \
		.timeouts = { 1, 0 }, .stall_ms = { 1500, 500 }, .period_ms = 500 \
	}
#define NEVER                    \
	{                        \
		.period_ms = 500 \
	}
#define MODE(k, n, w) [k] = { .name = n, .kind = k, .when_bad = w, .hold_ms = WORLD_HOLD_MS }

static const struct policy_mode modes[WORLD_MODES] = {
	MODE(POLICY_MODE_HANDOVER, "handover", PATIENT),
	MODE(POLICY_MODE_AGGREGATE, "aggregate", NEVER),
	MODE(POLICY_MODE_ACTIVE_STANDBY, "active-standby", PATIENT),
	MODE(POLICY_MODE_INTERACTIVE, "interactive", QUICK),
	MODE(POLICY_MODE_PURE_HANDOVER, "pure-handover", PATIENT),
	MODE(POLICY_MODE_SMALLEST_DELAY, "smallest-delay", PATIENT),
	MODE(POLICY_MODE_LOAD_BALANCE, "load-balance", NEVER),
	MODE(POLICY_MODE_PRIORITY, "priority", PATIENT),
	MODE(POLICY_MODE_REDUNDANT, "redundant", NEVER),
	MODE(POLICY_MODE_CHEAPEST, "cheapest", NEVER),
	MODE(POLICY_MODE_TARGET, "target", PATIENT),
};

struct pm_address world_address(const char *text)
{
	struct pm_address a = { 0 };

	pm_address_parse(text, &a);
	return a;
}

void world_init(struct world *w, enum policy_mode_kind mode)
{
	memset(w, 0, sizeof(*w));
	memcpy(w->modes, modes, sizeof(modes));
	w->modes[POLICY_MODE_TARGET].target_bps = 5000000;
	for (int i = 0; i < WORLD_PATHS; i++) {
		struct policy_path *p = &w->paths[i];

		snprintf(p->name, sizeof(p->name), "%s", names[i]);
		p->interface = (char *)devices[i];
		p->cost = costs[i];
		p->use = POLICY_ENDPOINT_SUBFLOW;
		w->addresses[i][0] = world_address(locals[i]);
		w->interfaces[i] = (struct pm_interface){ .ifindex = i + 2,
							  .up = i <= LTE,
							  .addresses = w->addresses[i],
							  .nr_addresses = 1 };
		snprintf(w->interfaces[i].name, IF_NAMESIZE, "%s", devices[i]);
	}
	w->policy = (struct policy){ .name = "test",
				     .paths = w->paths,
				     .nr_paths = WORLD_PATHS,
				     .rules = w->rules,
				     .mode = mode,
				     .mode_index = mode,
				     .rule_paths = UINT32_MAX,
				     .modes = w->modes,
				     .nr_modes = WORLD_MODES,
				     .engine = POLICY_ENGINE_USERSPACE,
				     .limits = { .set = true, .subflows = 4 } };
	w->now = 100000;
	w->next_port = 40000;
}

void world_start(struct world *w)
{
	w->e = pm_engine_new(&w->policy);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w->e);
	world_interfaces(w);
}

void world_clear(struct world *w)
{
	pm_engine_free(&w->e);
	pm_decisions_clear(&w->out);
}

int world_path_of(const struct world *w, const struct pm_address *local)
{
	struct pm_address a = pm_address_unmapped(local);

	for (int i = 0; i < WORLD_PATHS; i++)
		for (size_t n = 0; n < w->interfaces[i].nr_addresses; n++)
			if (pm_address_equal(&w->addresses[i][n], &a))
				return i;
	return -1;
}

__attribute__((format(printf, 2, 3))) static void add_log(struct world *w, const char *fmt, ...)
{
	size_t used = strlen(w->log);
	va_list ap;

	if (used && used < sizeof(w->log) - 1)
		w->log[used++] = ' ';
	va_start(ap, fmt);
	vsnprintf(w->log + used, sizeof(w->log) - used, fmt, ap);
	va_end(ap);
}

static const char *path_text(const struct world *w, const struct pm_address *local, char *buffer)
{
	int path = world_path_of(w, local);

	if (path >= 0 && local->family == AF_INET)
		return names[path];
	return pm_address_text(local, buffer);
}

static void log_request(struct world *w, const struct pm_request *r)
{
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN] = "", at[INET6_ADDRSTRLEN + 1] = "";
	const char *path = path_text(w, &r->local.address, local);
	bool backup = r->local.flags & PM_FLAG_BACKUP;

	if (r->remote.address.family) {
		pm_address_text(&r->remote.address, remote);
		if (strcmp(remote, WORLD_PEER) != 0)
			snprintf(at, sizeof(at), "@%s", remote);
	}
	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		add_log(w, "+%s%s%s", path, at, backup ? "/b" : "");
		break;
	case PM_SUBFLOW_DELETE:
		if (r->reset)
			add_log(w, "-%s%s=%u%s", path, at, r->reset_reason,
				r->reset_transient ? "t" : "");
		else
			add_log(w, "-%s%s", path, at);
		break;
	case PM_SUBFLOW_BACKUP:
		add_log(w, "%s%s>%c", path, at, backup ? 'b' : 'a');
		break;
	case PM_ANNOUNCE:
		add_log(w, "!%s", path);
		break;
	case PM_WITHDRAW:
		add_log(w, "~%s", path);
		break;
	}
}

static void log_decision(struct world *w, const struct pm_decision *d)
{
	switch (d->kind) {
	case PM_DECIDE_REQUEST:
		if (!w->log_token || w->log_token == d->token)
			log_request(w, &d->request);
		break;
	case PM_DECIDE_ENDPOINTS:
		add_log(w, "%s>>%s", names[d->path],
			pm_wanted_name(pm_engine_wanted(w->e, d->path)));
		break;
	case PM_DECIDE_IDENTIFY:
		add_log(w, "?");
		break;
	case PM_DECIDE_RESYNC:
		add_log(w, "resync");
		break;
	case PM_DECIDE_NOTICE:
		add_log(w, "notice");
		break;
	}
}

static struct pm_event event_of(enum pm_event_type type, const struct world_flow *f)
{
	return (struct pm_event){ .type = (uint8_t)type,
				  .token = f->token,
				  .at = f->at,
				  .local_id = f->local_id,
				  .remote_id = f->remote_id };
}

static size_t find_flow(const struct world *w, const struct pm_request *r)
{
	size_t i = 0;

	while (i < w->nr_flows &&
	       !(w->flows[i].token == r->token && w->flows[i].at.local_port == r->local.port &&
		 w->flows[i].at.remote_port == r->remote.port &&
		 pm_address_equal(&w->flows[i].at.local, &r->local.address) &&
		 pm_address_equal(&w->flows[i].at.remote, &r->remote.address)))
		i++;
	return i;
}

static void remove_flow(struct world *w, size_t at)
{
	w->nr_flows--;
	memmove(&w->flows[at], &w->flows[at + 1], (w->nr_flows - at) * sizeof(w->flows[0]));
}

static void tell_later(struct world *w, const struct pm_event *ev)
{
	CU_ASSERT_FATAL(w->nr_events < WORLD_FLOWS);
	w->events[w->nr_events++] = *ev;
}

static void carry_out_add(struct world *w, const struct pm_decision *d)
{
	const struct pm_request *r = &d->request;
	int path = world_path_of(w, &r->local.address);
	struct world_flow f = { .token = r->token,
				.at = { .local = r->local.address,
					.remote = r->remote.address,
					.local_port = w->next_port++,
					.remote_port = r->remote.port },
				.local_id = r->local.id,
				.remote_id = r->remote.id,
				.backup = r->local.flags & PM_FLAG_BACKUP };
	enum world_join join = path < 0 ? JOIN_FAILS : w->join[path];
	struct pm_event ev;

	if (path >= 0 && !w->interfaces[path].up)
		join = JOIN_FAILS;
	if (join == JOIN_FAILS || join == JOIN_EARLY || join == JOIN_FOREIGN) {
		pm_engine_result(w->e, d,
				 join == JOIN_FAILS   ? -ENETUNREACH
				 : join == JOIN_EARLY ? -ENOTCONN
						      : -EINVAL,
				 w->now);
		return;
	}
	pm_engine_result(w->e, d, 0, w->now);
	CU_ASSERT_FATAL(w->nr_flows < WORLD_FLOWS);
	f.established = join == JOIN_WORKS;
	f.since_ms = w->now;
	ev = event_of(f.established ? PM_EVENT_SUB_ESTABLISHED : PM_EVENT_SUB_CLOSED, &f);
	if (join != JOIN_REFUSED)
		w->flows[w->nr_flows++] = f;
	if (join != JOIN_HANGS)
		tell_later(w, &ev);
}

static void carry_out(struct world *w, const struct pm_decision *d)
{
	const struct pm_request *r = &d->request;
	size_t at = find_flow(w, r);
	struct pm_event ev;

	switch (r->kind) {
	case PM_SUBFLOW_ADD:
		carry_out_add(w, d);
		return;
	case PM_SUBFLOW_DELETE:
		pm_engine_result(w->e, d, at < w->nr_flows ? 0 : -ESRCH, w->now);
		if (at == w->nr_flows)
			return;
		ev = event_of(PM_EVENT_SUB_CLOSED, &w->flows[at]);
		remove_flow(w, at);
		if (!w->deaf)
			tell_later(w, &ev);
		return;
	case PM_SUBFLOW_BACKUP:
		if (at < w->nr_flows)
			w->flows[at].backup = r->local.flags & PM_FLAG_BACKUP;
		pm_engine_result(w->e, d, at < w->nr_flows ? 0 : -ESRCH, w->now);
		return;
	case PM_ANNOUNCE:
	case PM_WITHDRAW:
		pm_engine_result(w->e, d, 0, w->now);
		return;
	}
}

/* Of one connection, from one input. */
static void check_batch(const struct pm_decisions *out)
{
	for (size_t i = 0; i < out->nr; i++) {
		size_t nr = 0;

		for (size_t n = 0; n < out->nr; n++)
			nr += out->items[n].kind == PM_DECIDE_REQUEST &&
			      out->items[n].token == out->items[i].token;
		CU_ASSERT(out->items[i].kind != PM_DECIDE_REQUEST || nr <= PM_SUBFLOWS_PER_BATCH);
	}
}

static void give(struct world *w, const struct pm_input *in)
{
	struct pm_decisions out = { 0 };

	CU_ASSERT_EQUAL(pm_engine_input(w->e, in, w->now, &out), 0);
	check_batch(&out);
	for (size_t i = 0; i < out.nr; i++) {
		log_decision(w, &out.items[i]);
		if (w->watch)
			w->watch(w, &out.items[i]);
		if (out.items[i].kind != PM_DECIDE_REQUEST)
			continue;
		w->nr_requests++;
		memcpy(w->reason, out.items[i].reason, sizeof(w->reason));
		CU_ASSERT(out.items[i].reason[0]);
		carry_out(w, &out.items[i]);
	}
	pm_decisions_clear(&out);
}

void world_input(struct world *w, const struct pm_input *in)
{
	struct pm_input told = { .kind = PM_INPUT_EVENT };
	struct pm_event ev;

	give(w, in);
	while (w->nr_events) {
		ev = w->events[0];
		memmove(&w->events[0], &w->events[1], --w->nr_events * sizeof(ev));
		told.event = &ev;
		give(w, &told);
	}
}

void world_event(struct world *w, const struct pm_event *ev)
{
	struct pm_input in = { .kind = PM_INPUT_EVENT, .event = ev };

	world_input(w, &in);
}

void world_interfaces(struct world *w)
{
	struct pm_input in = { .kind = PM_INPUT_INTERFACES };

	in.interfaces.items = w->interfaces;
	in.interfaces.nr = WORLD_PATHS;
	world_input(w, &in);
}

void world_tick(struct world *w)
{
	struct pm_input in = { .kind = PM_INPUT_TICK };

	world_input(w, &in);
}

void world_wait(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms;
	unsigned int steps = 0;

	while (pm_engine_due(w->e) <= end) {
		if (pm_engine_due(w->e) > w->now)
			w->now = pm_engine_due(w->e);
		world_tick(w);
		CU_ASSERT_FATAL(steps++ < 10000);
	}
	w->now = end;
}

void world_health(struct world *w, unsigned int path, struct pm_health h)
{
	struct pm_input in = { .kind = PM_INPUT_HEALTH };

	h.ifindex = w->interfaces[path].ifindex;
	in.health.items = &h;
	in.health.nr = 1;
	world_input(w, &in);
}

void world_connect(struct world *w, uint32_t token, const char *local, const char *remote,
		   bool server)
{
	struct world_flow f = { .token = token,
				.at = { .local = world_address(local),
					.remote = world_address(remote),
					.local_port = w->next_port++,
					.remote_port = 443 },
				.established = true,
				.since_ms = w->now,
				.server = server };
	struct pm_event ev = event_of(PM_EVENT_CREATED, &f);

	CU_ASSERT_FATAL(w->nr_flows < WORLD_FLOWS);
	w->flows[w->nr_flows++] = f;
	ev.server_side = server;
	ev.flags = w->deny_join_id0 ? PM_EVENT_FLAG_DENY_JOIN_ID0 : 0;
	world_event(w, &ev);
	ev.type = PM_EVENT_ESTABLISHED;
	world_event(w, &ev);
}

void world_close(struct world *w, uint32_t token)
{
	struct pm_event ev = { .type = PM_EVENT_CLOSED, .token = token };

	for (size_t i = w->nr_flows; i-- > 0;)
		if (w->flows[i].token == token)
			remove_flow(w, i);
	world_event(w, &ev);
}

void world_lose(struct world *w, size_t flow, int reason, bool transient)
{
	struct pm_event ev = event_of(PM_EVENT_SUB_CLOSED, &w->flows[flow]);

	if (reason >= 0) {
		ev.reset_reason = (uint32_t)reason;
		ev.reset_flags = transient ? PM_RESET_FLAG_TRANSIENT : 0;
		ev.present = 1u << MPTCP_ATTR_RESET_REASON | 1u << MPTCP_ATTR_RESET_FLAGS;
	}
	remove_flow(w, flow);
	world_event(w, &ev);
}

void world_snapshot(const struct world *w, struct pm_connections *out)
{
	*out = (struct pm_connections){ .items = calloc(w->nr_flows + 1, sizeof(*out->items)),
					.subflows =
						calloc(w->nr_flows + 1, sizeof(*out->subflows)) };
	for (size_t i = 0; i < w->nr_flows; i++) {
		const struct world_flow *f = &w->flows[i];
		bool known = false;

		out->subflows[out->nr_subflows++] = (struct pm_subflow){
			.token = f->token,
			.flags = (f->backup ? PM_SUBFLOW_BACKUP_LOCAL : 0) |
				 (f->server	? 0
				  : f->local_id ? PM_SUBFLOW_JOIN_LOCAL
						: PM_SUBFLOW_MP_CAPABLE_LOCAL),
			.local_id = f->local_id,
			.remote_id = f->remote_id,
			.state = f->established ? TCP_ESTABLISHED : TCP_SYN_SENT,
			.at = f->at,
		};
		for (size_t n = 0; n < out->nr; n++)
			known |= out->items[n].token == f->token;
		if (!known)
			out->items[out->nr++] = (struct pm_connection){ .token = f->token,
									.state = TCP_ESTABLISHED,
									.at = f->at };
	}
	pm_connections_join(out);
}

static int path_named(const char *name)
{
	for (int i = 0; i < WORLD_PATHS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static size_t flow_on(const struct world *w, int path)
{
	size_t i = 0;

	while (i < w->nr_flows && world_path_of(w, &w->flows[i].at.local) != path)
		i++;
	CU_ASSERT_FATAL(i < w->nr_flows);
	return i;
}

static const struct pm_health good_health = { .srtt_us = 50000, .rto_us = 250000 };
static const struct pm_health bad_health = { .srtt_us = 50000, .rto_us = 250000, .timeouts = 3 };

static void two_samples(struct world *w, int path, struct pm_health h)
{
	world_health(w, (unsigned int)path, h);
	w->now += 250;
	world_health(w, (unsigned int)path, h);
}

void world_establish(struct world *w, size_t flow)
{
	struct pm_event ev = event_of(PM_EVENT_SUB_ESTABLISHED, &w->flows[flow]);

	w->flows[flow].established = true;
	w->flows[flow].since_ms = w->now;
	world_event(w, &ev);
}

static void establish(struct world *w, int path)
{
	for (size_t i = 0; i < w->nr_flows; i++) {
		if (!w->flows[i].established && world_path_of(w, &w->flows[i].at.local) == path) {
			world_establish(w, i);
			return;
		}
	}
}

static void run_figure(struct world *w, const char *word, int path, unsigned int n)
{
	struct pm_health h = good_health;

	if (strcmp(word, "rtt") == 0)
		h.srtt_us = n * 1000;
	else if (strcmp(word, "rto") == 0)
		h.rto_us = n * 1000;
	else if (strcmp(word, "loss") == 0)
		h.loss_permille = (uint16_t)n;
	else if (strcmp(word, "resent") == 0)
		h.resent_permille = (uint16_t)n;
	else if (strcmp(word, "stall") == 0)
		h.stall_ms = n;
	else if (strcmp(word, "rate") == 0)
		h.rate_bps = n * 1000000ull;
	else
		CU_FAIL_FATAL("no such word");
	two_samples(w, path, h);
}

static bool run_join(struct world *w, const char *word, int path)
{
	static const char *const joins[] = { "works", "hangs", "refused",
					     "fails", "early", "foreign" };

	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		if (strcmp(joins[i], word) != 0)
			continue;
		w->join[path] = (enum world_join)i;
		return true;
	}
	return false;
}

static void run_on_path(struct world *w, const char *word, int path, const char *value)
{
	unsigned int n = value ? (unsigned int)strtoul(value, NULL, 10) : 0;
	struct pm_input in = { .kind = PM_INPUT_PATH_FORCED };
	struct pm_event ev;

	if (run_join(w, word, path))
		return;
	if (strcmp(word, "c") == 0 || strcmp(word, "s") == 0) {
		world_connect(w, 1, locals[path], WORLD_PEER, word[0] == 's');
	} else if (strcmp(word, "bad") == 0 || strcmp(word, "good") == 0) {
		world_health(w, (unsigned int)path, word[0] == 'b' ? bad_health : good_health);
	} else if (strcmp(word, "up") == 0) {
		establish(w, path);
	} else if (strcmp(word, "lost") == 0) {
		world_lose(w, flow_on(w, path), value ? (int)n : -1,
			   value && value[strlen(value) - 1] == 't');
	} else if (strcmp(word, "prio") == 0) {
		ev = event_of(PM_EVENT_SUB_PRIORITY, &w->flows[flow_on(w, path)]);
		ev.backup = (uint8_t)n;
		world_event(w, &ev);
	} else if (strcmp(word, "down") == 0) {
		in.forced.path = (unsigned int)path;
		in.forced.down = n;
		world_input(w, &in);
	} else if (strcmp(word, "cap") == 0) {
		w->allowed[path] = (enum pm_allowed)n;
		in.kind = PM_INPUT_ALLOWED;
		in.allowed = w->allowed;
		world_input(w, &in);
	} else {
		run_figure(w, word, path, n);
	}
}

static void run_peer(struct world *w, const char *word, const char *name, const char *value)
{
	struct pm_event ev = { .token = 1 };

	if (strcmp(word, "peer") == 0) {
		ev.type = PM_EVENT_ANNOUNCED;
		ev.at.remote = world_address(name);
		ev.at.remote_port = 443;
		ev.remote_id = (uint8_t)strtoul(value, NULL, 10);
	} else {
		ev.type = PM_EVENT_REMOVED;
		ev.remote_id = (uint8_t)strtoul(name, NULL, 10);
	}
	world_event(w, &ev);
}

static void run_word(struct world *w, char *word)
{
	char *colon = strchr(word, ':'), *value = strchr(word, '='), last = word[strlen(word) - 1];
	int path;

	if (strcmp(word, "|") == 0) {
		w->log[0] = '\0';
		return;
	}
	if (value)
		*value++ = '\0';
	if (colon) {
		*colon++ = '\0';
		path = path_named(colon);
		if (strcmp(word, "t") == 0)
			world_wait(w, strtoul(colon, NULL, 10));
		else if (path >= 0)
			run_on_path(w, word, path, value);
		else
			run_peer(w, word, colon, value);
		return;
	}
	word[strlen(word) - 1] = '\0';
	path = path_named(word);
	CU_ASSERT_FATAL(path >= 0);
	if (last == '!' || last == '.') {
		two_samples(w, path, last == '!' ? bad_health : good_health);
		return;
	}
	w->interfaces[path].up = last == '+';
	world_interfaces(w);
}

void world_run(struct world *w, const char *script)
{
	char *copy = strdup(script), *save = NULL;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		run_word(w, word);
	free(copy);
}
