// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's cookies for data in SYNs; see cookie.h. */
#include "pm/cookie.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/tcp_metrics.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pm/mptcp_pm.h"
#include "pm/netlink.h"
#include "pm/rescue_settings.h"

#define WORD_BITS 32
#define NS_PER_S  1000000000u

static bool is_in(const struct rescue_address *a, const struct rescue_destination *d)
{
	for (uint32_t i = 0; i < 4 && d->bits > WORD_BITS * i; i++) {
		uint32_t bits = d->bits - WORD_BITS * i;
		uint32_t mask = bits >= WORD_BITS ? UINT32_MAX : ~(UINT32_MAX >> bits);

		if ((a->word[i] ^ d->prefix.word[i]) & htonl(mask))
			return false;
	}
	return true;
}

bool pm_cookie_is_unwanted(const struct pm_cookie_view *v, const struct pm_address *remote)
{
	bool listed = !v->settings->data_listed;
	struct rescue_address a;

	pm_rescue_address(remote, &a);
	for (uint32_t i = 0; !listed && i < v->settings->nr_data_to; i++)
		listed = is_in(&a, &v->settings->data_to[i]);
	for (size_t i = 0; i < v->nr_held; i++)
		if (memcmp(&v->held[i].at.remote, &a, sizeof(a)) == 0)
			return true;
	return !listed;
}

struct walk {
	const struct pm_cookie_view *view;
	struct pm_address *list;
	size_t nr;
	uint16_t family;
};

static int take_family(const struct nlattr *attr, void *data)
{
	struct walk *w = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
		w->family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *answer, void *data)
{
	mnl_attr_parse(answer, sizeof(struct genlmsghdr), take_family, data);
	return 0;
}

static int on_entry(const struct nlmsghdr *answer, void *data)
{
	struct walk *w = data;
	struct pm_address remote = { 0 }, *bigger;
	const struct nlattr *a;
	bool cookie = false;

	mnl_attr_for_each(a, answer, sizeof(struct genlmsghdr))
	{
		uint16_t type = mnl_attr_get_type(a), size = mnl_attr_get_payload_len(a);

		cookie = cookie || type == TCP_METRICS_ATTR_FOPEN_COOKIE;
		if (type == TCP_METRICS_ATTR_ADDR_IPV4 && size == sizeof(remote.v4)) {
			remote.family = AF_INET;
			memcpy(&remote.v4, mnl_attr_get_payload(a), size);
		} else if (type == TCP_METRICS_ATTR_ADDR_IPV6 && size == sizeof(remote.v6)) {
			remote.family = AF_INET6;
			memcpy(&remote.v6, mnl_attr_get_payload(a), size);
		}
	}
	if (!cookie || !remote.family || !pm_cookie_is_unwanted(w->view, &remote))
		return 0;
	bigger = reallocarray(w->list, w->nr + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	w->list = bigger;
	bigger[w->nr++] = remote;
	return 0;
}

static int forget_one(struct pm_netlink *nl, uint16_t family, const struct pm_address *remote,
		      struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *m = pm_encode_command(buffer, family, TCP_METRICS_CMD_DEL, NLM_F_ACK);
	int err;

	if (remote->family == AF_INET)
		mnl_attr_put(m, TCP_METRICS_ATTR_ADDR_IPV4, sizeof(remote->v4), &remote->v4);
	else
		mnl_attr_put(m, TCP_METRICS_ATTR_ADDR_IPV6, sizeof(remote->v6), &remote->v6);
	err = pm_netlink_call(nl, m, NULL, NULL, "forget a TCP Fast Open cookie", e);
	/* It stands there once for each address of ours, and all of them go at once. */
	if (err != -ESRCH)
		return err;
	*e = (struct error){ 0 };
	return 0;
}

static int find(struct pm_netlink *nl, struct walk *w, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *m = pm_encode_command(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	int err;

	mnl_attr_put_strz(m, CTRL_ATTR_FAMILY_NAME, TCP_METRICS_GENL_NAME);
	err = pm_netlink_call(nl, m, on_family, w, "look up the kernel's TCP metrics", e);
	if (err < 0)
		return err;
	m = pm_encode_command(buffer, w->family, TCP_METRICS_CMD_GET, NLM_F_DUMP);
	return pm_netlink_call(nl, m, on_entry, w, "list TCP Fast Open cookies", e);
}

int pm_cookie_forget(const struct pm_cookie_view *v, size_t *nr, struct error *e)
{
	struct pm_netlink nl = { 0 };
	struct walk w = { .view = v };
	int err = pm_netlink_open(&nl, NETLINK_GENERIC, e);

	*nr = 0;
	if (err < 0)
		return err;
	err = find(&nl, &w, e);
	for (size_t i = 0; err == 0 && i < w.nr; i++)
		err = forget_one(&nl, w.family, &w.list[i], e);
	if (err == 0)
		*nr = w.nr;
	free(w.list);
	pm_netlink_close(&nl);
	return err;
}

int pm_cookie_tidy(const struct loader_config *c, uint64_t cookie, struct error *e)
{
	_cleanup_free_ struct loader_rescue_lost *held = calloc(PM_COOKIES_HELD_MAX, sizeof(*held));
	_cleanup_free_ struct rescue_config *settings = calloc(1, sizeof(*settings));
	struct pm_cookie_view v = { .settings = settings, .held = held };
	struct timespec t;
	size_t nr;
	int err;

	if (!held || !settings)
		return error_set(e, -ENOMEM, "out of memory");
	err = loader_rescue_settings(c, cookie, settings, NULL);
	if (err == -ENOENT || (err == 0 && !rescue_looks_at_data(settings)))
		return 0;
	if (err < 0)
		return error_set(e, err, "cannot read the settings of SYN rescue: %s",
				 strerror(-err));
	clock_gettime(CLOCK_MONOTONIC, &t);
	err = loader_rescue_held(c, cookie, (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec,
				 held, PM_COOKIES_HELD_MAX, &v.nr_held, e);
	if (v.nr_held > PM_COOKIES_HELD_MAX)
		v.nr_held = PM_COOKIES_HELD_MAX;
	return err < 0 ? err : pm_cookie_forget(&v, &nr, e);
}
