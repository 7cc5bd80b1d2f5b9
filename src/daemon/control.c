// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket: a request a line, answers a line each. A client that does not read, or writes
 * what makes no sense, costs a bounded buffer and its own connection.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/lock.h"
#include "daemon/peer.h"
#include "daemon/requests.h"
#include "daemon/source.h"

#define GROUP		  "mptcp-pm"
#define CLIENTS_MAX	  32
#define CLIENTS_OTHERS	  24 /* of those not root: it always gets in */
#define GROUPS_MAX	  256
#define LINE_BYTES_OTHERS 4096
#define LINE_BYTES_ROOT	  (8 << 20) /* a policy, escaped */
#define SUBSCRIBED_BYTES  (256 << 10)
#define READ_BYTES	  65536
#define SLOW_MS		  10000

struct client {
	struct control *control; /* NULL: free */
	int fd;
	bool root, subscribed, last; /* last: closed once the output is out */
	char *in;
	size_t nr_in, room_in;
	char *out;
	size_t nr_out, sent;
	uint64_t lost; /* lines that a subscriber was too slow for */
	struct loop_timer slow;
};

struct control {
	struct daemon *d;
	int fd;
	struct sockaddr_un at;
	struct peer_group group;
	struct client clients[CLIENTS_MAX];
};

static void drop(struct client *c)
{
	struct loop *l = c->control->d->loop;

	loop_timer_remove(l, &c->slow);
	loop_fd_remove(l, c->fd);
	close(c->fd);
	free(c->in);
	free(c->out);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static void drop_slow(void *data)
{
	struct client *c = data;

	log_line(&c->control->d->log, LOG_LEVEL_WARNING,
		 "control: a client did not read for %d s and was dropped", SLOW_MS / 1000);
	drop(c);
}

/* As much as goes. -EPIPE: the client is gone, or was told its last. */
static int flush_out(struct client *c)
{
	struct daemon *d = c->control->d;
	bool pending;

	while (c->sent < c->nr_out) {
		ssize_t n = send(c->fd, c->out + c->sent, c->nr_out - c->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -EPIPE;
		if (n < 0)
			break;
		c->sent += (size_t)n;
		loop_timer_set(d->loop, &c->slow, loop_now_ms() + SLOW_MS);
	}
	pending = c->sent < c->nr_out;
	if (!pending) {
		free(c->out);
		c->out = NULL;
		c->nr_out = c->sent = 0;
		loop_timer_set(d->loop, &c->slow, LOOP_NEVER);
		if (c->last)
			return -EPIPE;
	}
	/* Further requests wait until the answer is out. */
	loop_fd_change(d->loop, c->fd, pending ? EPOLLOUT : EPOLLIN);
	return 0;
}

static int append(struct client *c, const char *text, size_t size)
{
	char *bigger;

	if (c->sent) {
		memmove(c->out, c->out + c->sent, c->nr_out - c->sent);
		c->nr_out -= c->sent;
		c->sent = 0;
	}
	bigger = realloc(c->out, c->nr_out + size + 1);
	if (!bigger)
		return -ENOMEM;
	memcpy(bigger + c->nr_out, text, size);
	c->out = bigger;
	if (!c->nr_out)
		loop_timer_set(c->control->d->loop, &c->slow, loop_now_ms() + SLOW_MS);
	c->nr_out += size;
	return 0;
}

static int end_answer(struct client *c, const struct error *e)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct json j;

	if (!out)
		return -ENOMEM;
	json_init(&j, out, false);
	json_object_open(&j);
	if (e->code) {
		json_key_string(&j, "error", e->text);
		if (e->hint[0])
			json_key_string(&j, "hint", e->hint);
		json_key_uint(&j, "errno", (uint64_t)-e->code);
	} else {
		json_key_bool(&j, "ok", true);
	}
	json_object_close(&j);
	json_end(&j);
	return fclose(out) == 0 ? append(c, text, size) : -ENOMEM;
}

static int answer(struct client *c, char *line, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	const struct control_request *r;
	const char *why, *name;
	struct flat q;
	size_t size = 0;
	FILE *out;
	int err;

	err = flat_parse(line, &q, &why);
	if (err < 0)
		return error_set(e, err, "the request makes no sense: %s", why);
	name = flat_string(&q, "request");
	if (!name)
		return error_set(e, -EINVAL, "the request has no \"request\"");
	if (strcmp(name, "subscribe") == 0) {
		c->subscribed = true;
		return 0;
	}
	r = control_find(name, e);
	if (!r)
		return e->code;
	if (r->changes && !c->root)
		return error_set(e, -EPERM, "only root may ask for \"%s\"", name);
	out = open_memstream(&text, &size);
	if (!out)
		return error_set(e, -ENOMEM, "out of memory");
	err = r->answer(c->control->d, &q, out, e);
	if (fclose(out) != 0)
		return error_set(e, -ENOMEM, "out of memory");
	return err < 0 ? err : append(c, text, size);
}

static void refuse(struct client *c, int code, const char *text)
{
	struct error e = { 0 };

	error_set(&e, code, "%s", text);
	end_answer(c, &e);
	c->last = true;
}

/* One request, if a whole one is there and the answer before is out. */
static bool serve(struct client *c)
{
	char *end = c->nr_in && !c->nr_out ? memchr(c->in, '\n', c->nr_in) : NULL;
	struct error e = { 0 };
	size_t size;

	if (!end || c->last)
		return false;
	size = (size_t)(end - c->in) + 1;
	*end = '\0';
	if (memchr(c->in, '\0', size - 1))
		error_set(&e, -EBADMSG, "the request makes no sense: a NUL in it");
	else
		answer(c, c->in, &e);
	memmove(c->in, c->in + size, c->nr_in - size);
	c->nr_in -= size;
	if (end_answer(c, &e) < 0)
		c->last = true;
	return true;
}

static int take_input(struct client *c)
{
	size_t max = c->root ? LINE_BYTES_ROOT : LINE_BYTES_OTHERS;
	ssize_t n;

	if (c->room_in - c->nr_in < READ_BYTES) {
		char *bigger = realloc(c->in, c->nr_in + READ_BYTES);

		if (!bigger)
			return -ENOMEM;
		c->in = bigger;
		c->room_in = c->nr_in + READ_BYTES;
	}
	n = recv(c->fd, c->in + c->nr_in, READ_BYTES, MSG_DONTWAIT);
	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->nr_in += (size_t)n;
	if (c->nr_in > max && !memchr(c->in, '\n', c->nr_in))
		refuse(c, -E2BIG, "the request is too long");
	return 0;
}

static void talk(int fd, uint32_t events, void *data)
{
	struct client *c = data;
	int err = 0;

	(void)fd;
	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
		err = -EPIPE;
	if (err == 0 && events & EPOLLIN)
		err = take_input(c);
	do {
		if (err == 0)
			err = flush_out(c);
	} while (err == 0 && serve(c));
	if (err < 0)
		drop(c);
}

/* Of the table; those not root leave some to root. */
static struct client *free_place(struct control *s, bool root)
{
	struct client *found = NULL;
	int nr_others = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (!c->control)
			found = found ? found : c;
		else
			nr_others += !c->root;
	}
	return !root && nr_others >= CLIENTS_OTHERS ? NULL : found;
}

