// SPDX-License-Identifier: GPL-2.0-only
/* Requests of the control socket and their answers; see requests.h. */
#include "daemon/requests.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/answers.h"
#include "pm/address.h"

static int answer_status(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	struct rusage use = { 0 };
	struct json j;

	(void)q;
	(void)e;
	getrusage(RUSAGE_SELF, &use);
	json_init(&j, out, false);
	json_object_open(&j);
	json_key_uint(&j, "pid", (uint64_t)getpid());
	json_key_string(&j, "policy", d->policy->name);
	json_key_string(&j, "file", d->policy->file);
	json_key_string(&j, "engine", d->kind == POLICY_ENGINE_KERNEL ? "kernel" : "userspace");
	json_key_uint(&j, "uptime_ms", loop_now_ms() - d->started_ms);
	json_key_uint(&j, "connections", pm_engine_nr_connections(d->engine));
	json_key_uint(&j, "sources", pm_engine_nr_sources(d->engine));
	json_key_uint(&j, "events", d->counters.events);
	json_key_uint(&j, "overflows", d->counters.overflows);
	json_key_uint(&j, "resyncs", d->counters.resyncs);
	json_key_uint(&j, "interface_changes", d->counters.interfaces);
	json_key_uint(&j, "requests", d->counters.requests);
	json_key_uint(&j, "failed_requests", d->counters.failed_requests);
	json_key_uint(&j, "samples", d->counters.samples);
	json_key_uint(&j, "memory_kb", (uint64_t)use.ru_maxrss);
	json_object_close(&j);
	json_end(&j);
	return 0;
}

static int answer_paths(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	(void)q;
	(void)e;
	for (unsigned int path = 0; path < d->policy->nr_paths; path++)
		answer_path(d, path, out);
	return 0;
}

/* The engine knows connections by token; the kernel has the list of those. */
static int answer_connections(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	_cleanup_(pm_connections_clear) struct pm_connections all = { 0 };
	int err = pm_connections_read(&all, e);

	(void)q;
	for (size_t i = 0; err == 0 && i < all.nr; i++) {
		_cleanup_(answer_clear_view) struct pm_connection_view v = { 0 };

		if (!all.items[i].token)
			continue;
		if (pm_engine_connection(d->engine, all.items[i].token, &v) == 0)
			answer_connection(d, &v, &all.items[i].at, out);
	}
	return err;
}

static int explain_token(struct daemon *d, const char *text, FILE *out, struct error *e)
{
	_cleanup_(answer_clear_view) struct pm_connection_view v = { 0 };
	uint32_t token;
	int err = pm_token_parse(text, &token, e);

	if (err < 0)
		return err;
	err = pm_engine_connection(d->engine, token, &v);
	if (err == -ENOENT) {
		error_set(e, err, "there is no MPTCP connection with token %s", text);
		return error_hint(e, "mptcp-pmctl conn list");
	}
	if (err < 0)
		return error_set(e, err, "cannot explain connection %s: %s", text, strerror(-err));
	answer_connection(d, &v, NULL, out);
	answer_details(d, &v, out);
	return 0;
}

/* From which address a connection would be made, as the routes are now. */
static void find_local(struct pm_socket_pair *at)
{
	_cleanup_close_ int fd = socket(at->remote.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(at->remote_port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(at->remote_port) };
	bool four = at->remote.family == AF_INET;
	struct sockaddr *to = four ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t size = four ? sizeof(v4) : sizeof(v6);

	v4.sin_addr = at->remote.v4;
	v6.sin6_addr = at->remote.v6;
	if (fd < 0 || connect(fd, to, size) < 0 || getsockname(fd, to, &size) < 0)
		return;
	at->local.family = at->remote.family;
	if (four)
		at->local.v4 = v4.sin_addr;
	else
		at->local.v6 = v6.sin6_addr;
}

static int explain_to(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	struct pm_identity identity = { .uid = (uint32_t)flat_uint(q, "uid"),
					.cgroup = flat_string(q, "cgroup") };
	struct pm_socket_pair at = { 0 };
	struct pm_connection_view v = { 0 };
	const struct passwd *user = getpwuid(identity.uid);

	if (pm_address_port_parse(flat_string(q, "to"), &at.remote, &at.remote_port) < 0)
		return error_set(e, -EINVAL, "\"%s\" is not an address and port",
				 flat_string(q, "to"));
	identity.user = user ? user->pw_name : NULL;
	find_local(&at);
	pm_engine_explain(d->engine, &at, PM_ROLE_CLIENT, &identity, &v);
	answer_connection(d, &v, &at, out);
	answer_details(d, &v, out);
	answer_clear_view(&v);
	return 0;
}

static int answer_explain(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	if (flat_string(q, "token"))
		return explain_token(d, flat_string(q, "token"), out, e);
	if (flat_string(q, "to"))
		return explain_to(d, q, out, e);
	return error_set(e, -EINVAL, "explain wants \"token\" or \"to\"");
}

static int answer_reload(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	(void)q;
	(void)out;
	return daemon_reload(d, e);
}

static int parse_policy(const struct flat *q, struct policy **out, struct error *e)
{
	const char *text = flat_string(q, "text"), *file = flat_string(q, "file");
	struct policy_diagnostics found = { 0 };
	int err;

	if (!text || !file)
		return error_set(e, -EINVAL, "a policy is wanted: \"file\" and \"text\"");
	err = policy_take(file, text, strlen(text), out, &found, e);
	if (err < 0 && found.nr)
		error_set(e, err, "the daemon does not understand %s:%u:%u: %s", file,
			  found.items[0].line, found.items[0].column, found.items[0].text);
	policy_diagnostics_clear(&found);
	return err;
}

static int answer_check(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	struct policy *fresh = NULL;
	int err = parse_policy(q, &fresh, e);

	(void)d;
	(void)out;
	policy_free(&fresh);
	return err;
}

static int answer_apply(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	struct policy *fresh = NULL;
	int err = parse_policy(q, &fresh, e);

	(void)out;
	if (err == 0)
		err = daemon_follow(d, fresh, e);
	if (err < 0)
		policy_free(&fresh);
	return err;
}

static int force(struct daemon *d, const struct flat *q, bool down, struct error *e)
{
	const char *path = flat_string(q, "path");

	if (!path)
		return error_set(e, -EINVAL, "a path is wanted: \"path\"");
	return daemon_force_path(d, path, down, e);
}

static int answer_path_down(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	(void)out;
	return force(d, q, true, e);
}

static int answer_path_up(struct daemon *d, const struct flat *q, FILE *out, struct error *e)
{
	(void)out;
	return force(d, q, false, e);
}

static const struct control_request requests[] = {
	{ "status", false, answer_status },
	{ "paths", false, answer_paths },
	{ "connections", false, answer_connections },
	{ "explain", false, answer_explain },
	{ "reload", true, answer_reload },
	{ "check", true, answer_check },
	{ "apply", true, answer_apply },
	{ "path-down", true, answer_path_down },
	{ "path-up", true, answer_path_up },
};

const struct control_request *control_find(const char *name, struct error *e)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	error_set(e, -EINVAL, "there is no request \"%.64s\"", name);
	return NULL;
}
