// SPDX-License-Identifier: GPL-2.0-only
/* Rescued connections looked after; see rescue.h. */
#include "pm/rescue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pm/interfaces.h"
#include "pm/netns.h"
#include "pm/request.h"
#include "pm/rescue_settings.h"
#include "pm/sysctl.h"
#include "util/cleanup.h"

#define NS_PER_S     1000000000u
#define ALL_STATES   0xfffu
#define ACTIONS_MAX  32
#define PM_USERSPACE 1 /* net.mptcp.pm_type */

int pm_rescue_open(struct pm_rescue *r, const struct loader_config *c, struct error *e)
{
	struct pm_netns ns;
	int err = pm_netns_identify(&ns, e);

	if (err < 0)
		return err;
	*r = (struct pm_rescue){ .config = c, .cookie = ns.cookie };
	err = pm_mptcp_open(&r->mptcp, e);
	if (err == 0)
		err = pm_netlink_open(&r->diag, NETLINK_SOCK_DIAG, e);
	if (err < 0)
		pm_rescue_close(r);
	return err;
}

void pm_rescue_close(struct pm_rescue *r)
{
	pm_mptcp_close(&r->mptcp);
	pm_netlink_close(&r->diag);
}

void pm_rescue_event(struct pm_rescue *r, const struct pm_event *event, uint64_t now_ms)
{
	switch (event->type) {
	case PM_EVENT_ESTABLISHED:
	case PM_EVENT_SUB_ESTABLISHED:
	case PM_EVENT_SUB_CLOSED:
		r->next_ms = now_ms;
		break;
	}
}

void pm_rescue_describe(const struct pm_rescue_action *a, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	pm_address_text(&a->local, text);
	switch (a->kind) {
	case PM_RESCUE_JOIN:
		snprintf(out, size, "connection %08x: open a subflow from %s", a->token, text);
		return;
	case PM_RESCUE_CLOSE:
		snprintf(out, size,
			 "connection %08x: close the first subflow, a proper one is on the path "
			 "it rode",
			 a->token);
		return;
	case PM_RESCUE_RENEW:
		snprintf(out, size, "connection %08x: try %s again (endpoint id %u)", a->token,
			 text, a->endpoint.id);
		return;
	case PM_RESCUE_FORGET:
		snprintf(out, size, "forget a connection that is gone");
		return;
	}
}

/* The kernel sends RST with MP_TCPRST; the connection goes on with its other subflows. */
static int destroy(struct pm_rescue *r, const struct rescue_tuple *at, struct error *e)
{
	char buffer[PM_NETLINK_BYTES];
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *q;
	struct pm_address local;

	m->nlmsg_type = SOCK_DESTROY;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	q = mnl_nlmsg_put_extra_header(m, sizeof(*q));
	pm_rescue_address_back(&at->local, &local);
	q->sdiag_family = (uint8_t)local.family;
	q->sdiag_protocol = IPPROTO_TCP;
	q->idiag_states = ALL_STATES;
	q->id.idiag_sport = at->local_port;
	q->id.idiag_dport = at->remote_port;
	q->id.idiag_cookie[0] = q->id.idiag_cookie[1] = (uint32_t)INET_DIAG_NOCOOKIE;
	if (local.family == AF_INET) {
		q->id.idiag_src[0] = at->local.word[3];
		q->id.idiag_dst[0] = at->remote.word[3];
	} else {
		memcpy(q->id.idiag_src, &at->local, sizeof(at->local));
		memcpy(q->id.idiag_dst, &at->remote, sizeof(at->remote));
	}
	return pm_netlink_call(&r->diag, m, NULL, NULL, "close the first subflow", e);
}

/* Between the two calls a new connection finds one endpoint less; it gets the subflow when the
 * endpoint comes back. */
static int renew(struct pm_rescue *r, const struct pm_rescue_action *a, struct error *e)
{
	struct pm_endpoint ep = a->endpoint;
	int err = pm_mptcp_delete(&r->mptcp, &ep, e);

	return err < 0 ? err : pm_mptcp_add(&r->mptcp, &ep, e);
}

