// SPDX-License-Identifier: GPL-2.0-only
/*
 * Schedulers on the host: opening them, the connection they see, and the kfuncs they call. Objects
 * are opened each for itself, so that the names of their maps and knobs do not meet.
 */
#include "fake_conn.h"

#include "host_map.h"
#include "mptcp_bpf.bpf.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_sched {
	void *object;
	const struct mptcp_bpf_sched_ops *ops;
};

__u64 fake_now_ns = 1000000000;

static void object_path(char *path, size_t size, const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, size, "%s/sched/%s.so", self, name);
}

struct fake_sched *fake_sched_open(const char *name)
{
	struct fake_sched *s = calloc(1, sizeof(*s));
	char path[PATH_MAX + 64];

	object_path(path, sizeof(path), name);
	if (s)
		s->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!s || !s->object) {
		fprintf(stderr, "cannot open scheduler %s: %s\n", name, dlerror());
		abort();
	}
	s->ops = fake_sched_symbol(s, name);
	return s;
}

void fake_sched_close(struct fake_sched *s)
{
	Dl_info info;

	if (!s)
		return;
	if (dladdr(s->ops, &info))
		host_map_release(info.dli_fbase);
	dlclose(s->object);
	free(s);
}

void *fake_sched_symbol(struct fake_sched *s, const char *name)
{
	void *p = dlsym(s->object, name);

	if (!p) {
		fprintf(stderr, "the scheduler has no %s: %s\n", name, dlerror());
		abort();
	}
	return p;
}

