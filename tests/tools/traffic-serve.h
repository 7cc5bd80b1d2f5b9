/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server of traffic.c: a thread per connection, each doing what the client's lines ask for.
 * Included once, by traffic.c: a tool is one C file to the Makefile.
 */
#ifndef TESTS_TOOLS_TRAFFIC_SERVE_H
#define TESTS_TOOLS_TRAFFIC_SERVE_H

#include <inttypes.h>
#include <pthread.h>

#include "traffic.h"

static int serve_put(int fd, uint64_t bytes, uint64_t seed, uint64_t deadline)
{
	struct stream_sum s = { .seed = seed, .ok = true };
	char *buf = malloc(CHUNK_BYTES), line[64];
	size_t have = 0;
	int rc = buf ? 0 : -ENOMEM;

	while (!rc && s.at < bytes) {
		uint64_t left = bytes - s.at - have;
		size_t room = CHUNK_BYTES - have;
		ssize_t n = read_some(fd, buf + have, left < room ? (size_t)left : room, deadline);

		if (n <= 0) {
			rc = n ? (int)n : -EPIPE;
			break;
		}
		have += (size_t)n;
		if ((uint64_t)n == left || have == CHUNK_BYTES) {
			stream_check(&s, buf, have);
			have = 0;
		}
	}
	free(buf);
	if (rc)
		return rc;
	snprintf(line, sizeof(line), "%016" PRIx64 " %s\n", s.sum, s.ok ? "ok" : "bad");
	return write_all(fd, line, strlen(line), deadline);
}

static int serve_rr(int fd, uint64_t count, size_t request, size_t answer, uint64_t deadline)
{
	char *buf = NULL;
	int rc = 0;

	if (!request || !answer || request > MAX_ANSWER || answer > MAX_ANSWER)
		return -EINVAL;
	buf = malloc(MAX_ANSWER);
	if (!buf)
		return -ENOMEM;
	for (uint64_t i = 0; !rc && i < count; i++) {
		rc = read_exactly(fd, buf, request, deadline);
		stream_fill(i, 0, buf, answer);
		if (!rc)
			rc = write_all(fd, buf, answer, deadline);
	}
	free(buf);
	return rc;
}

static int serve_http(int fd, const char *path, uint64_t deadline)
{
	char line[LINE_BYTES];
	uint64_t bytes = opt.bytes;
	int rc;

	sscanf(path, "/bytes/%" SCNu64, &bytes);
	do {
		rc = read_line(fd, line, deadline);
	} while (rc == 1 && line[0]);
	if (rc != 1)
		return rc ? rc : -EPIPE;
	snprintf(line, sizeof(line),
		 "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
		 "Content-Length: %" PRIu64 "\r\n\r\n",
		 bytes);
	rc = write_all(fd, line, strlen(line), deadline);
	return rc ? rc : write_stream(fd, HTTP_SEED, bytes, deadline);
}

static int serve_line(int fd, const char *line, uint64_t deadline)
{
	uint64_t a = 0, b = 0, c = 0;
	char path[LINE_BYTES];

	if (sscanf(line, "get %" SCNu64 " %" SCNu64, &a, &b) == 2)
		return write_stream(fd, b, a, deadline);
	if (sscanf(line, "put %" SCNu64 " %" SCNu64, &a, &b) == 2)
		return serve_put(fd, a, b, deadline);
	if (sscanf(line, "rr %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c) == 3)
		return serve_rr(fd, a, b, c, deadline);
	if (sscanf(line, "GET %511s", path) == 1)
		return serve_http(fd, path, deadline);
	return -EPROTO;
}

static void *serve_connection(void *arg)
{
	int fd = (int)(intptr_t)arg, rc;
	char line[LINE_BYTES];

	socket_tune(fd, opt.cc);
	do {
		uint64_t deadline = now_us() + opt.timeout_s * 1000000;

		rc = read_line(fd, line, deadline);
		if (rc == 1)
			rc = serve_line(fd, line, deadline) ?: 1;
	} while (rc == 1);
	if (rc)
		fprintf(stderr, "traffic: connection ended: %s\n", strerror(-rc));
	close(fd);
	return NULL;
}

static int server(void)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *ai;
	int fd, one = 1, rc;

	rc = getaddrinfo(opt.bind_to ?: "::", opt.port, &hints, &ai);
	if (rc) {
		fprintf(stderr, "traffic: %s: %s\n", opt.bind_to ?: "::", gai_strerror(rc));
		return 1;
	}
	fd = open_socket(ai);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 4096) < 0) {
		fprintf(stderr, "traffic: listen on port %s: %s\n", opt.port, strerror(errno));
		return 1;
	}
	freeaddrinfo(ai);
	for (;;) {
		pthread_t thread;
		int conn;

		if (wait_io(fd, POLLIN, UINT64_MAX) < 0)
			return 1;
		conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn < 0)
			continue;
		rc = pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)conn);
		if (rc)
			close(conn);
		else
			pthread_detach(thread);
	}
}

#endif
