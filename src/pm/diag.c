// SPDX-License-Identifier: GPL-2.0-only
/* Connections and subflows from socket diagnostics; see diag.h. */
#include "pm/diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <string.h>

#include "pm/netlink.h"
#include "util/cleanup.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* States of include/net/tcp_states.h; all but TCP_CLOSE (7) and TCP_LISTEN (10). */
#define STATES (0xfffu & ~(1u << 7) & ~(1u << 10) & ~1u)

/* struct mptcp_info as of 6.12; header files of older systems lack its end. */
struct info {
	uint8_t counts[6];
	uint32_t flags, token;
	uint64_t write_seq, snd_una, rcv_nxt;
	uint8_t local_addr_used, local_addr_max, csum_enabled;
	uint32_t retransmits;
	uint64_t bytes_retrans, bytes_sent, bytes_received, bytes_acked;
} __attribute__((aligned(8)));

#define INFO_FLAG_FALLBACK 1u

struct nlmsghdr *pm_encode_diag(char *buffer, int family, uint32_t protocol)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *r;

	m->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->sdiag_family = (uint8_t)family;
	r->sdiag_protocol = (uint8_t)(protocol > UINT8_MAX ? UINT8_MAX : protocol);
	r->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	r->idiag_states = STATES;
	if (protocol > UINT8_MAX)
		mnl_attr_put_u32(m, INET_DIAG_REQ_PROTOCOL, protocol);
	return m;
}

static void take_address(uint8_t family, const uint32_t *from, struct pm_address *out)
{
	out->family = family;
	if (family == AF_INET)
		memcpy(&out->v4, from, sizeof(out->v4));
	else
		memcpy(&out->v6, from, sizeof(out->v6));
}

static int take_pair(const struct inet_diag_msg *d, struct pm_socket_pair *out)
{
	if (d->idiag_family != AF_INET && d->idiag_family != AF_INET6)
		return -EBADMSG;
	take_address(d->idiag_family, d->id.idiag_src, &out->local);
	take_address(d->idiag_family, d->id.idiag_dst, &out->remote);
	out->local_port = ntohs(d->id.idiag_sport);
	out->remote_port = ntohs(d->id.idiag_dport);
	return 0;
}

/* As much as there is; the rest is 0. */
static void take_struct(const struct nlattr *a, void *out, size_t size)
{
	size_t n = mnl_attr_get_payload_len(a);

	memset(out, 0, size);
	memcpy(out, mnl_attr_get_payload(a), n < size ? n : size);
}

/* The message's own part, or NULL when it is too short or ends within a word, which the kernel's
 * never do and libmnl would read beyond. */
static const struct inet_diag_msg *diag_of(const struct nlmsghdr *m)
{
	if (m->nlmsg_type != SOCK_DIAG_BY_FAMILY || m->nlmsg_len % NLMSG_ALIGNTO ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(struct inet_diag_msg))
		return NULL;
	return mnl_nlmsg_get_payload(m);
}

/* Attributes were walked up to `last`; is there something behind that is none? */
static bool is_cut(const struct nlmsghdr *m, const struct nlattr *last)
{
	return (const char *)last < (const char *)mnl_nlmsg_get_payload_tail(m);
}

int pm_decode_connection(const struct nlmsghdr *m, struct pm_connection *out)
{
	const struct inet_diag_msg *d = diag_of(m);
	struct pm_connection c = { 0 };
	struct info info = { 0 };
	struct nlattr *a;

	if (!d || take_pair(d, &c.at) < 0)
		return -EBADMSG;
	c.state = d->idiag_state;
	c.uid = d->idiag_uid;
	mnl_attr_for_each(a, m, sizeof(*d))
	{
		if (mnl_attr_get_type(a) == INET_DIAG_INFO)
			take_struct(a, &info, sizeof(info));
	}
	if (is_cut(m, a))
		return -EBADMSG;
	c.token = info.token;
	c.fallback = info.flags & INFO_FLAG_FALLBACK;
	c.retransmits = info.retransmits;
	c.sent_bytes = info.bytes_sent;
	c.acked_bytes = info.bytes_acked;
	c.received_bytes = info.bytes_received;
	c.reinjected_bytes = info.bytes_retrans;
	*out = c;
	return 0;
}

