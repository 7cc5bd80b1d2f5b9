// SPDX-License-Identifier: GPL-2.0-only
/* Data in SYNs in a few lines; see fastopen_status.h. */
#include "cli/fastopen_status.h"

#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include "pm/address.h"
#include "pm/counters.h"
#include "pm/fastopen.h"
#include "pm/netns.h"
#include "pm/rescue_settings.h"
#include "pm/sysctl.h"

#define NS_PER_S  1000000000u
#define NS_PER_MS 1000000u

static const char *const kernel_names[] = {
	"TCPFastOpenActive",  "TCPFastOpenActiveFail",	"TCPFastOpenBlackhole",
	"TCPFastOpenPassive", "TCPFastOpenPassiveFail", "TCPFastOpenCookieReqd",
};
static const char *const names[] = {
	"active", "active_fail", "blackhole", "passive", "passive_fail", "cookie_reqd",
};
static const char *const words[] = {
	"taken by servers",   "not taken or lost",  "times the kernel gave it up",
	"taken from clients", "refused to clients", "cookies asked for",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == FASTOPEN_COUNTERS, "a counter has no name");
_Static_assert(sizeof(words) == sizeof(names), "a counter has no words");
_Static_assert(sizeof(kernel_names) == sizeof(names), "a counter has no name in the kernel");

void fastopen_status_read(struct fastopen_status *s)
{
	struct pm_netns ns = { 0 };
	struct timespec t;

	memset(s, 0, sizeof(*s));
	pm_sysctl_fastopen(&s->bits);
	pm_counters_read("TcpExt", kernel_names, s->counters, FASTOPEN_COUNTERS, NULL);
	clock_gettime(CLOCK_MONOTONIC, &t);
	s->now_ns = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
	if (pm_netns_identify(&ns, NULL) < 0 ||
	    loader_rescue_settings(NULL, ns.cookie, &s->settings, NULL) < 0 ||
	    !rescue_looks_at_data(&s->settings) ||
	    loader_rescue_held(NULL, ns.cookie, s->now_ns, s->held, FASTOPEN_HELD_MAX, &s->nr_held,
			       NULL) < 0)
		return;
	s->loaded = true;
}

static const char *server_word(int bits)
{
	return !(bits & PM_FASTOPEN_SERVER)    ? "off"
	       : bits & PM_FASTOPEN_SERVER_ALL ? "all"
					       : "asked";
}

static const char *no_cookie_words(int bits)
{
	bool client = bits & PM_FASTOPEN_CLIENT_NO_COOKIE;
	bool server = bits & PM_FASTOPEN_SERVER_NO_COOKIE;

	return client && server ? ", no cookies"
	       : client		? ", no cookies as client"
	       : server		? ", no cookies as server"
				: "";
}

static const char *held_address(const struct loader_rescue_lost *l, char text[INET6_ADDRSTRLEN])
{
	struct pm_address remote;

	pm_rescue_address_back(&l->at.remote, &remote);
	return pm_address_text(&remote, text);
}

static const char *held_device(const struct loader_rescue_lost *l, char name[IF_NAMESIZE])
{
	if (!if_indextoname(l->at.ifindex, name))
		snprintf(name, IF_NAMESIZE, "if%u", l->at.ifindex);
	return name;
}

static void print_held(struct cli *c, const struct fastopen_status *s)
{
	char address[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	size_t shown = s->nr_held < FASTOPEN_HELD_MAX ? s->nr_held : FASTOPEN_HELD_MAX;

	for (size_t i = 0; i < shown; i++)
		fprintf(c->out, "           none to %s by %s for %" PRIu64 " s: they were lost\n",
			held_address(&s->held[i], address), held_device(&s->held[i], name),
			(uint64_t)(s->held[i].lost.until_ns - s->now_ns) / NS_PER_S);
	if (s->nr_held > shown)
		fprintf(c->out, "           none to %zu more\n", s->nr_held - shown);
}

void fastopen_status_print(struct cli *c, const struct fastopen_status *s)
{
	if (s->bits < 0)
		return;
	fprintf(c->out, "tfo        client %s%s, server %s%s\n",
		s->bits & PM_FASTOPEN_CLIENT ? "on" : "off",
		s->loaded && s->settings.data_listed ? " to those listed" : "",
		server_word(s->bits), no_cookie_words(s->bits));
	for (size_t i = 0; i < FASTOPEN_COUNTERS; i++) {
		if (s->counters[i])
			fprintf(c->out, "           %" PRIu64 " %s\n", s->counters[i], words[i]);
	}
	print_held(c, s);
}

static void held_json(const struct fastopen_status *s, struct json *j)
{
	char address[INET6_ADDRSTRLEN], name[IF_NAMESIZE];

	for (size_t i = 0; i < s->nr_held && i < FASTOPEN_HELD_MAX; i++) {
		json_object_open(j);
		json_key_string(j, "daddr", held_address(&s->held[i], address));
		json_key_string(j, "dev", held_device(&s->held[i], name));
		json_key_uint(j, "remaining_ms",
			      (s->held[i].lost.until_ns - s->now_ns) / NS_PER_MS);
		json_object_close(j);
	}
}

void fastopen_status_json(const struct fastopen_status *s, struct json *j)
{
	if (s->bits < 0) {
		json_string(j, NULL);
		return;
	}
	json_object_open(j);
	json_key_bool(j, "client", s->bits & PM_FASTOPEN_CLIENT);
	json_key_string(j, "server", server_word(s->bits));
	json_key_bool(j, "client_no_cookie", s->bits & PM_FASTOPEN_CLIENT_NO_COOKIE);
	json_key_bool(j, "server_no_cookie", s->bits & PM_FASTOPEN_SERVER_NO_COOKIE);
	json_key_bool(j, "watched", s->loaded && s->settings.data_hold_ms);
	json_key_bool(j, "listed", s->loaded && s->settings.data_listed);
	for (size_t i = 0; i < FASTOPEN_COUNTERS; i++)
		json_key_uint(j, names[i], s->counters[i]);
	json_key_uint(j, "nr_held", s->nr_held);
	json_key(j, "held");
	json_array_open(j);
	held_json(s, j);
	json_array_close(j);
	json_object_close(j);
}
