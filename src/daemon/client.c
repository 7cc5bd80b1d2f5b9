// SPDX-License-Identifier: GPL-2.0-only
/* Asking the daemon; see client.h. */
#include "daemon/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/lock.h"
#include "util/cleanup.h"

#define READ_BYTES 65536

static int refused(const char *path, int code, struct error *e)
{
	if (code == -ENOENT || code == -ECONNREFUSED) {
		error_set(e, -ENOENT, "no daemon runs in this network namespace");
		error_hint(e, "systemctl start mptcp-pm, or: mptcp-pmctl daemon --policy FILE");
		return -ENOENT;
	}
	return error_set(e, code, "cannot ask the daemon at %s: %s", path, strerror(-code));
}

int control_connect(struct control_link *l, struct error *e)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct pm_netns ns;
	char path[512];
	int err = pm_netns_identify(&ns, e);

	*l = (struct control_link){ .fd = -1 };
	if (err < 0)
		return err;
	daemon_path("control", &ns, path, sizeof(path));
	if (fd < 0)
		return refused(path, -errno, e);
	if (strlen(path) >= sizeof(at.sun_path))
		return refused(path, -ENAMETOOLONG, e);
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return refused(path, -errno, e);
	l->fd = TAKE_FD(fd);
	return 0;
}

void control_close(struct control_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->in);
	*l = (struct control_link){ .fd = -1 };
}

void control_ask(struct control_ask *ask, const char *request)
{
	*ask = (struct control_ask){ 0 };
	ask->out = open_memstream(&ask->text, &ask->size);
	if (!ask->out)
		return;
	json_init(&ask->j, ask->out, false);
	json_object_open(&ask->j);
	json_key_string(&ask->j, "request", request);
}

static int send_ask(const struct control_link *l, struct control_ask *ask)
{
	_cleanup_free_ char *text = NULL;
	size_t sent = 0;

	if (!ask->out)
		return -ENOMEM;
	json_object_close(&ask->j);
	json_end(&ask->j);
	if (fclose(ask->out) != 0) {
		free(ask->text);
		return -ENOMEM;
	}
	text = ask->text;
	while (sent < ask->size) {
		ssize_t n = send(l->fd, text + sent, ask->size - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		sent += (size_t)n;
	}
	return 0;
}

/* The end of the line that begins at l->at; NULL: it is not all there. */
static char *line_end(const struct control_link *l)
{
	return l->nr_in > l->at ? memchr(l->in + l->at, '\n', l->nr_in - l->at) : NULL;
}

/* 1: a whole line is there. */
static int fill(struct control_link *l, bool wait)
{
	char *bigger;
	ssize_t n;

	while (!line_end(l)) {
		if (l->at)
			memmove(l->in, l->in + l->at, l->nr_in - l->at);
		l->nr_in -= l->at;
		l->at = 0;
		bigger = realloc(l->in, l->nr_in + READ_BYTES);
		if (!bigger)
			return -ENOMEM;
		l->in = bigger;
		n = recv(l->fd, l->in + l->nr_in, READ_BYTES, wait ? 0 : MSG_DONTWAIT);
		if (n == 0)
			return -EPIPE;
		if (n < 0 && !wait && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0 && errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;
		if (n > 0)
			l->nr_in += (size_t)n;
	}
	return 1;
}

int control_read(struct control_link *l, bool wait, struct flat *line, struct error *e)
{
	const char *why = NULL;
	char *text, *end;
	int err = fill(l, wait);

	if (err == -EPIPE)
		return error_set(e, err, "the daemon closed the connection");
	if (err < 0)
		return error_set(e, err, "cannot read from the daemon: %s", strerror(-err));
	if (err == 0)
		return 0;
	text = l->in + l->at;
	end = line_end(l);
	*end = '\0';
	l->at = (size_t)(end - l->in) + 1;
	err = flat_parse(text, line, &why);
	return err < 0 ? error_set(e, err, "the daemon's answer makes no sense: %s", why) : 1;
}

static int take_error(const struct flat *line, struct error *e)
{
	int code = -(int)flat_uint(line, "errno");

	error_set(e, code < 0 ? code : -EIO, "%s", flat_string(line, "error"));
	if (flat_string(line, "hint"))
		error_hint(e, "%s", flat_string(line, "hint"));
	return code < 0 ? code : -EIO;
}

int control_answer(struct control_link *l, struct control_ask *ask,
		   int (*each)(const struct flat *line, void *data), void *data, struct error *e)
{
	struct flat line;
	int err = send_ask(l, ask);

	/* It may have said why it does not listen. */
	if (err < 0 && err != -EPIPE)
		return error_set(e, err, "cannot ask the daemon: %s", strerror(-err));
	for (;;) {
		err = control_read(l, true, &line, e);
		if (err < 0)
			return err;
		if (flat_string(&line, "error") && !flat_has(&line, "event"))
			return take_error(&line, e);
		if (flat_true(&line, "ok"))
			return 0;
		err = each && !flat_has(&line, "event") ? each(&line, data) : 0;
		if (err < 0)
			return error_set(e, err, "cannot keep the daemon's answer: %s",
					 strerror(-err));
	}
}