static void take_tcp_info(const struct tcp_info *t, struct pm_subflow *s)
{
	int64_t in_flight =
		(int64_t)t->tcpi_unacked - t->tcpi_sacked - t->tcpi_lost + t->tcpi_retrans;

	s->srtt_us = t->tcpi_rtt;
	s->rttvar_us = t->tcpi_rttvar;
	s->rto_us = t->tcpi_rto;
	s->timeouts = t->tcpi_retransmits;
	s->outstanding = t->tcpi_unacked;
	s->since_ack_ms = t->tcpi_last_ack_recv;
	s->since_receive_ms = t->tcpi_last_data_recv;
	s->sent_segments = t->tcpi_data_segs_out;
	s->cwnd = t->tcpi_snd_cwnd;
	s->in_flight = in_flight > 0 ? (uint32_t)in_flight : 0;
	s->unsent_bytes = t->tcpi_notsent_bytes;
	s->lost = t->tcpi_lost;
	s->retransmits = t->tcpi_total_retrans;
	/* All ones: not paced. */
	s->pacing_bytes_per_s = t->tcpi_pacing_rate == UINT64_MAX ? 0 : t->tcpi_pacing_rate;
	s->delivery_bytes_per_s = t->tcpi_delivery_rate;
	s->sent_bytes = t->tcpi_bytes_sent;
	s->acked_bytes = t->tcpi_bytes_acked;
	s->received_bytes = t->tcpi_bytes_received;
	s->retransmitted_bytes = t->tcpi_bytes_retrans;
}

static void take_mptcp(const struct nlattr *mptcp, struct pm_subflow *s)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, mptcp)
	{
		size_t n = mnl_attr_get_payload_len(a);

		switch (mnl_attr_get_type(a)) {
		case MPTCP_SUBFLOW_ATTR_TOKEN_LOC:
			if (n == sizeof(uint32_t))
				s->token = mnl_attr_get_u32(a);
			break;
		case MPTCP_SUBFLOW_ATTR_FLAGS:
			if (n == sizeof(uint32_t))
				s->flags = mnl_attr_get_u32(a);
			break;
		case MPTCP_SUBFLOW_ATTR_ID_LOC:
			if (n == sizeof(uint8_t))
				s->local_id = mnl_attr_get_u8(a);
			break;
		case MPTCP_SUBFLOW_ATTR_ID_REM:
			if (n == sizeof(uint8_t))
				s->remote_id = mnl_attr_get_u8(a);
			break;
		}
	}
}

int pm_decode_subflow(const struct nlmsghdr *m, struct pm_subflow *out)
{
	const struct inet_diag_msg *d = diag_of(m);
	struct pm_subflow s = { 0 };
	struct tcp_info info;
	struct nlattr *a, *b;
	bool ours = false;

	if (!d || take_pair(d, &s.at) < 0)
		return -EBADMSG;
	s.state = d->idiag_state;
	mnl_attr_for_each(a, m, sizeof(*d))
	{
		if (mnl_attr_get_type(a) == INET_DIAG_INFO) {
			take_struct(a, &info, sizeof(info));
			take_tcp_info(&info, &s);
		}
		if (mnl_attr_get_type(a) != INET_DIAG_ULP_INFO)
			continue;
		mnl_attr_for_each_nested(b, a)
		{
			if (mnl_attr_get_type(b) != INET_ULP_INFO_MPTCP)
				continue;
			take_mptcp(b, &s);
			ours = true;
		}
	}
	if (is_cut(m, a))
		return -EBADMSG;
	*out = s;
	return ours ? 0 : 1;
}

static int by_token(const void *a, const void *b)
{
	const struct pm_connection *x = a, *y = b;

	return (x->token > y->token) - (x->token < y->token);
}

static int subflow_order(const void *a, const void *b)
{
	const struct pm_subflow *x = a, *y = b;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	if (x->local_id != y->local_id)
		return x->local_id < y->local_id ? -1 : 1;
	return (x->remote_id > y->remote_id) - (x->remote_id < y->remote_id);
}

/* The kernel does not say it of the connection; who opened its first subflow, or asked for the
 * others when that is gone, is the client. */
static enum pm_role role_of(const struct pm_connection *c)
{
	enum pm_role role = PM_ROLE_UNKNOWN;

