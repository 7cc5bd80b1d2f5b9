// SPDX-License-Identifier: GPL-2.0-only
/* The oracle's maps; see oracle.h. */
#include "loader/oracle.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "loader/pins.h"
#include "loader/tool.h"
#include "util/cleanup.h"

#define LINK "destroyed" /* of the object's programs the last */

static const struct tool tool = {
	.name = "oracle",
	.object = "oracle/oracle",
	.needs = "it takes BTF, bpf_timer and trace points of TCP: Linux 6.12 has them all",
};

struct loader_oracle {
	uint64_t cookie;
	int lock, configs, paths, rings, ring;
	struct ring_buffer *reader;
	loader_oracle_event_fn *call;
	void *data;
};

int loader_oracle_load(const struct loader_config *c, enum loader_outcome *outcome, struct error *e)
{
	return tool_load(&tool, c, outcome, e);
}

int loader_oracle_unload_unused(const struct loader_config *c, bool *gone, struct error *e)
{
	bool there = tool_loaded(&tool, c, LINK);
	int err = tool_unload_unused(&tool, c, "configs", e);

	*gone = there && err == 0;
	return err < 0 ? err : 0;
}

/* A folder of the namespace's, locked while it is watched: nothing to clean up after a kill. */
static int take_lock(const struct loader_config *c, uint64_t cookie, char path[PINS_PATH_BYTES])
{
	_cleanup_close_ int fd = -1;
	char name[32];

	snprintf(name, sizeof(name), "netns-%" PRIu64, cookie);
	pins_path(c, tool.name, name, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return TAKE_FD(fd);
}

static int on_event(void *data, void *event, size_t size)
{
	const struct loader_oracle *o = data;

	if (size >= sizeof(struct oracle_event) && o->call)
		o->call(event, o->data);
	return 0;
}

static int open_maps(struct loader_oracle *o, const struct loader_config *c, struct error *e)
{
	static const char *const names[] = { "configs", "paths", "rings" };
	int *const fds[] = { &o->configs, &o->paths, &o->rings };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		*fds[i] = tool_map(&tool, c, names[i]);
		if (*fds[i] < 0)
			return error_set(e, *fds[i], "cannot open %s of the oracle: %s", names[i],
					 strerror(-*fds[i]));
	}
	return 0;
}

static int make_ring(struct loader_oracle *o, struct error *e)
{
	o->ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "oracle_events", 0, 0, ORACLE_RING_BYTES,
				 NULL);
	if (o->ring < 0)
		return error_set(e, o->ring, "cannot make a ring buffer for the oracle: %s",
				 strerror(-o->ring));
	o->reader = ring_buffer__new(o->ring, on_event, o, NULL);
	if (!o->reader)
		return error_set(e, -errno, "cannot read the oracle's ring buffer: %s",
				 strerror(errno));
	if (bpf_map_update_elem(o->rings, &o->cookie, &o->ring, BPF_ANY) < 0)
		return error_set(e, -errno, "cannot hand the oracle its ring buffer: %s",
				 strerror(errno));
	return 0;
}

int loader_oracle_configure(struct loader_oracle *o, const struct oracle_config *config,
			    struct error *e)
{
	if (bpf_map_update_elem(o->configs, &o->cookie, config, BPF_ANY) < 0)
		return error_set(e, -errno, "cannot write the oracle's thresholds: %s",
				 strerror(errno));
	return 0;
}

int loader_oracle_watch(const struct loader_config *c, uint64_t cookie,
			const struct oracle_config *config, struct loader_oracle **out,
			struct error *e)
{
	struct loader_oracle *o = malloc(sizeof(*o));
	char path[PINS_PATH_BYTES];
	int err;

	if (!o)
		return error_set(e, -ENOMEM, "out of memory");
	*o = (struct loader_oracle){ cookie, -1, -1, -1, -1, -1, NULL, NULL, NULL };
	o->lock = take_lock(c, cookie, path);
	if (o->lock < 0) {
		err = o->lock;
		free(o);
		return err == -EBUSY
			       ? error_set(e, err,
					   "the paths of this network namespace are watched "
					   "by another process already")
			       : error_set(e, err, "cannot lock %s: %s", path, strerror(-err));
	}
	err = open_maps(o, c, e);
	if (err == 0)
		err = make_ring(o, e);
	if (err == 0)
		err = loader_oracle_configure(o, config, e);
	/* Whoever finds no namespace watched unloads it, perhaps just before this one was. */
	if (err == 0 && !tool_loaded(&tool, c, LINK))
		err = error_set(e, -ENOENT, "the oracle was unloaded by another process");
	if (err < 0) {
		loader_oracle_close(&o);
		return err;
	}
	*out = o;
	return 0;
}

