// SPDX-License-Identifier: GPL-2.0-only
/* path watch: tells when a path crosses a threshold, as the daemon is told. */
#include "cli/cli.h"
#include "cli/diagnose.h"
#include "cli/follow.h"
#include "pm/oracle.h"
#include "util/caps.h"
#include "util/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define NR(a)	      (sizeof(a) / sizeof((a)[0]))
#define PERIOD_MAX_MS 60000

static const char *netns, *policy_file, *seconds_text, *count_text, *period_text, *alpha_text;
static struct option_list when;

static const struct option_def options[] = {
	{ "netns", 0, OPTION_VALUE, "NAME", "watch this network namespace", &netns },
	{ "policy", 0, OPTION_VALUE, "FILE", "take the thresholds of a policy's modes",
	  &policy_file },
	{ "when", 0, OPTION_LIST, "TRIGGER=ENTER[:LEAVE]",
	  "rtt, rto, stall in ms; loss, resent in percent; timeouts", &when },
	{ "period", 0, OPTION_VALUE, "MS", "of an average (500); not with --policy", &period_text },
	{ "alpha", 0, OPTION_VALUE, "PERCENT",
	  "weight of the newest period in an average (50); not with --policy", &alpha_text },
	{ "seconds", 0, OPTION_VALUE, "N", "stop after so many seconds; otherwise with Ctrl-C",
	  &seconds_text },
	{ "count", 0, OPTION_VALUE, "N", "stop after so many events", &count_text },
};

/* What a person writes, in units of the records. */
static const uint32_t scale[ORACLE_TRIGGERS] = {
	[ORACLE_RTT] = 1000,  [ORACLE_RTO] = 1000,   [ORACLE_LOSS] = 10,
	[ORACLE_RESENT] = 10, [ORACLE_TIMEOUTS] = 1, [ORACLE_STALL] = 1,
};

/* Published ones: Apple's for interactive traffic, MultiMob's for loss and retransmissions. */
static const struct oracle_config defaults = {
	.sets = { {
		[ORACLE_RTT] = { 600000, 400000 },
		[ORACLE_RTO] = { 1500000, 1000000 },
		[ORACLE_LOSS] = { 250, 125 },
		[ORACLE_RESENT] = { 500, 250 },
		[ORACLE_TIMEOUTS] = { 1, 0 },
		[ORACLE_STALL] = { 500, 0 },
	} },
	.nr_sets = 1,
	.alpha_permille = 500,
	.period_ms = 500,
};

struct watch {
	struct cli *c;
	struct policy *policy;
	struct pm_oracle *oracle;
	uint64_t seconds, count, events;
};

static void cleanup_watch(struct watch *w)
{
	pm_oracle_close(&w->oracle);
	policy_free(&w->policy);
}

static bool read_number(const char **text, uint32_t most, uint32_t *out)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(*text, &end, 10);
	if (errno || **text < '0' || **text > '9' || n > most)
		return false;
	*out = (uint32_t)n;
	*text = end;
	return true;
}

static int parse_when(const char *text, struct oracle_threshold out[ORACLE_ROOM], struct error *e)
{
	const char *value = strchr(text, '=');
	struct oracle_threshold t = { 0 };

	for (int i = 0; value && i < ORACLE_TRIGGERS; i++) {
		const uint32_t most = UINT32_MAX / scale[i];

		if (strlen(pm_oracle_trigger_names[i]) != (size_t)(value - text) ||
		    strncmp(text, pm_oracle_trigger_names[i], (size_t)(value - text)) != 0)
			continue;
		value++;
		if (!read_number(&value, most, &t.enter) || t.enter == 0 ||
		    (*value == ':' && (value++, !read_number(&value, most, &t.leave))) || *value)
			break;
		if (t.leave >= t.enter)
			return error_set(e, -EINVAL,
					 "--when %s: a path cannot be good again above "
					 "what makes it bad",
					 text);
		out[i] = (struct oracle_threshold){ t.enter * scale[i], t.leave * scale[i] };
		return 0;
	}
	error_set(e, -EINVAL,
		  "--when is TRIGGER=ENTER or TRIGGER=ENTER:LEAVE in whole numbers, not "
		  "\"%s\"",
		  text);
	return error_hint(e, "triggers: rtt, rto, stall (ms), loss, resent (percent), timeouts");
}

static int parse_config(struct oracle_config *out, struct error *e)
{
	uint64_t period = defaults.period_ms, alpha = defaults.alpha_permille / 10;
	int err = follow_parse_number("--period", period_text, PERIOD_MAX_MS, &period, e);

	if (err == 0)
		err = follow_parse_number("--alpha", alpha_text, 100, &alpha, e);
	if (err < 0)
		return err;
	*out = defaults;
	out->period_ms = (uint32_t)period;
	out->alpha_permille = (uint32_t)alpha * 10;
	if (when.nr)
		memset(out->sets, 0, sizeof(out->sets));
	for (size_t i = 0; i < when.nr; i++) {
		err = parse_when(when.items[i], out->sets[0], e);
		if (err < 0)
			return err;
	}
	return 0;
}