static int join(struct pm_rescue *r, const struct pm_rescue_action *a,
		const struct pm_connections *conns, struct error *e)
{
	_cleanup_free_ struct pm_endpoint *addresses = NULL;
	struct pm_request request = { .kind = PM_SUBFLOW_ADD, .token = a->token };
	struct pm_request_facts facts = { 0 };
	struct pm_interface *interfaces = NULL;
	size_t nr = 0;
	int err;

	request.local.address = a->local;
	request.local.ifindex = a->ifindex;
	for (size_t i = 0; i < conns->nr; i++) {
		if (conns->items[i].token == a->token)
			facts.conn = &conns->items[i];
	}
	err = pm_request_addresses(&r->mptcp, a->token, &addresses, &facts.nr_addresses, e);
	if (err == 0)
		err = pm_interfaces_read(&interfaces, &nr, e);
	facts.addresses = addresses;
	facts.interfaces = interfaces;
	facts.nr_interfaces = nr;
	if (err == 0)
		err = pm_request_fill(&request, &facts, e);
	if (err == 0)
		err = pm_request_send(&r->mptcp, &request, e);
	pm_interfaces_free(interfaces, nr);
	return err;
}

static void act(struct pm_rescue *r, const struct pm_rescue_action *a,
		const struct pm_connections *conns)
{
	struct error e = { 0 };

	switch (a->kind) {
	case PM_RESCUE_JOIN:
		join(r, a, conns, &e);
		break;
	case PM_RESCUE_CLOSE:
		destroy(r, &a->flow.at, &e);
		break;
	case PM_RESCUE_RENEW:
		renew(r, a, &e);
		break;
	case PM_RESCUE_FORGET:
		loader_rescue_forget(r->config, r->cookie, &a->flow, &e);
		break;
	}
	if (r->report)
		r->report(a, e.code ? &e : NULL, r->data);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static bool is_userspace(void)
{
	char value[32] = "";

	return pm_sysctl_read("pm_type", value, sizeof(value), NULL) == 0 &&
	       atoi(value) == PM_USERSPACE;
}

static int decide_and_act(struct pm_rescue *r, const struct loader_rescue_flow *flows, size_t nr,
			  uint64_t now_ms, struct error *e)
{
	_cleanup_(pm_connections_clear) struct pm_connections conns = { 0 };
	_cleanup_free_ struct pm_rescue_action *actions = calloc(ACTIONS_MAX, sizeof(*actions));
	_cleanup_free_ struct pm_endpoint *endpoints = NULL;
	struct pm_rescue_view v = { .flows = flows, .nr_flows = nr, .now_ns = now_ns() };
	size_t nr_actions;
	int err;

	if (!actions)
		return error_set(e, -ENOMEM, "out of memory");
	err = pm_connections_read(&conns, e);
	if (err == 0)
		err = pm_mptcp_endpoints(&r->mptcp, &endpoints, &v.nr_endpoints, e);
	if (err < 0)
		return err;
	v.conns = &conns;
	v.endpoints = endpoints;
	v.userspace = is_userspace();
	v.engine = r->engine;
	nr_actions = pm_rescue_decide(&r->memory, &v, now_ms, actions, ACTIONS_MAX);
	for (size_t i = 0; i < nr_actions; i++)
		act(r, &actions[i], &conns);
	return 0;
}

static bool any_rides(const struct loader_rescue_flow *flows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (loader_rescue_rides(&flows[i].flow))
			return true;
	}
	return false;
}

int pm_rescue_step(struct pm_rescue *r, uint64_t now_ms, struct error *e)
{
	_cleanup_free_ struct loader_rescue_flow *flows = NULL;
	size_t nr = 0;
	bool busy;
	int err;

	if (now_ms < r->next_ms)
		return 0;
	err = loader_rescue_flows(r->config, r->cookie, &flows, &nr, e);
	if (err < 0)
		return err;
	busy = any_rides(flows, nr) || r->memory.nr;
	r->next_ms = now_ms + (busy ? PM_RESCUE_BUSY_MS : PM_RESCUE_IDLE_MS);
	return nr || busy ? decide_and_act(r, flows, nr, now_ms, e) : 0;
}