	for (size_t i = 0; i < c->nr_subflows; i++) {
		if (c->subflows[i].flags & (PM_SUBFLOW_MP_CAPABLE_LOCAL | PM_SUBFLOW_JOIN_LOCAL))
			return PM_ROLE_CLIENT;
		role = PM_ROLE_SERVER;
	}
	return role;
}

void pm_connections_join(struct pm_connections *c)
{
	size_t at = 0;

	if (c->nr)
		qsort(c->items, c->nr, sizeof(*c->items), by_token);
	if (c->nr_subflows)
		qsort(c->subflows, c->nr_subflows, sizeof(*c->subflows), subflow_order);
	for (size_t i = 0; i < c->nr; i++) {
		struct pm_connection *conn = &c->items[i];

		conn->nr_subflows = 0;
		conn->subflows = NULL;
		if (!conn->token)
			continue;
		while (at < c->nr_subflows && c->subflows[at].token < conn->token)
			at++;
		conn->subflows = c->subflows + at;
		while (at < c->nr_subflows && c->subflows[at].token == conn->token) {
			conn->nr_subflows++;
			at++;
		}
		conn->role = role_of(conn);
	}
}

static int add_connection(const struct nlmsghdr *m, void *data)
{
	struct pm_connections *c = data;
	struct pm_connection *grown;
	int err;

	grown = reallocarray(c->items, c->nr + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->items = grown;
	err = pm_decode_connection(m, &grown[c->nr]);
	c->nr += err == 0;
	return err;
}

static int add_subflow(const struct nlmsghdr *m, void *data)
{
	struct pm_connections *c = data;
	struct pm_subflow *grown;
	int err;

	grown = reallocarray(c->subflows, c->nr_subflows + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->subflows = grown;
	err = pm_decode_subflow(m, &grown[c->nr_subflows]);
	c->nr_subflows += err == 0;
	return err < 0 ? err : 0;
}

static int dump(struct pm_netlink *nl, struct pm_connections *c, struct error *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	char buffer[PM_NETLINK_BYTES];
	int err = 0;

	for (size_t i = 0; err == 0 && i < 2; i++) {
		err = pm_netlink_call(nl, pm_encode_diag(buffer, families[i], IPPROTO_MPTCP),
				      add_connection, c, "list MPTCP connections", e);
		if (err == 0)
			err = pm_netlink_call(nl, pm_encode_diag(buffer, families[i], IPPROTO_TCP),
					      add_subflow, c, "list TCP subflows", e);
	}
	if (err == -ENOENT) {
		error_set(e, -EOPNOTSUPP,
			  "this kernel cannot list MPTCP connections: no "
			  "mptcp_diag");
		return error_hint(e, "modprobe mptcp_diag tcp_diag");
	}
	if (err == -EBADMSG)
		return error_set(e, err,
				 "cannot list MPTCP connections: the kernel's answer makes "
				 "no sense");
	if (err == -ENOMEM)
		return error_set(e, err, "cannot list MPTCP connections: out of memory");
	return err;
}

int pm_connections_read(struct pm_connections *out, struct error *e)
{
	_cleanup_(pm_netlink_close) struct pm_netlink nl = { 0 };
	_cleanup_(pm_connections_clear) struct pm_connections c = { 0 };
	int err = pm_netlink_open(&nl, NETLINK_SOCK_DIAG, e);

	if (err == 0)
		err = dump(&nl, &c, e);
	if (err < 0)
		return err;
	pm_connections_join(&c);
	*out = c;
	memset(&c, 0, sizeof(c));
	return 0;
}

void pm_connections_clear(struct pm_connections *c)
{
	free(c->items);
	free(c->subflows);
	memset(c, 0, sizeof(*c));
}

int pm_token_parse(const char *text, uint32_t *out, struct error *e)
{
	const char *digits = strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0 ? text + 2
											: text;
	size_t n = strspn(digits, "0123456789abcdefABCDEF");

	if (n == 0 || n > 8 || digits[n]) {
		error_set(e, -EINVAL, "\"%s\" is not a token (up to 8 hexadecimal digits)", text);
		return error_hint(e, "mptcp-pmctl conn list");
	}
	*out = (uint32_t)strtoul(digits, NULL, 16);
	return 0;
}