static void print_json(struct watch *w, const struct pm_oracle_event *ev, const char *dev,
		       const char *local, const char *remote)
{
	struct json j;

	json_init(&j, w->c->out, w->c->pretty);
	json_object_open(&j);
	json_key_string(&j, "event", ev->bad ? "PATH_BAD" : "PATH_GOOD");
	json_key_uint(&j, "time_ms", ev->at_ms);
	json_key_string(&j, "dev", dev);
	json_key_string(&j, "local", local);
	json_key_string(&j, "remote", remote);
	json_key_string(&j, "trigger", pm_oracle_trigger_names[ev->trigger]);
	json_key_uint(&j, "value", ev->value / scale[ev->trigger]);
	if (w->policy)
		json_key_string(&j, "mode", w->policy->modes[ev->mode].name);
	json_object_close(&j);
	json_end(&j);
}

static const char *unit(enum oracle_trigger trigger)
{
	switch (trigger) {
	case ORACLE_RTT:
	case ORACLE_RTO:
	case ORACLE_STALL:
		return " ms";
	case ORACLE_LOSS:
	case ORACLE_RESENT:
		return " %";
	case ORACLE_TIMEOUTS:
	case ORACLE_TRIGGERS:
		break;
	}
	return "";
}

static void take_event(const struct pm_oracle_event *ev, void *data)
{
	char dev[IF_NAMESIZE], local[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN],
		remote[INET6_ADDRSTRLEN + 4];
	struct watch *w = data;
	FILE *out = w->c->out;

	if (w->count && w->events >= w->count)
		return;
	w->events++;
	if (!if_indextoname((unsigned int)ev->ifindex, dev))
		snprintf(dev, sizeof(dev), "if%d", ev->ifindex);
	pm_address_text(&ev->local, local);
	snprintf(remote, sizeof(remote), "%s/%u", pm_address_text(&ev->remote, text),
		 ev->remote_bits);
	if (w->c->json) {
		print_json(w, ev, dev, local, remote);
		return;
	}
	fprintf(out, "%" PRIu64 ".%03u PATH_%s dev=%s local=%s remote=%s trigger=%s value=%u%s",
		ev->at_ms / 1000, (unsigned int)(ev->at_ms % 1000), ev->bad ? "BAD" : "GOOD", dev,
		local, remote, pm_oracle_trigger_names[ev->trigger], ev->value / scale[ev->trigger],
		unit(ev->trigger));
	if (w->policy)
		fprintf(out, " mode=%s", w->policy->modes[ev->mode].name);
	fputc('\n', out);
}

static int follow(struct watch *w, struct error *e)
{
	struct pollfd p = { .fd = pm_oracle_fd(w->oracle), .events = POLLIN };
	uint64_t end = follow_end_ms(w->seconds);

	while (!follow_stopped() && !(w->count && w->events >= w->count) && follow_now_ms() < end) {
		int n;

		poll(&p, 1, FOLLOW_WAIT_MS);
		n = pm_oracle_events(w->oracle, take_event, w);
		if (n < 0)
			return error_set(e, n, "cannot read the oracle's events: %s", strerror(-n));
		fflush(w->c->out);
		if (ferror(w->c->out))
			return error_set(e, -EPIPE, "cannot write the events");
	}
	return 0;
}

static int watch(struct watch *w, const struct oracle_config *config, struct error *e)
{
	int err = caps_need(CAP_BIT_BPF | CAP_BIT_NET_ADMIN | CAP_BIT_SYS_ADMIN, "watch paths", e);

	if (err == 0)
		err = pm_netns_enter(netns, e);
	if (err == 0 && w->policy)
		err = pm_oracle_open(NULL, w->policy, &w->oracle, e);
	else if (err == 0)
		err = pm_oracle_open_config(NULL, config, &w->oracle, e);
	if (err < 0)
		return err;
	follow_catch_signals();
	cli_note(w->c, "watching; Ctrl-C ends it\n");
	fflush(w->c->out);
	return follow(w, e);
}

static int run(struct cli *c, int nr, char **words)
{
	_cleanup_(cleanup_watch) struct watch w = { .c = c };
	struct oracle_config config;
	struct error e = { 0 };
	int status = EXIT_STATUS_FAILED;

	(void)nr;
	(void)words;
	if (policy_file && (when.nr || period_text || alpha_text)) {
		error_set(&e, -EINVAL,
			  "thresholds and averages are either the policy's or those of --when, "
			  "--period and --alpha");
		return cli_usage(c, &e);
	}
	if (follow_parse_number("--seconds", seconds_text, FOLLOW_SECONDS_MAX, &w.seconds, &e) <
		    0 ||
	    follow_parse_number("--count", count_text, UINT32_MAX, &w.count, &e) < 0 ||
	    parse_config(&config, &e) < 0)
		return cli_usage(c, &e);
	if (policy_file && diagnose_load(c, policy_file, &w.policy, &status) < 0)
		return status;
	return watch(&w, &config, &e) < 0 ? cli_fail(c, &e) : EXIT_STATUS_OK;
}

const struct verb verb_path_watch = {
	.name = "path",
	.sub = "watch",
	.summary = "tell when a path gets bad, and good again",
	.options = { options, NR(options) },
	.run = run,
};
