// SPDX-License-Identifier: GPL-2.0-only
/* The guard's ring buffer, and the probe; see guard_watch.h. */
#include "loader/guard_watch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "loader/attach.h"
#include "loader/guard.h"
#include "loader/object.h"
#include "util/cleanup.h"

#define TOOL	"guard/probe"
#define PROGRAM "probe"

struct loader_guard_watch {
	loader_guard_watch_fn *each;
	void *data;
	struct ring_buffer *ring;
	struct bpf_object *obj;
	struct bpf_link *link; /* of the iterator */
	int target_fd;	       /* owned by obj */
};

static int take(void *data, void *event, size_t size)
{
	struct loader_guard_watch *w = data;

	if (size >= sizeof(struct mptcp_guard_event))
		w->each(event, w->data);
	return 0;
}

static int load_probe(const struct loader_config *c, struct loader_guard_watch *w, struct error *e)
{
	struct attach a = { .c = c, .kind = "program", .name = PROGRAM };
	_cleanup_free_ char *path = NULL;
	struct bpf_program *program;
	int err = object_find_tool(c, TOOL, &path, e);

	if (err == 0)
		err = object_open(path, &w->obj, e);
	if (err < 0)
		return err;
	a.obj = w->obj;
	err = attach_load(&a, e);
	if (err < 0)
		return err;
	program = bpf_object__find_program_by_name(w->obj, PROGRAM);
	w->target_fd = bpf_object__find_map_fd_by_name(w->obj, "probe_target");
	if (!program || w->target_fd < 0)
		return error_set(e, -EINVAL, "%s holds no probe", path);
	w->link = bpf_program__attach_iter(program, NULL);
	if (!w->link)
		return error_set(e, -errno, "cannot attach the probe: %s", strerror(errno));
	return 0;
}

int loader_guard_watch_open(const struct loader_config *c, uint64_t netns,
			    loader_guard_watch_fn *each, void *data,
			    struct loader_guard_watch **out, struct error *e)
{
	_cleanup_close_ int fd = loader_guard_map(c, netns, "guard_watch");
	_cleanup_(loader_guard_watch_close) struct loader_guard_watch *w = NULL;
	int err;

	if (fd == -ENOENT) {
		error_set(e, fd, "nothing is guarded in this network namespace");
		return error_hint(e, "mptcp-pmctl apply a policy with \"guard\"");
	}
	if (fd < 0)
		return error_set(e, fd, "cannot open the guard's ring buffer: %s", strerror(-fd));
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_set(e, -ENOMEM, "cannot watch the guard: out of memory");
	w->each = each;
	w->data = data;
	w->ring = ring_buffer__new(fd, take, w, NULL);
	if (!w->ring)
		return error_set(e, -errno, "cannot read the guard's ring buffer: %s",
				 strerror(errno));
	err = load_probe(c, w, e);
	if (err < 0)
		return err;
	*out = TAKE_PTR(w);
	return 0;
}

void loader_guard_watch_close(struct loader_guard_watch **w)
{
	if (!*w)
		return;
	ring_buffer__free((*w)->ring);
	bpf_link__destroy((*w)->link);
	object_close(&(*w)->obj);
	free(*w);
	*w = NULL;
}

int loader_guard_watch_fd(const struct loader_guard_watch *w)
{
	return ring_buffer__epoll_fd(w->ring);
}

int loader_guard_watch_read(struct loader_guard_watch *w, struct error *e)
{
	int err = ring_buffer__consume(w->ring);

	return err >= 0 ? 0
			: error_set(e, err, "cannot read the guard's ring buffer: %s",
				    strerror(-err));
}

int loader_guard_probe(struct loader_guard_watch *w, struct mptcp_probe *p, struct error *e)
{
	_cleanup_close_ int fd = -1;
	uint32_t zero = 0;
	ssize_t n = 1;
	char nothing[64];

	p->found = 0;
	if (bpf_map_update_elem(w->target_fd, &zero, p, BPF_ANY) < 0)
		return error_set(e, -errno, "cannot probe a subflow: %s", strerror(errno));
	fd = bpf_iter_create(bpf_link__fd(w->link));
	if (fd < 0)
		return error_set(e, -errno, "cannot probe a subflow: %s", strerror(errno));
	/* It writes nothing; reading is what makes it run. */
	while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		n = read(fd, nothing, sizeof(nothing));
	if (n < 0 || bpf_map_lookup_elem(w->target_fd, &zero, p) < 0)
		return error_set(e, -errno, "cannot probe a subflow: %s", strerror(errno));
	return p->found ? 0 : error_set(e, -ENOENT, "there is no such subflow to be probed");
}
