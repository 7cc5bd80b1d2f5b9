/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the traffic programs share: the clock, sockets with a deadline, the seeded stream.
 *
 * The stream is the sequence of 8-byte words splitmix64(seed + i), little end first, so any part of
 * it can be made or checked knowing only its offset, and lost, doubled or moved data is noticed.
 * Errors are -errno; -ETIMEDOUT once the deadline has passed, -EPIPE when the peer closed early.
 */
#ifndef TESTS_TOOLS_TRAFFIC_H
#define TESTS_TOOLS_TRAFFIC_H

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/mptcp.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

#define CHUNK_BYTES ((size_t)256 * 1024)
#define LINE_BYTES  512

static inline uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static inline uint64_t cpu_now_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static inline uint64_t stream_word(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Fills buf with the stream from offset `at`, which is a multiple of 8. */
static inline void stream_fill(uint64_t seed, uint64_t at, void *buf, size_t len)
{
	char *p = buf;

	for (uint64_t i = at / 8; len; i++) {
		uint64_t w = stream_word(seed, i);
		size_t n = len < 8 ? len : 8;

		memcpy(p, &w, n);
		p += n;
		len -= n;
	}
}

struct stream_sum {
	uint64_t seed, at;
	uint64_t sum;
	bool ok; /* everything so far was the stream */
};

/* Checks the next part; any length, though every part but the last must be a multiple of 8. */
static inline void stream_check(struct stream_sum *s, const void *buf, size_t len)
{
	const char *p = buf;

	for (uint64_t i = s->at / 8; len; i++) {
		uint64_t want = stream_word(s->seed, i), got = want;
		size_t n = len < 8 ? len : 8;

		memcpy(&got, p, n);
		if (got != want)
			s->ok = false;
		s->sum = (s->sum << 5 | s->sum >> 59) ^ got;
		s->at += n;
		p += n;
		len -= n;
	}
}

static inline int wait_io(int fd, short events, uint64_t deadline_us)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t t = now_us(), left;
		int rc;

		if (t >= deadline_us)
			return -ETIMEDOUT;
		left = (deadline_us - t) / 1000 + 1;
		rc = poll(&p, 1, left < INT32_MAX ? (int)left : INT32_MAX);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -errno;
	}
}

/* One read: bytes, 0 at the end of the stream, or an error. */
static inline ssize_t read_some(int fd, void *buf, size_t len, uint64_t deadline_us)
{
	for (;;) {
		ssize_t n = read(fd, buf, len);
		int rc;

		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_io(fd, POLLIN, deadline_us);
		if (rc)
			return rc;
	}
}

static inline int write_all(int fd, const void *buf, size_t len, uint64_t deadline_us)
{
	const char *p = buf;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		int rc;

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_io(fd, POLLOUT, deadline_us);
		if (rc)
			return rc;
	}
	return 0;
}

static inline int write_stream(int fd, uint64_t seed, uint64_t bytes, uint64_t deadline_us)
{
	char *buf = malloc(CHUNK_BYTES);
	int rc = buf ? 0 : -ENOMEM;

	for (uint64_t at = 0; !rc && at < bytes; at += CHUNK_BYTES) {
		size_t n = bytes - at < CHUNK_BYTES ? (size_t)(bytes - at) : CHUNK_BYTES;

		stream_fill(seed, at, buf, n);
		rc = write_all(fd, buf, n, deadline_us);
	}
	free(buf);
	return rc;
}

/* One line without its end, byte by byte: nothing behind it is taken. 0 at a clean end. */
static inline int read_line(int fd, char line[LINE_BYTES], uint64_t deadline_us)
{
	size_t len = 0;

	while (len < LINE_BYTES - 1) {
		ssize_t n = read_some(fd, line + len, 1, deadline_us);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return len ? -EPIPE : 0;
		if (line[len] == '\n') {
			while (len && line[len - 1] == '\r')
				len--;
			line[len] = '\0';
			return 1;
		}
		len++;
	}
	return -EMSGSIZE;
}

/* Subflows beside the first one, or -1 when the connection is not (or no longer) MPTCP. */
static inline int mptcp_extra_subflows(int fd)
{
	struct mptcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &len) < 0)
		return -1;
	return info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK ? -1 : info.mptcpi_subflows;
}

/* Congestion control and no Nagle; a socket that refuses either is an error, not a surprise. */
static inline int socket_tune(int fd, const char *cc)
{
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		return -errno;
	if (cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc)) < 0)
		return -errno;
	return 0;
}

#define HTTP_SEED  1
#define MAX_ANSWER ((size_t)1 << 20)

struct options {
	const char *host, *bind_to, *port, *cc, *out;
	uint64_t bytes, seed, count, interval_ms, timeout_s, warm, parallel;
	int subflows; /* wait for this many beside the first before timing */
	bool tcp, json;
};

static struct options opt = {
	.host = "127.0.0.1",
	.bytes = 1 << 20,
	.seed = 7,
	.count = 50,
	.interval_ms = 100,
	.timeout_s = 120,
	.subflows = -1,
};

static inline int read_exactly(int fd, char *buf, size_t len, uint64_t deadline)
{
	while (len) {
		ssize_t n = read_some(fd, buf, len, deadline);

		if (n <= 0)
			return n ? (int)n : -EPIPE;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static inline int open_socket(const struct addrinfo *ai)
{
	return socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      opt.tcp ? IPPROTO_TCP : IPPROTO_MPTCP);
}

#endif
