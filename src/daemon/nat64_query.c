// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipv4only.arpa; see nat64_query.h. A query leaves by the interface that it is about, whatever the
 * routes say. Resolvers are those that the network advertises, else the host's: of these the ones
 * with IPv6 addresses, which alone can be reached from there, but no stub on the host itself, which
 * would ask who knows whom.
 */
#include "daemon/nat64_query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"

#define DNS_PORT    53
#define ANSWER_MS   1000 /* to the first try; each time twice as long */
#define TRIES	    5
#define AGAIN_MS    60000  /* when nobody answers */
#define NONE_MS	    600000 /* when there is no NAT64 */
#define TTL_MIN_S   5
#define TTL_MAX_S   86400
#define MESSAGE_MAX 1500
#define HOST_FILE   "/etc/resolv.conf"
#define LINE_BYTES  256
#define MS_PER_S    1000u
#define ASK_AT(ttl) ((ttl) / 4 * 3) /* so that there is time to ask again */

static void hang_up(struct nat64_query *q)
{
	if (q->fd < 0)
		return;
	loop_fd_remove(q->loop, q->fd);
	close(q->fd);
	q->fd = -1;
}

void nat64_query_init(struct nat64_query *q, struct loop *loop, int ifindex)
{
	*q = (struct nat64_query){ .loop = loop, .ifindex = ifindex, .fd = -1 };
	q->next_ms = LOOP_NEVER;
}

void nat64_query_end(struct nat64_query *q)
{
	hang_up(q);
	q->next_ms = LOOP_NEVER;
}

static void read_host_resolvers(struct nat64_query *q)
{
	_cleanup_fclose_ FILE *f = fopen(HOST_FILE, "re");
	char line[LINE_BYTES], text[LINE_BYTES];
	struct in6_addr a;

	q->nr_resolvers = 0;
	while (f && q->nr_resolvers < PM_NAT64_RESOLVERS && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " nameserver %255s", text) != 1 ||
		    inet_pton(AF_INET6, text, &a) != 1 || IN6_IS_ADDR_LOOPBACK(&a))
			continue;
		q->resolvers[q->nr_resolvers++] = a;
	}
}

static void wait_for(struct nat64_query *q, uint64_t ms)
{
	q->next_ms = loop_now_ms() + ms;
	q->changed(q->data);
}

static void finish(struct nat64_query *q, uint64_t ask_again_ms)
{
	hang_up(q);
	q->tries = 0;
	wait_for(q, ask_again_ms);
}

static void take(struct nat64_query *q, const struct policy_prefix *prefix, uint32_t ttl_s)
{
	ttl_s = ttl_s < TTL_MIN_S ? TTL_MIN_S : ttl_s > TTL_MAX_S ? TTL_MAX_S : ttl_s;
	q->prefix = *prefix;
	q->until_ms = loop_now_ms() + (uint64_t)ttl_s * MS_PER_S;
	finish(q, ASK_AT((uint64_t)ttl_s * MS_PER_S));
}

static void read_answer(int fd, uint32_t events, void *data)
{
	struct nat64_query *q = data;
	uint8_t message[MESSAGE_MAX];
	struct policy_prefix prefix = { 0 };
	uint32_t ttl_s = 0;
	ssize_t size = recv(fd, message, sizeof(message), MSG_DONTWAIT);
	int err;

	(void)events;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Refused: it may be about to start, so the next try is not earlier for that. */
	if (size < 0) {
		hang_up(q);
		return;
	}
	err = pm_nat64_answer_parse(message, (size_t)size, q->id, &prefix, &ttl_s);
	if (err == 0) {
		take(q, &prefix, ttl_s);
	} else if (err == -ENOENT) {
		q->prefix = (struct policy_prefix){ 0 };
		finish(q, NONE_MS);
	}
}

/* -errno; who cannot be reached is like one that does not answer. */
static int ask(struct nat64_query *q, const struct in6_addr *resolver)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_port = htons(DNS_PORT),
				   .sin6_addr = *resolver };
	uint8_t message[PM_NAT64_QUERY_BYTES];
	int err;

	if (IN6_IS_ADDR_LINKLOCAL(resolver))
		to.sin6_scope_id = (uint32_t)q->ifindex;
	if (getrandom(&q->id, sizeof(q->id), GRND_NONBLOCK) != sizeof(q->id))
		return -EAGAIN;
	q->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (q->fd < 0)
		return -errno;
	err = loop_fd_add(q->loop, q->fd, EPOLLIN, read_answer, q);
	pm_nat64_query(q->id, message);
	if (err == 0 &&
	    (setsockopt(q->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &q->ifindex, sizeof(q->ifindex)) < 0 ||
	     connect(q->fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	     send(q->fd, message, sizeof(message), MSG_NOSIGNAL) < 0))
		err = -errno;
	if (err < 0)
		hang_up(q);
	return err;
}

void nat64_query_send(struct nat64_query *q)
{
	hang_up(q);
	if (!q->advertised)
		read_host_resolvers(q);
	if (!q->nr_resolvers || q->tries >= TRIES) {
		finish(q, AGAIN_MS);
		return;
	}
	ask(q, &q->resolvers[q->tries % q->nr_resolvers]);
	wait_for(q, (uint64_t)ANSWER_MS << q->tries++);
}

void nat64_query_resolvers(struct nat64_query *q, const struct in6_addr *resolvers, size_t nr)
{
	size_t size = nr * sizeof(*resolvers);

	if (!nr ||
	    (q->advertised && nr == q->nr_resolvers && memcmp(q->resolvers, resolvers, size) == 0))
		return;
	memcpy(q->resolvers, resolvers, size);
	q->nr_resolvers = nr;
	q->advertised = true;
	q->tries = 0;
	nat64_query_send(q);
}
