/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live MPTCP connections and their subflows, from the kernel's socket diagnostics
 * (include/uapi/linux/inet_diag.h, net/mptcp/mptcp_diag.c, net/mptcp/diag.c). Which connection a
 * subflow belongs to is told only to those with CAP_NET_ADMIN.
 */
#ifndef PM_DIAG_H
#define PM_DIAG_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pm/pm.h"
#include "util/error.h"

/* MPTCP_SUBFLOW_FLAG_* of include/uapi/linux/mptcp.h: what each side asked for. */
#define PM_SUBFLOW_MP_CAPABLE_LOCAL (1u << 1)
#define PM_SUBFLOW_JOIN_LOCAL	    (1u << 3)
#define PM_SUBFLOW_BACKUP_REMOTE    (1u << 4)
#define PM_SUBFLOW_BACKUP_LOCAL	    (1u << 5)

struct pm_socket_pair {
	struct pm_address local, remote;
	uint16_t local_port, remote_port; /* host byte order */
};

struct pm_subflow {
	uint32_t token; /* of the connection, on this side */
	uint32_t flags; /* PM_SUBFLOW_* */
	uint8_t local_id, remote_id;
	uint8_t state; /* TCP_ESTABLISHED, ... */
	struct pm_socket_pair at;
	uint32_t srtt_us, rttvar_us, rto_us;
	uint8_t timeouts;			 /* retransmission timeouts in a row, now */
	uint32_t outstanding;			 /* segments sent and not acked */
	uint32_t since_ack_ms, since_receive_ms; /* of the last ack, of the last data */
	uint32_t sent_segments;			 /* with data, in all */
	uint32_t cwnd, in_flight;		 /* segments; in flight as the kernel counts it */
	uint32_t unsent_bytes;			 /* in the subflow's own queue */
	uint32_t lost, retransmits; /* segments TCP holds for lost now; resent in all */
	uint64_t pacing_bytes_per_s, delivery_bytes_per_s;
	uint64_t sent_bytes, acked_bytes, received_bytes, retransmitted_bytes;
};

enum pm_role { PM_ROLE_UNKNOWN, PM_ROLE_CLIENT, PM_ROLE_SERVER };

struct pm_connection {
	uint32_t token; /* 0: fell back to TCP before it had one */
	uint8_t state;
	bool fallback; /* plain TCP after all */
	uint32_t uid;
	enum pm_role role;
	struct pm_socket_pair at;
	uint32_t retransmits; /* MPTCP-level retransmissions */
	uint64_t sent_bytes, acked_bytes, received_bytes, reinjected_bytes;
	struct pm_subflow *subflows; /* in the order of pm_connections.subflows, part of it */
	size_t nr_subflows;
};

struct pm_connections {
	struct pm_connection *items; /* by token */
	size_t nr;
	struct pm_subflow *subflows; /* by token; those of no connection first */
	size_t nr_subflows;
};

/* Those of the thread's network namespace, listeners left out. -EPERM without CAP_NET_ADMIN. */
int pm_connections_read(struct pm_connections *out, struct error *e);
/* Idempotent. */
void pm_connections_clear(struct pm_connections *c);

/* Closes the subflow with a reset (SOCK_DESTROY); its connection goes on. -ENOENT: it is gone,
 * -EOPNOTSUPP: this kernel cannot. */
int pm_subflow_reset(const struct pm_socket_pair *at, struct error *e);

/* Hexadecimal, with or without 0x. -EINVAL. */
int pm_token_parse(const char *text, uint32_t *out, struct error *e);

/* The pieces. Decoding answers -EBADMSG for a message that is too short or malformed, and 1 for one
 * that is well-formed but no subflow of an MPTCP connection; *out is then of no use. What an older
 * kernel does not tell is 0. */
struct nlmsghdr *pm_encode_diag(char *buffer, int family, uint32_t protocol);
/* `ifindex`: of the device that the socket is bound to, or 0. */
struct nlmsghdr *pm_encode_destroy(char *buffer, const struct pm_socket_pair *at,
				   unsigned int ifindex);
int pm_decode_connection(const struct nlmsghdr *m, struct pm_connection *out);
int pm_decode_subflow(const struct nlmsghdr *m, struct pm_subflow *out);
/* Sorts and gives each connection its subflows and role. */
void pm_connections_join(struct pm_connections *c);

#endif