int loader_oracle_fd(const struct loader_oracle *o)
{
	return ring_buffer__epoll_fd(o->reader);
}

int loader_oracle_events(struct loader_oracle *o, loader_oracle_event_fn *call, void *data)
{
	o->call = call;
	o->data = data;
	return ring_buffer__consume(o->reader);
}

/* The paths of a namespace that were last heard before `ns`. */
static void drop_paths(int paths, uint64_t cookie, uint64_t ns)
{
	struct oracle_key key, next;
	bool more = bpf_map_get_next_key(paths, NULL, &next) == 0;

	while (more) {
		struct oracle_path p;

		key = next;
		more = bpf_map_get_next_key(paths, &key, &next) == 0;
		if (key.netns_cookie == cookie && bpf_map_lookup_elem(paths, &key, &p) == 0 &&
		    p.health.heard_ns < ns)
			bpf_map_delete_elem(paths, &key);
	}
}

static void take_out(const struct loader_oracle *o)
{
	if (o->configs >= 0)
		bpf_map_delete_elem(o->configs, &o->cookie);
	if (o->rings >= 0)
		bpf_map_delete_elem(o->rings, &o->cookie);
	if (o->paths >= 0)
		drop_paths(o->paths, o->cookie, UINT64_MAX);
}

void loader_oracle_prune(struct loader_oracle *o, uint64_t ns)
{
	drop_paths(o->paths, o->cookie, ns);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void loader_oracle_close(struct loader_oracle **o)
{
	struct loader_oracle *x = *o;

	if (!x)
		return;
	*o = NULL;
	take_out(x);
	ring_buffer__free(x->reader);
	close_fd(x->ring);
	close_fd(x->rings);
	close_fd(x->paths);
	close_fd(x->configs);
	close_fd(x->lock);
	free(x);
}

void loader_oracle_forget(const struct loader_config *c, uint64_t cookie)
{
	struct loader_oracle o = { .cookie = cookie, .configs = -1, .paths = -1, .rings = -1 };
	_cleanup_close_ int lock = -1;
	char path[PINS_PATH_BYTES];

	if (!tool_loaded(&tool, c, "configs"))
		return;
	lock = take_lock(c, cookie, path);
	if (lock < 0)
		return;
	open_maps(&o, c, NULL);
	take_out(&o);
	rmdir(path);
	close_fd(o.configs);
	close_fd(o.paths);
	close_fd(o.rings);
}

int loader_oracle_paths(const struct loader_config *c, uint64_t cookie,
			struct loader_oracle_path **out, size_t *nr, bool *known, struct error *e)
{
	_cleanup_close_ int configs = tool_map(&tool, c, "configs");
	_cleanup_close_ int paths = tool_map(&tool, c, "paths");
	_cleanup_free_ struct loader_oracle_path *list = NULL;
	struct oracle_config config;
	struct oracle_key key;
	void *last = NULL;
	size_t n = 0;

	*out = NULL;
	*nr = 0;
	*known = false;
	if (configs == -ENOENT || paths == -ENOENT)
		return 0;
	if (configs < 0 || paths < 0)
		return error_set(e, configs < 0 ? configs : paths,
				 "cannot open the oracle's maps: %s",
				 strerror(configs < 0 ? -configs : -paths));
	*known = bpf_map_lookup_elem(configs, &cookie, &config) == 0;
	while (bpf_map_get_next_key(paths, last, &key) == 0) {
		struct loader_oracle_path *grown;

		last = &key;
		if (key.netns_cookie != cookie)
			continue;
		grown = reallocarray(list, n + 1, sizeof(*list));
		if (!grown)
			return error_set(e, -ENOMEM, "out of memory");
		list = grown;
		list[n].key = key;
		/* With the lock, or a report could be in it by half. */
		n += bpf_map_lookup_elem_flags(paths, &key, &list[n].value, BPF_F_LOCK) == 0;
	}
	*out = TAKE_PTR(list);
	*nr = n;
	return 0;
}
