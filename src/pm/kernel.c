// SPDX-License-Identifier: GPL-2.0-only
/* Everything a plan needs to know, read from the calling thread's network namespace. */
#include <errno.h>
#include <string.h>

#include "pm/interfaces.h"
#include "pm/mptcp_pm.h"
#include "pm/pm.h"
#include "pm/state.h"
#include "pm/sysctl.h"

static void take_state(const struct pm_state *s, struct pm_kernel *k)
{
	for (size_t i = 0; i < k->nr_endpoints; i++)
		k->endpoints[i].owned = pm_state_owns(s, &k->endpoints[i]);
	memcpy(k->policy, s->policy, sizeof(k->policy));
	memcpy(k->policy_scheduler, s->scheduler, sizeof(k->policy_scheduler));
	k->has_saved = s->nr_set_limits || s->nr_set_scheduler || s->nr_set_syn_retries ||
		       s->nr_set_manager || s->nr_set_fastopen;
	k->saved_limits = s->saved_limits;
	memcpy(k->saved_scheduler, s->saved_scheduler, sizeof(k->saved_scheduler));
	memcpy(k->set_limits, s->set_limits, sizeof(k->set_limits));
	k->nr_set_limits = s->nr_set_limits;
	memcpy(k->set_scheduler, s->set_scheduler, sizeof(k->set_scheduler));
	k->nr_set_scheduler = s->nr_set_scheduler;
	k->saved_syn_retries = s->saved_syn_retries;
	memcpy(k->set_syn_retries, s->set_syn_retries, sizeof(k->set_syn_retries));
	k->nr_set_syn_retries = s->nr_set_syn_retries;
	k->saved_fastopen = s->saved_fastopen;
	memcpy(k->set_fastopen, s->set_fastopen, sizeof(k->set_fastopen));
	k->nr_set_fastopen = s->nr_set_fastopen;
	memcpy(k->saved_manager, s->saved_manager, sizeof(k->saved_manager));
	memcpy(k->set_manager, s->set_manager, sizeof(k->set_manager));
	k->nr_set_manager = s->nr_set_manager;
	k->generation = s->generation;
}

static int read_sysctls(struct pm_kernel *k, struct error *e)
{
	char enabled[8], retries[16];
	int r = pm_sysctl_read("enabled", enabled, sizeof(enabled), e);

	if (r < 0)
		return r;
	k->enabled = strcmp(enabled, "0") != 0;
	/* Kernels before 6.14 have it built in. */
	k->syn_retries = -1;
	if (pm_sysctl_read(PM_SYSCTL_SYN_RETRIES, retries, sizeof(retries), NULL) == 0)
		k->syn_retries = atoi(retries);
	pm_sysctl_fastopen(&k->fastopen);
	/* Kernels before 6.10 do not list their schedulers. */
	pm_sysctl_read("available_schedulers", k->available_schedulers,
		       sizeof(k->available_schedulers), NULL);
	if (pm_sysctl_manager(k->manager, NULL) < 0)
		k->manager[0] = '\0';
	return pm_sysctl_read("scheduler", k->scheduler, sizeof(k->scheduler), e);
}

int pm_kernel_read_settings(struct pm_kernel *out, struct error *e)
{
	_cleanup_(pm_kernel_clear) struct pm_kernel k = { 0 };
	_cleanup_(pm_mptcp_close) struct pm_mptcp m = { 0 };
	_cleanup_(pm_state_clear) struct pm_state s = { 0 };
	struct pm_netns ns;
	int r;

	r = pm_mptcp_open(&m, e);
	if (r == 0)
		r = read_sysctls(&k, e);
	if (r == 0)
		r = pm_mptcp_endpoints(&m, &k.endpoints, &k.nr_endpoints, e);
	if (r == 0)
		r = pm_mptcp_limits(&m, &k.limits, e);
	if (r == 0)
		r = pm_netns_identify(&ns, e);
	if (r == 0)
		r = pm_state_read(&ns, &s, e);
	if (r < 0)
		return r;
	take_state(&s, &k);
	*out = k;
	k = (struct pm_kernel){ 0 };
	return 0;
}

int pm_kernel_read(struct pm_kernel *out, struct error *e)
{
	struct pm_kernel k = { 0 };
	int r = pm_kernel_read_settings(&k, e);

	if (r == 0)
		r = pm_interfaces_read(&k.interfaces, &k.nr_interfaces, e);
	if (r < 0) {
		pm_kernel_clear(&k);
		return r;
	}
	*out = k;
	return 0;
}

void pm_kernel_clear(struct pm_kernel *k)
{
	free(k->endpoints);
	pm_interfaces_free(k->interfaces, k->nr_interfaces);
	*k = (struct pm_kernel){ 0 };
}
