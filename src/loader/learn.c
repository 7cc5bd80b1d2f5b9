// SPDX-License-Identifier: GPL-2.0-only
/* Tables of initial path selection; see learn.h. */
#include "loader/learn.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "loader/pins.h"
#include "util/cleanup.h"

static int table_open(const struct loader_config *c, const char *name, struct error *e)
{
	char path[PINS_PATH_BYTES];
	int fd;

	pins_path(c, "establish", name, path);
	fd = bpf_obj_get(path);
	if (fd >= 0)
		return fd;
	return error_set(e, -errno, "cannot open %s: %s", path, strerror(errno));
}

uint64_t loader_learn_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return MPTCP_LEARN_BOOT_MS + (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool loader_learn_same(const struct loader_learn_space *a, const struct loader_learn_space *b)
{
	return a->on == b->on && memcmp(&a->config, &b->config, sizeof(a->config)) == 0 &&
	       a->nr_paths == b->nr_paths &&
	       memcmp(a->paths, b->paths, a->nr_paths * sizeof(a->paths[0])) == 0 &&
	       a->nr_addresses == b->nr_addresses &&
	       memcmp(a->addresses, b->addresses, a->nr_addresses * sizeof(a->addresses[0])) == 0 &&
	       a->nr_routes == b->nr_routes &&
	       memcmp(a->routes, b->routes, a->nr_routes * sizeof(a->routes[0])) == 0;
}

int loader_learn_address_compare(const void *a, const void *b)
{
	const struct loader_learn_address *x = a, *y = b;

	return memcmp(x->address, y->address, sizeof(x->address));
}

int loader_learn_route_compare(const void *a, const void *b)
{
	const struct loader_learn_route *x = a, *y = b;
	int order = memcmp(x->destination, y->destination, sizeof(x->destination));

	return order ? order : (x->bits > y->bits) - (x->bits < y->bits);
}

static int row_compare(const void *a, const void *b)
{
	const struct mptcp_learn_key *x = &((const struct loader_learn_row *)a)->key,
				     *y = &((const struct loader_learn_row *)b)->key;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->network != y->network)
		return x->network < y->network ? -1 : 1;
	return memcmp(x->prefix, y->prefix, sizeof(x->prefix));
}

/* Hands each key of the table to `each`, which may delete the one it is handed. */
static int walk(int fd, void *key, void *next, size_t size,
		int (*each)(void *data, const void *key), void *data)
{
	int err = bpf_map_get_next_key(fd, NULL, key);

	while (err == 0) {
		int more = bpf_map_get_next_key(fd, key, next);

		err = each(data, key);
		if (err < 0)
			return err;
		memcpy(key, next, size);
		err = more;
	}
	return err == -ENOENT ? 0 : err;
}

struct reading {
	struct loader_learn_space *space;
	uint64_t cookie;
	int fd;
	bool delete;
};

static int delete_key(const struct reading *r, const void *key)
{
	return bpf_map_delete_elem(r->fd, key) < 0 && errno != ENOENT ? -errno : 0;
}

static int take_address(void *data, const void *item)
{
	const struct mptcp_learn_address *key = item;
	struct reading *r = data;
	struct loader_learn_space *s = r->space;

	if (key->netns_cookie != r->cookie)
		return 0;
	if (r->delete)
		return delete_key(r, key);
	if (s->nr_addresses == LOADER_LEARN_ADDRESSES_MAX)
		return 0;
	memcpy(s->addresses[s->nr_addresses].address, key->address, sizeof(key->address));
	if (bpf_map_lookup_elem(r->fd, key, &s->addresses[s->nr_addresses].owner) == 0)
		s->nr_addresses++;
	return 0;
}

static int take_route(void *data, const void *item)
{
	const struct mptcp_learn_route *key = item;
	struct reading *r = data;
	struct loader_learn_space *s = r->space;

	if (memcmp(key->netns_cookie, &r->cookie, sizeof(r->cookie)) != 0)
		return 0;
	if (r->delete)
		return delete_key(r, key);
	if (s->nr_routes == MPTCP_LEARN_ROUTES_MAX)
		return 0;
	memcpy(s->routes[s->nr_routes].destination, key->destination, sizeof(key->destination));
	s->routes[s->nr_routes++].bits = key->prefixlen - 64;
	return 0;
}