void fake_sched_set(struct fake_sched *s, const char *knob, size_t index, __u32 value)
{
	volatile __u32 *p = fake_sched_symbol(s, knob);
	const ElfW(Sym) *sym = NULL;
	Dl_info info;

	if (!dladdr1((void *)p, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym ||
	    sym->st_size < (index + 1) * sizeof(*p)) {
		fprintf(stderr, "knob %s has no 32-bit value %zu\n", knob, index);
		abort();
	}
	p[index] = value;
}

void fake_conn_init(struct fake_conn *c)
{
	memset(c, 0, sizeof(*c));
	c->head.token = 0x1234abcd;
	c->head.next_seq = 1;
	c->head.window_bytes = 1 << 20;
}

struct fake_path *fake_path_add(struct fake_conn *c, __u32 id, __u32 srtt_us)
{
	struct fake_path *p;

	if (c->nr == FAKE_PATHS_MAX)
		abort();
	p = &c->path[c->nr++];
	memset(p, 0, sizeof(*p));
	p->view = (struct mptcp_bpf_path){
		.id = id,
		.local_id = id - 1,
		.flags = MPTCP_PATH_MEMORY,
		.srtt_us = srtt_us,
		.rttvar_us = srtt_us / 8,
		.min_rtt_us = srtt_us,
		.last_rtt_us = srtt_us,
		.rto_us = 200000 + srtt_us,
		.cwnd = 10,
		.mss = 1428,
	};
	return p;
}

struct fake_path *fake_path_find(struct fake_conn *c, __u32 id)
{
	for (__u32 i = 0; i < c->nr; i++)
		if (c->path[i].view.id == id)
			return &c->path[i];
	return NULL;
}

#define BACKUP_BITS (MPTCP_PATH_BACKUP_REQUESTED | MPTCP_PATH_BACKUP_RECEIVED)

static bool is_backup(const struct fake_path *p)
{
	switch (p->backup_mode) {
	case MPTCP_BACKUP_NEVER:
		return false;
	case MPTCP_BACKUP_ALWAYS:
		return true;
	default:
		return p->view.flags & BACKUP_BITS;
	}
}

__u32 fake_path_flags(const struct fake_path *p)
{
	const struct mptcp_bpf_path *v = &p->view;
	__u64 used = v->in_flight;
	__u32 flags = v->flags & ~(MPTCP_PATH_ROOM | MPTCP_PATH_BACKUP);

	if (v->mss)
		used += ((__u64)v->queued_bytes + v->mss - 1) / v->mss;
	if ((flags & MPTCP_PATH_MEMORY) && used < v->cwnd)
		flags |= MPTCP_PATH_ROOM;
	if (v->in_flight)
		flags |= MPTCP_PATH_OUTSTANDING;
	if (is_backup(p))
		flags |= MPTCP_PATH_BACKUP;
	return flags;
}

/* --- the kfuncs, as kmod/kfunc.c --- */

static struct fake_conn *conn_of(struct mptcp_sock *msk)
{
	return (struct fake_conn *)msk;
}

int bpf_mptcp_view(struct mptcp_sock *msk, void *out, __u32 out__sz)
{
	struct fake_conn *c = conn_of(msk);
	struct mptcp_bpf_view *v = out;
	__u32 n = 0;

	if (out__sz != sizeof(*v) || v->path_size != sizeof(v->path[0]))
		return -EINVAL;
	for (__u32 i = 0; i < c->nr && n < MPTCP_BPF_PATHS_MAX; i++) {
		if (c->path[i].closed)
			continue;
		v->path[n] = c->path[i].view;
		v->path[n++].flags = fake_path_flags(&c->path[i]);
	}
	memcpy(v, &c->head, offsetof(struct mptcp_bpf_view, path));
	v->path_size = sizeof(v->path[0]);
	v->nr_paths = n;
	return n;
}

int bpf_mptcp_schedule(struct mptcp_sock *msk, __u32 id, __u32 burst_bytes, __u32 timer_us)
{
	struct fake_conn *c = conn_of(msk);
	struct fake_path *p = fake_path_find(c, id);

	if (!p || p->closed) {
		c->now.refused++;
		return p ? -ENOTCONN : -ENOENT;
	}
	if (!(p->view.flags & MPTCP_PATH_MEMORY))
		return -EAGAIN;
	c->now.nr += !p->scheduled;
	p->scheduled = true;
	c->now.id = id;
	c->now.burst_bytes = burst_bytes < INT_MAX ? burst_bytes : INT_MAX;
	return bpf_mptcp_set_timer(msk, timer_us);
}

int bpf_mptcp_set_timer(struct mptcp_sock *msk, __u32 timer_us)
{
	if (timer_us)
		conn_of(msk)->now.timer_us = timer_us;
	return 0;
}

void bpf_mptcp_reason(struct mptcp_sock *msk, __u32 reason)
{
	if (reason < MPTCP_REASON_NR)
		conn_of(msk)->now.reason = reason;
}

int bpf_mptcp_probe(struct mptcp_sock *msk, __u32 id, __u32 max_rto_us)
{
	struct fake_path *p = fake_path_find(conn_of(msk), id);

	if (!p || p->closed)
		return -ENOENT;
	p->probe_us = max_rto_us > 200000 ? max_rto_us : 200000;
	return 0;
}

int bpf_mptcp_set_backup(struct mptcp_sock *msk, __u32 id, __u32 mode)
{
	struct fake_path *p = fake_path_find(conn_of(msk), id);

	if (mode > MPTCP_BACKUP_ALWAYS)
		return -EINVAL;
	if (!p || !p->known)
		return -ENOENT;
	p->backup_mode = mode;
	return 0;
}

__u64 bpf_ktime_get_ns(void)
{
	return fake_now_ns;
}

/* xorshift: the same numbers in every run. */
__u32 bpf_get_prandom_u32(void)
{
	static __u32 x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* --- decisions, as kmod/decide.c --- */

#define EVENT_BITS (BACKUP_BITS | MPTCP_PATH_STALE)

static void tell(struct fake_sched *s, struct fake_conn *c, __u32 id, __u32 event)
{
	if (s->ops->path_event)
		s->ops->path_event((struct mptcp_sock *)c, id, event);
}

static void scan_path(struct fake_sched *s, struct fake_conn *c, struct fake_path *p)
{
	__u32 bits = p->view.flags & EVENT_BITS, changed = bits ^ p->seen_bits;

	if (p->closed) {
		if (p->known)
			tell(s, c, p->view.id, MPTCP_PATH_EVENT_DOWN);
		p->known = false;
		return;
	}
	p->seen_bits = bits;
	if (!p->known) {
		p->known = true;
		p->backup_mode = MPTCP_BACKUP_BITS;
		tell(s, c, p->view.id, MPTCP_PATH_EVENT_UP);
		return;
	}
	if (changed & MPTCP_PATH_STALE)
		tell(s, c, p->view.id,
		     bits & MPTCP_PATH_STALE ? MPTCP_PATH_EVENT_STALE : MPTCP_PATH_EVENT_RECOVER);
	if (changed & BACKUP_BITS)
		tell(s, c, p->view.id, MPTCP_PATH_EVENT_BACKUP);
}

static void prepare(struct fake_sched *s, struct fake_conn *c)
{
	memset(&c->now, 0, sizeof(c->now));
	for (__u32 i = 0; i < c->nr; i++) {
		c->path[i].scheduled = false;
		c->path[i].probe_us = 0;
		scan_path(s, c, &c->path[i]);
	}
}

struct fake_decision fake_get_send(struct fake_sched *s, struct fake_conn *c)
{
	prepare(s, c);
	c->now.err = s->ops->get_send((struct mptcp_sock *)c);
	return c->now;
}

struct fake_decision fake_get_retrans(struct fake_sched *s, struct fake_conn *c)
{
	prepare(s, c);
	c->now.err = s->ops->get_retrans ? s->ops->get_retrans((struct mptcp_sock *)c) : -ENOSYS;
	return c->now;
}

void fake_conn_begin(struct fake_sched *s, struct fake_conn *c)
{
	if (s->ops->init)
		s->ops->init((struct mptcp_sock *)c);
}

void fake_conn_end(struct fake_sched *s, struct fake_conn *c)
{
	if (s->ops->release)
		s->ops->release((struct mptcp_sock *)c);
}
