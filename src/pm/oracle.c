// SPDX-License-Identifier: GPL-2.0-only
/* From policy to thresholds, from records to health; see oracle.h. */
#include "pm/oracle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pm/address.h"
#include "pm/netns.h"
#include "util/cleanup.h"

#define ALPHA_PERMILLE 500
#define PERIOD_MS      500
#define TRIES	       3 /* it may be unloaded right after it was loaded */
#define FORGOTTEN_MS   60000
#define NS_PER_MS      1000000ull

struct pm_oracle {
	struct loader_oracle *loader;
	struct loader_config config;
	uint64_t cookie;
	unsigned int modes[ORACLE_SETS_MAX];
	pm_oracle_event_fn *call;
	void *data;
};

const char *const pm_oracle_trigger_names[] = {
	[ORACLE_RTT] = "rtt",	    [ORACLE_RTO] = "rto",	    [ORACLE_LOSS] = "loss",
	[ORACLE_RESENT] = "resent", [ORACLE_TIMEOUTS] = "timeouts", [ORACLE_STALL] = "stall",
};
_Static_assert(sizeof(pm_oracle_trigger_names) / sizeof(pm_oracle_trigger_names[0]) ==
		       ORACLE_TRIGGERS,
	       "a name for each trigger");

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint32_t u32(uint64_t n)
{
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static struct oracle_threshold threshold(const struct policy_threshold *t)
{
	struct oracle_threshold out = { u32(t->enter), u32(t->leave) };

	if (out.enter && out.leave >= out.enter)
		out.leave = out.enter - 1;
	return out;
}

static void set_of(const struct policy_switch *s, struct oracle_threshold out[ORACLE_ROOM])
{
	out[ORACLE_RTT] = threshold(&s->rtt_us);
	out[ORACLE_RTO] = threshold(&s->rto_us);
	out[ORACLE_LOSS] = threshold(&s->loss_permille);
	out[ORACLE_RESENT] = threshold(&s->resent_permille);
	out[ORACLE_TIMEOUTS] = threshold(&s->timeouts);
	out[ORACLE_STALL] = threshold(&s->stall_ms);
}

/* Crossed when the first of both is, and left with the last. */
static void combine(struct oracle_threshold *to, const struct oracle_threshold *with)
{
	for (int i = 0; i < ORACLE_TRIGGERS; i++) {
		if (!with[i].enter)
			continue;
		if (!to[i].enter || with[i].enter < to[i].enter)
			to[i].enter = with[i].enter;
		if (with[i].leave < to[i].leave || to[i].leave >= to[i].enter)
			to[i].leave = with[i].leave < to[i].enter ? with[i].leave : 0;
	}
}

static void add_mode(const struct policy *policy, unsigned int mode, struct oracle_config *out,
		     unsigned int modes[ORACLE_SETS_MAX])
{
	struct oracle_threshold set[ORACLE_ROOM] = { 0 };

	if (mode >= policy->nr_modes)
		return;
	set_of(&policy->modes[mode].when_bad, set);
	for (uint32_t i = 0; i < out->nr_sets; i++) {
		if (memcmp(set, out->sets[i], sizeof(set)) == 0)
			return;
	}
	if (out->nr_sets == ORACLE_SETS_MAX) {
		combine(out->sets[ORACLE_SETS_MAX - 1], set);
		return;
	}
	memcpy(out->sets[out->nr_sets], set, sizeof(set));
	modes[out->nr_sets++] = mode;
}

void pm_oracle_config(const struct policy *policy, struct oracle_config *out,
		      unsigned int modes[ORACLE_SETS_MAX])
{
	*out = (struct oracle_config){ .alpha_permille = ALPHA_PERMILLE, .period_ms = PERIOD_MS };
	/* A path has one average, so one mode says how it is made. */
	if (policy->mode_index < policy->nr_modes) {
		const struct policy_switch *s = &policy->modes[policy->mode_index].when_bad;

		out->alpha_permille = s->alpha_permille ? s->alpha_permille : ALPHA_PERMILLE;
		out->period_ms = s->period_ms ? s->period_ms : PERIOD_MS;
	}
	add_mode(policy, policy->mode_index, out, modes);
	for (size_t i = 0; i < policy->nr_rules; i++)
		add_mode(policy, policy->rules[i].mode_index, out, modes);
}

struct pm_address pm_oracle_address(const uint8_t mapped[16])
{
	struct pm_address a = { .family = AF_INET6 };

	memcpy(&a.v6, mapped, sizeof(a.v6));
	return pm_address_unmapped(&a);
}

static bool same_source(const struct oracle_key *a, const struct oracle_key *b)
{
	return a->ifindex == b->ifindex && memcmp(a->local, b->local, sizeof(a->local)) == 0;
}

static bool is_fresh(const struct loader_oracle_path *p, uint64_t at_ns)
{
	const uint64_t heard = p->value.health.heard_ns;

	return heard && (at_ns <= heard || at_ns - heard < PM_ORACLE_FRESH_MS * NS_PER_MS);
}

/* What a source's destinations add up to. */
struct sum {
	uint64_t weight, srtt, rto;
	uint64_t segs, lost, resent, rate_bps;
	uint64_t delivered_ns; /* to or from any */
};

static void add(struct sum *s, const struct oracle_health *h)
{
	/* A path of which only a handshake is known still has an RTT. */
	uint64_t weight = h->averages.srtt_us ? (h->averages.segs >> ORACLE_FRACTION) + 1 : 0;

	s->weight += weight;
	s->srtt += weight * h->averages.srtt_us;
	s->rto += weight * h->averages.rto_us;
	s->segs += h->averages.segs;
	s->lost += h->averages.lost;
	s->resent += h->averages.resent;
	s->rate_bps += h->averages.rate_bps;
	if (h->delivered_ns > s->delivered_ns)
		s->delivered_ns = h->delivered_ns;
}

/* Trouble counts as far as no other destination was heard since. */
static void add_trouble(struct pm_health *out, const struct oracle_health *h, const struct sum *s)
{
	uint64_t silent_ms =
		h->heard_ns > s->delivered_ns ? (h->heard_ns - s->delivered_ns) / NS_PER_MS : 0;
	uint32_t stall = h->stall_ms;

	if (s->delivered_ns > h->delivered_ns && stall > silent_ms)
		stall = u32(silent_ms);
	if (stall > out->stall_ms)
		out->stall_ms = stall;
	if (s->delivered_ns <= h->delivered_ns && h->timeouts > out->timeouts)
		out->timeouts = h->timeouts < UINT16_MAX ? (uint16_t)h->timeouts : UINT16_MAX;
}

static void merge_source(const struct loader_oracle_path *paths, size_t nr, size_t first,
			 uint64_t at_ns, struct pm_health *out)
{
	struct sum s = { 0 };

	for (size_t i = first; i < nr; i++) {
		if (same_source(&paths[i].key, &paths[first].key) && is_fresh(&paths[i], at_ns))
			add(&s, &paths[i].value.health);
	}
	*out = (struct pm_health){
		.ifindex = (int)paths[first].key.ifindex,
		.local = pm_oracle_address(paths[first].key.local),
		.srtt_us = s.weight ? u32(s.srtt / s.weight) : 0,
		.rto_us = s.weight ? u32(s.rto / s.weight) : 0,
		.loss_permille = (uint16_t)oracle_permille(s.lost, s.segs),
		.resent_permille = (uint16_t)oracle_permille(s.resent, s.segs),
		.rate_bps = s.rate_bps,
	};
	for (size_t i = first; i < nr; i++) {
		if (same_source(&paths[i].key, &paths[first].key) && is_fresh(&paths[i], at_ns))
			add_trouble(out, &paths[i].value.health, &s);
	}
}

int pm_oracle_merge(const struct loader_oracle_path *paths, size_t nr, uint64_t at_ns,
		    struct pm_health **out, size_t *nr_out)
{
	struct pm_health *list = calloc(nr ? nr : 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		bool known = !is_fresh(&paths[i], at_ns);

		for (size_t k = 0; k < i && !known; k++)
			known = same_source(&paths[k].key, &paths[i].key) &&
				is_fresh(&paths[k], at_ns);
		if (!known)
			merge_source(paths, nr, i, at_ns, &list[n++]);
	}
	*out = list;
	*nr_out = n;
	return 0;
}

static int open_with(const struct loader_config *c, const struct oracle_config *config,
		     struct pm_oracle *o, struct error *e)
{
	enum loader_outcome outcome;
	struct pm_netns netns;
	int err = pm_netns_identify(&netns, e);

	if (err == 0 && !netns.cookie)
		err = error_set(e, -EOPNOTSUPP,
				"this kernel does not tell network namespaces "
				"apart (SO_NETNS_COOKIE)");
	if (err < 0)
		return err;
	if (c)
		o->config = *c;
	o->cookie = netns.cookie;
	for (int i = 0; i < TRIES; i++) {
		err = loader_oracle_load(c, &outcome, e);
		if (err == 0)
			err = loader_oracle_watch(c, o->cookie, config, &o->loader, e);
		if (err != -ENOENT)
			break;
	}
	return err;
}

int pm_oracle_open_config(const struct loader_config *c, const struct oracle_config *config,
			  struct pm_oracle **out, struct error *e)
{
	_cleanup_free_ struct pm_oracle *o = calloc(1, sizeof(*o));
	int err = o ? open_with(c, config, o, e) : error_set(e, -ENOMEM, "out of memory");

	if (err == 0)
		*out = TAKE_PTR(o);
	return err;
}

int pm_oracle_open(const struct loader_config *c, const struct policy *policy,
		   struct pm_oracle **out, struct error *e)
{
	_cleanup_free_ struct pm_oracle *o = calloc(1, sizeof(*o));
	struct oracle_config config;
	int err;

	if (!o)
		return error_set(e, -ENOMEM, "out of memory");
	pm_oracle_config(policy, &config, o->modes);
	err = open_with(c, &config, o, e);
	if (err == 0)
		*out = TAKE_PTR(o);
	return err;
}

int pm_oracle_policy(struct pm_oracle *o, const struct policy *policy, struct error *e)
{
	unsigned int modes[ORACLE_SETS_MAX] = { 0 };
	struct oracle_config config;
	int err;

	pm_oracle_config(policy, &config, modes);
	err = loader_oracle_configure(o->loader, &config, e);
	if (err == 0)
		memcpy(o->modes, modes, sizeof(modes));
	return err;
}

int pm_oracle_fd(const struct pm_oracle *o)
{
	return loader_oracle_fd(o->loader);
}

static void on_event(const struct oracle_event *from, void *data)
{
	const struct pm_oracle *o = data;
	struct pm_oracle_event event = {
		.bad = from->bad,
		.value = from->value,
		.ifindex = (int)from->path.ifindex,
		.local = pm_oracle_address(from->path.local),
		.remote = pm_oracle_address(from->path.remote),
		.at_ms = from->at_ns / NS_PER_MS,
	};

	if (from->set >= ORACLE_SETS_MAX || from->trigger >= ORACLE_TRIGGERS || !o->call)
		return;
	event.mode = o->modes[from->set];
	event.trigger = (enum oracle_trigger)from->trigger;
	event.remote_bits = event.remote.family == AF_INET ? ORACLE_PREFIX4 : ORACLE_PREFIX6;
	o->call(&event, o->data);
}

int pm_oracle_events(struct pm_oracle *o, pm_oracle_event_fn *call, void *data)
{
	o->call = call;
	o->data = data;
	return loader_oracle_events(o->loader, on_event, o);
}

int pm_oracle_read(struct pm_oracle *o, struct pm_health **out, size_t *nr, struct error *e)
{
	_cleanup_free_ struct loader_oracle_path *paths = NULL;
	uint64_t now = now_ns();
	size_t nr_paths;
	bool known;
	int err;

	if (now > FORGOTTEN_MS * NS_PER_MS)
		loader_oracle_prune(o->loader, now - FORGOTTEN_MS * NS_PER_MS);
	err = loader_oracle_paths(&o->config, o->cookie, &paths, &nr_paths, &known, e);
	if (err < 0)
		return err;
	err = pm_oracle_merge(paths, nr_paths, now, out, nr);
	return err < 0 ? error_set(e, err, "out of memory") : 0;
}

void pm_oracle_close(struct pm_oracle **o)
{
	if (!*o)
		return;
	loader_oracle_close(&(*o)->loader);
	free(*o);
	*o = NULL;
}