static void accept_client(int listener, uint32_t events, void *data)
{
	struct control *s = data;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	enum peer who;
	struct client *c;

	(void)events;
	if (fd < 0)
		return;
	who = peer_of(fd, &s->group);
	if (who == PEER_NOBODY) {
		peer_say_no(fd, "no permission: be root or in the group " PEER_GROUP, EPERM);
		return;
	}
	c = free_place(s, who == PEER_ROOT);
	if (!c) {
		peer_say_no(fd, "too many clients", EBUSY);
		return;
	}
	*c = (struct client){ .control = s, .fd = fd, .root = who == PEER_ROOT };
	c->slow = (struct loop_timer){ .call = drop_slow, .data = c };
	if (loop_timer_add(s->d->loop, &c->slow) < 0 ||
	    loop_fd_add(s->d->loop, fd, EPOLLIN, talk, c) < 0)
		drop(c);
}

static void publish_to(struct client *c, uint64_t time_us, const char *text, size_t size)
{
	char lost[96];
	int n;

	if (c->nr_out - c->sent + size > SUBSCRIBED_BYTES) {
		c->lost++;
		return;
	}
	if (c->lost) {
		n = snprintf(lost, sizeof(lost),
			     "{\"time_us\":%ju,\"event\":\"LOST\",\"lines\":%ju}\n",
			     (uintmax_t)time_us, (uintmax_t)c->lost);
		if (append(c, lost, (size_t)n) < 0)
			return;
		c->lost = 0;
	}
	if (append(c, text, size) < 0)
		c->lost++;
	/* Sent by the loop: this may be in the middle of what the same client asked for. */
	loop_fd_change(c->control->d->loop, c->fd, EPOLLOUT);
}

static void publish(const struct daemon_report *r, void *data)
{
	_cleanup_free_ char *text = NULL;
	struct control *s = data;
	size_t size = 0;
	FILE *out = NULL;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (!c->control || !c->subscribed)
			continue;
		if (!out) {
			out = open_memstream(&text, &size);
			if (!out)
				return;
			control_write_report(out, r);
			fclose(out);
		}
		publish_to(c, r->time_us, text, size);
	}
}

static void close_control(struct daemon *d, void *state)
{
	struct control *s = state;

	if (!s)
		return;
	d->on_report = NULL;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (s->clients[i].control)
			drop(&s->clients[i]);
	if (s->fd >= 0) {
		loop_fd_remove(d->loop, s->fd);
		close(s->fd);
		unlink(s->at.sun_path);
	}
	free(s);
}

static int listen_at(struct control *s)
{
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	/* Left by one that was killed: the lock says that there is no other. */
	unlink(s->at.sun_path);
	if (bind(s->fd, (struct sockaddr *)&s->at, sizeof(s->at)) < 0 ||
	    chmod(s->at.sun_path, 0666) < 0 || listen(s->fd, CLIENTS_MAX) < 0)
		return -errno;
	return loop_fd_add(s->d->loop, s->fd, EPOLLIN, accept_client, s);
}

static int open_control(struct daemon *d, void **state, struct error *e)
{
	struct control *s = calloc(1, sizeof(*s));
	char path[512];
	int err;

	*state = s;
	if (!s)
		return error_set(e, -ENOMEM, "cannot open the control socket: out of memory");
	s->d = d;
	s->fd = -1;
	s->group = peer_group_find();
	s->at.sun_family = AF_UNIX;
	daemon_path("control", &d->netns, path, sizeof(path));
	if (strlen(path) >= sizeof(s->at.sun_path))
		return error_set(e, -ENAMETOOLONG,
				 "cannot open the control socket %s: the name is "
				 "too long",
				 path);
	memcpy(s->at.sun_path, path, strlen(path) + 1);
	err = listen_at(s);
	if (err < 0)
		return error_set(e, err, "cannot open the control socket %s: %s", path,
				 strerror(-err));
	d->on_report = publish;
	d->report_data = s;
	return 0;
}

const struct daemon_source source_control = {
	.name = "control",
	.open = open_control,
	.close = close_control,
};