static int walk_addresses(struct reading *r)
{
	struct mptcp_learn_address key, next;

	return walk(r->fd, &key, &next, sizeof(key), take_address, r);
}

static int walk_routes(struct reading *r)
{
	struct mptcp_learn_route key, next;

	return walk(r->fd, &key, &next, sizeof(key), take_route, r);
}

static struct mptcp_learn_path_key path_key(uint64_t cookie, size_t index)
{
	return (struct mptcp_learn_path_key){ .netns_cookie = cookie, .index = (uint32_t)index };
}

struct tables {
	int namespaces, paths, addresses, routes;
};

static void close_tables(struct tables *t)
{
	const int fds[] = { t->namespaces, t->paths, t->addresses, t->routes };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int open_tables(const struct loader_config *c, struct tables *t, struct error *e)
{
	t->namespaces = table_open(c, "namespaces", e);
	t->paths = t->namespaces < 0 ? t->namespaces : table_open(c, "paths", e);
	t->addresses = t->paths < 0 ? t->paths : table_open(c, "addresses", e);
	t->routes = t->addresses < 0 ? t->addresses : table_open(c, "routes", e);
	return t->routes < 0 ? t->routes : 0;
}

int loader_learn_read(const struct loader_config *c, uint64_t cookie,
		      struct loader_learn_space *out, struct error *e)
{
	_cleanup_(close_tables) struct tables t = { -1, -1, -1, -1 };
	struct reading r = { .space = out, .cookie = cookie };
	int err;

	memset(out, 0, sizeof(*out));
	err = open_tables(c, &t, e);
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	if (bpf_map_lookup_elem(t.namespaces, &cookie, &out->config) < 0)
		return 0;
	out->on = true;
	for (; out->nr_paths < MPTCP_LEARN_PATHS_MAX; out->nr_paths++) {
		struct mptcp_learn_path_key key = path_key(cookie, out->nr_paths);

		if (bpf_map_lookup_elem(t.paths, &key, &out->paths[out->nr_paths]) < 0)
			break;
	}
	r.fd = t.addresses;
	err = walk_addresses(&r);
	r.fd = t.routes;
	if (err == 0)
		err = walk_routes(&r);
	if (err < 0)
		return error_set(e, err, "cannot read the tables of ips: %s", strerror(-err));
	qsort(out->addresses, out->nr_addresses, sizeof(out->addresses[0]),
	      loader_learn_address_compare);
	qsort(out->routes, out->nr_routes, sizeof(out->routes[0]), loader_learn_route_compare);
	return 0;
}

static int clear(const struct tables *t, uint64_t cookie)
{
	struct reading r = { .cookie = cookie, .fd = t->addresses, .delete = true };
	int err = walk_addresses(&r);

	r.fd = t->routes;
	if (err == 0)
		err = walk_routes(&r);
	for (size_t i = 0; err == 0 && i < MPTCP_LEARN_PATHS_MAX; i++) {
		struct mptcp_learn_path_key key = path_key(cookie, i);

		if (bpf_map_delete_elem(t->paths, &key) < 0 && errno != ENOENT)
			err = -errno;
	}
	return err;
}

static int fill(const struct tables *t, uint64_t cookie, const struct loader_learn_space *s)
{
	for (size_t i = 0; i < s->nr_routes; i++) {
		struct mptcp_learn_route key = { .prefixlen = 64 + s->routes[i].bits };
		uint32_t one = 1;

		memcpy(key.netns_cookie, &cookie, sizeof(cookie));
		memcpy(key.destination, s->routes[i].destination, sizeof(key.destination));
		if (bpf_map_update_elem(t->routes, &key, &one, BPF_ANY) < 0)
			return -errno;
	}
	for (size_t i = 0; i < s->nr_addresses; i++) {
		struct mptcp_learn_address key = { .netns_cookie = cookie };

		memcpy(key.address, s->addresses[i].address, sizeof(key.address));
		if (bpf_map_update_elem(t->addresses, &key, &s->addresses[i].owner, BPF_ANY) < 0)
			return -errno;
	}
	for (size_t i = 0; i < s->nr_paths; i++) {
		struct mptcp_learn_path_key key = path_key(cookie, i);

		if (bpf_map_update_elem(t->paths, &key, &s->paths[i], BPF_ANY) < 0)
			return -errno;
	}
	return bpf_map_update_elem(t->namespaces, &cookie, &s->config, BPF_ANY) < 0 ? -errno : 0;
}

int loader_learn_write(const struct loader_config *c, uint64_t cookie,
		       const struct loader_learn_space *space, struct error *e)
{
	_cleanup_(close_tables) struct tables t = { -1, -1, -1, -1 };
	int err = open_tables(c, &t, e);

	if (err == -ENOENT && !space->on)
		return 0;
	if (err < 0)
		return err;
	if (bpf_map_delete_elem(t.namespaces, &cookie) < 0 && errno != ENOENT)
		err = -errno;
	if (err == 0)
		err = clear(&t, cookie);
	if (err == 0 && space->on)
		err = fill(&t, cookie, space);
	if (err < 0) {
		error_set(e, err, "cannot write the tables of ips: %s", strerror(-err));
		if (err == -E2BIG || err == -ENOSPC)
			error_hint(e, "unload policies of other network namespaces: all share "
				      "the tables");
	}
	return err;
}

struct rows {
	struct loader_learn_row *items;
	size_t nr;
	uint64_t cookie;
	int fd;
};

static int take_row(void *data, const void *item)
{
	const struct mptcp_learn_key *key = item;
	struct loader_learn_row *bigger;
	struct rows *r = data;

	if (key->netns_cookie != r->cookie)
		return 0;
	bigger = reallocarray(r->items, r->nr + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->items = bigger;
	r->items[r->nr].key = *key;
	/* One that was evicted meanwhile is not there. */
	if (bpf_map_lookup_elem(r->fd, key, &r->items[r->nr].stat) == 0)
		r->nr++;
	return 0;
}

int loader_learn_rows(const struct loader_config *c, uint64_t cookie, struct loader_learn_row **out,
		      size_t *nr, struct error *e)
{
	_cleanup_close_ int fd = table_open(c, "learned", e);
	struct rows r = { .cookie = cookie, .fd = fd };
	struct mptcp_learn_key key, next;
	int err;

	*out = NULL;
	*nr = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = walk(fd, &key, &next, sizeof(key), take_row, &r);
	if (err < 0) {
		free(r.items);
		return error_set(e, err, "cannot read what was learned: %s", strerror(-err));
	}
	if (r.nr)
		qsort(r.items, r.nr, sizeof(*r.items), row_compare);
	*out = r.items;
	*nr = r.nr;
	return 0;
}

int loader_learn_put(const struct loader_config *c, const struct loader_learn_row *rows, size_t nr,
		     struct error *e)
{
	_cleanup_close_ int fd = nr ? table_open(c, "learned", e) : -1;

	if (nr && fd < 0)
		return fd;
	for (size_t i = 0; i < nr; i++)
		if (bpf_map_update_elem(fd, &rows[i].key, &rows[i].stat, BPF_NOEXIST) < 0 &&
		    errno != EEXIST)
			return error_set(e, -errno, "cannot put back what was learned: %s",
					 strerror(errno));
	return 0;
}

int loader_learn_delete(const struct loader_config *c, const struct loader_learn_row *rows,
			size_t nr, struct error *e)
{
	_cleanup_close_ int fd = nr ? table_open(c, "learned", e) : -1;

	if (nr && fd < 0)
		return fd;
	for (size_t i = 0; i < nr; i++)
		if (bpf_map_delete_elem(fd, &rows[i].key) < 0 && errno != ENOENT)
			return error_set(e, -errno, "cannot forget what was learned: %s",
					 strerror(errno));
	return 0;
}
