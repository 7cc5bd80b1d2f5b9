// SPDX-License-Identifier: GPL-2.0-only
/*
 * Congestion control by path: interfaces that appear get that of theirs. What they have stays when
 * the daemon ends.
 */
#include "pm/congestion.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/source.h"

struct congestion {
	struct daemon *d;
	uint32_t unknown; /* bit N: the kernel lacks that of policy.paths[N] */
	bool on;	  /* the policy before asked for it */
	int refused;	  /* why it cannot be had, and it was said */
};

/* Said once, and again when it is for another reason. */
static void refuse(struct congestion *g, int err, const struct error *e)
{
	if (err != g->refused)
		log_error(&g->d->log, e);
	g->refused = err;
}

/* Once a policy: the kernel may look for a module. */
static void find_unknown(struct congestion *g)
{
	const struct policy *policy = g->d->policy;

	g->unknown = 0;
	for (size_t i = 0; i < policy->nr_paths; i++) {
		struct error e = { 0 };

		if (!policy->paths[i].congestion[0] ||
		    pm_congestion_find(&policy->paths[i], &e) == 0)
			continue;
		g->unknown |= 1u << i;
		log_error(&g->d->log, &e);
	}
}

static const struct loader_congestion *find(const struct loader_congestion *list, size_t nr,
					    uint32_t ifindex)
{
	for (size_t i = 0; i < nr; i++) {
		if (list[i].ifindex == ifindex)
			return &list[i];
	}
	return NULL;
}

static void tell_changes(struct congestion *g, const struct loader_congestion *had, size_t nr_had,
			 const struct loader_congestion *has, size_t nr_has)
{
	struct pm_decision one = { .kind = PM_DECIDE_NOTICE, .path = UINT32_MAX };
	char text[PM_CONGESTION_TEXT_BYTES], name[IF_NAMESIZE];

	for (size_t i = 0; i < nr_has; i++) {
		const struct loader_congestion *old = find(had, nr_had, has[i].ifindex);

		if (old && memcmp(old, &has[i], sizeof(*old)) == 0)
			continue;
		pm_congestion_describe(&has[i], text, sizeof(text));
		snprintf(one.reason, sizeof(one.reason), "the policy has it for its path");
		daemon_report(g->d, &one, text, NULL);
	}
	for (size_t i = 0; i < nr_had; i++) {
		if (find(has, nr_has, had[i].ifindex) || !if_indextoname(had[i].ifindex, name))
			continue;
		snprintf(text, sizeof(text), "leave congestion control on %s to the kernel", name);
		snprintf(one.reason, sizeof(one.reason), "the policy has none for its path");
		daemon_report(g->d, &one, text, NULL);
	}
}

/* Only when something is to be changed is anything written. */
static int write_list(struct congestion *g, struct error *e)
{
	struct loader_congestion had[MPTCP_CONGESTION_IFS], has[MPTCP_CONGESTION_IFS];
	const uint64_t cookie = g->d->netns.cookie;
	size_t nr_had = 0, nr_has = 0;
	int err = pm_congestion_make(g->d->policy, g->unknown, g->d->interfaces,
				     g->d->nr_interfaces, has, &nr_has, e);

	if (err == 0)
		err = loader_congestion_read(NULL, cookie, had, &nr_had, e);
	if (err < 0 || (nr_had == nr_has && memcmp(had, has, nr_has * sizeof(has[0])) == 0))
		return err;
	err = source_may_load("change congestion control", e);
	if (err == 0)
		err = loader_congestion_write(NULL, cookie, has, nr_has, e);
	if (err == 0)
		tell_changes(g, had, nr_had, has, nr_has);
	return err;
}

static void follow_interfaces(struct daemon *d, void *state)
{
	struct congestion *g = state;
	bool wanted = pm_congestion_wanted(g->d->policy);
	struct error e = { 0 };
	int err;

	(void)d;
	if (!wanted && !g->on)
		return;
	err = write_list(g, &e);
	g->on = wanted;
	if (err < 0)
		refuse(g, err, &e);
	else
		g->refused = 0;
}

static void follow_policy(struct daemon *d, void *state)
{
	find_unknown(state);
	follow_interfaces(d, state);
}

static int start_congestion(struct daemon *d, void *state, struct error *e)
{
	(void)e;
	follow_interfaces(d, state);
	return 0;
}

static void close_congestion(struct daemon *d, void *state)
{
	(void)d;
	free(state);
}

static int open_congestion(struct daemon *d, void **state, struct error *e)
{
	struct congestion *g = calloc(1, sizeof(*g));

	*state = g;
	if (!g)
		return error_set(e, -ENOMEM, "cannot keep congestion control: out of memory");
	g->d = d;
	find_unknown(g);
	return 0;
}

const struct daemon_source source_congestion = {
	.name = "congestion",
	.open = open_congestion,
	.start = start_congestion,
	.policy_changed = follow_policy,
	.interfaces = follow_interfaces,
	.close = close_congestion,
};
