// SPDX-License-Identifier: GPL-2.0-only
/* Objects of several programs, pinned; see tool.h. */
#include "loader/tool.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "loader/attach.h"
#include "loader/bpflog.h"
#include "loader/checkpoint.h"
#include "loader/hook.h"
#include "loader/object.h"
#include "loader/pins.h"
#include "util/cleanup.h"

#define NEW	       "_new" /* bpffs takes no dots in names */
#define TOOL_KEY_BYTES 64     /* of a map of users, at most */
#define LOCK_TRIES     500    /* 20 ms each */

static void close_folder(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Others load and unload, too; none of them takes long. */
static int lock(const struct loader_config *c, struct error *e)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int fd = -EBUSY;

	for (int i = 0; fd == -EBUSY && i < LOCK_TRIES; i++) {
		if (i)
			nanosleep(&pause, NULL);
		fd = pins_lock(c, e);
	}
	return fd;
}

static bool is_plain(const struct bpf_map *m)
{
	return !strchr(bpf_map__name(m), '.');
}

static int open_object(const struct tool *t, const struct loader_config *c, struct bpf_object **obj,
		       struct error *e)
{
	_cleanup_free_ char *file = NULL;
	int err = object_find_tool(c, t->object, &file, e);

	return err < 0 ? err : object_open(file, obj, e);
}

static int pin_maps(const struct tool *t, const struct loader_config *c, struct bpf_object *obj,
		    struct error *e)
{
	char path[PINS_PATH_BYTES];
	struct bpf_map *m;

	bpf_object__for_each_map(m, obj)
	{
		if (!is_plain(m))
			continue;
		pins_path(c, t->name, bpf_map__name(m), path);
		if (bpf_map__set_pin_path(m, path) < 0)
			return error_set(e, -ENOMEM, "out of memory");
	}
	return 0;
}

static int make_folder(const struct tool *t, const struct loader_config *c, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, t->name, NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

static bool same_tag(int a, int b)
{
	struct bpf_prog_info x = { 0 }, y = { 0 };
	uint32_t nx = sizeof(x), ny = sizeof(y);

	return bpf_prog_get_info_by_fd(a, &x, &nx) == 0 &&
	       bpf_prog_get_info_by_fd(b, &y, &ny) == 0 && memcmp(x.tag, y.tag, sizeof(x.tag)) == 0;
}

/* Where programs are attached that are for sockets. */
struct hook {
	int cgroup; /* -1: the programs say it themselves */
	uint64_t id;
};

static void cleanup_hook(struct hook *h)
{
	if (h->cgroup >= 0)
		close(h->cgroup);
}

static int open_hook(const struct tool *t, struct hook *h, struct error *e)
{
	if (!t->cgroup)
		return 0;
	h->cgroup = hook_cgroup_open(t->name, &h->id, e);
	return h->cgroup < 0 ? h->cgroup : 0;
}

/* Is this program what runs there by the pinned link? -ENOENT: there is none. */
static int runs(const struct bpf_program *p, const struct hook *h, const char *path)
{
	_cleanup_close_ int link_fd = bpf_obj_get(path), prog_fd = -1;
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	if (link_fd < 0)
		return -errno;
	/* One whose cgroup is gone has no number. */
	if (bpf_link_get_info_by_fd(link_fd, &info, &len) < 0 ||
	    (h->cgroup >= 0 && info.cgroup.cgroup_id != h->id))
		return 0;
	prog_fd = bpf_prog_get_fd_by_id(info.prog_id);
	return prog_fd >= 0 && same_tag(bpf_program__fd(p), prog_fd);
}

static int publish(const struct tool *t, struct bpf_program *p, const struct hook *h,
		   const char *path, struct error *e)
{
	_cleanup_(attach_link_close) struct bpf_link *link =
		h->cgroup < 0 ? bpf_program__attach(p) : bpf_program__attach_cgroup(p, h->cgroup);
	char fresh[PINS_PATH_BYTES + sizeof(NEW)];

	if (!link)
		return error_set(e, -errno, "cannot attach %s of %s: %s", bpf_program__name(p),
				 t->name, strerror(errno));
	loader_checkpoint("attached");
	snprintf(fresh, sizeof(fresh), "%s" NEW, path);
	unlink(fresh);
	if (bpf_obj_pin(bpf_link__fd(link), fresh) < 0)
		return error_set(e, -errno, "cannot pin %s: %s", fresh, strerror(errno));
	loader_checkpoint("pinned");
	if (rename(fresh, path) < 0) {
		error_set(e, -errno, "cannot rename %s: %s", fresh, strerror(errno));
		unlink(fresh);
		return e ? e->code : -EIO;
	}
	return 0;
}

/* Attaches those that do not run yet; without `attach` only says what that would amount to. */
static int attach_all(const struct tool *t, const struct loader_config *c, struct bpf_object *obj,
		      bool attach, enum loader_outcome *outcome, struct error *e)
{
	_cleanup_(cleanup_hook) struct hook h = { .cgroup = -1 };
	char path[PINS_PATH_BYTES];
	bool there = false, changed = false;
	struct bpf_program *p;
	int same, err = open_hook(t, &h, e);

	if (err < 0)
		return err;
	bpf_object__for_each_program(p, obj)
	{
		pins_path(c, t->name, bpf_program__name(p), path);
		same = runs(p, &h, path);
		if (same >= 0)
			there = true;
		if (same > 0)
			continue;
		err = attach ? publish(t, p, &h, path, e) : 0;
		if (err < 0)
			return err;
		changed = true;
	}
	*outcome = !changed ? LOADER_UNCHANGED : there ? LOADER_SWAPPED : LOADER_LOADED;
	return 0;
}

static int load(const struct tool *t, struct bpf_object *obj, struct error *e)
{
	const char *why;
	int err;

	bpflog_start();
	err = bpf_object__load(obj);
	if (err == 0)
		return 0;
	why = bpflog_summary();
	if (err == -EPERM && geteuid() != 0) {
		error_set(e, err, "not allowed to load %s", t->object);
		return error_hint(e, "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed");
	}
	error_set(e, -EOPNOTSUPP, "the kernel refused %s: %s", t->object,
		  why[0] ? why : strerror(-err));
	return error_hint(e, "%s", t->needs);
}

static bool is_link(const char *path)
{
	_cleanup_close_ int fd = bpf_obj_get(path);
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	return fd >= 0 && bpf_link_get_info_by_fd(fd, &info, &len) == 0;
}

/* Removes what is in the folder, links only or everything; counts alone without `remove`. */
static int walk(const struct tool *t, const struct loader_config *c, bool links, bool remove,
		struct error *e)
{
	_cleanup_(close_folder) DIR *dir = NULL;
	char folder[PINS_PATH_BYTES], path[PINS_PATH_BYTES + 256];
	struct dirent *d;
	int nr = 0;

	pins_path(c, t->name, NULL, folder);
	dir = opendir(folder);
	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(e, -errno, "cannot read %s: %s", folder, strerror(errno));
	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, d->d_name);
		if (d->d_name[0] == '.' || (links && !is_link(path)))
			continue;
		nr++;
		if (!remove)
			continue;
		if (d->d_type == DT_DIR ? rmdir(path) < 0 : unlink(path) < 0)
			return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
		loader_checkpoint("unpinned");
	}
	return nr;
}

/* Links first: without them maps are only left over, the reverse would go on running. */
static int remove_all(const struct tool *t, const struct loader_config *c, struct error *e)
{
	int err = walk(t, c, true, true, e);

	if (err >= 0)
		err = walk(t, c, false, true, e);
	return err < 0 ? err : 0;
}

static int install(const struct tool *t, const struct loader_config *c,
		   enum loader_outcome *outcome, struct error *e)
{
	_cleanup_(object_close) struct bpf_object *obj = NULL;
	int err = open_object(t, c, &obj, e);

	if (err == 0)
		err = pin_maps(t, c, obj, e);
	if (err == 0)
		err = load(t, obj, e);
	return err < 0 ? err : attach_all(t, c, obj, true, outcome, e);
}

int tool_try(const struct tool *t, const struct loader_config *c, enum loader_outcome *outcome,
	     struct error *e)
{
	_cleanup_(object_close) struct bpf_object *obj = NULL;
	int err = open_object(t, c, &obj, e);

	if (err == 0)
		err = load(t, obj, e);
	return err < 0 ? err : attach_all(t, c, obj, false, outcome, e);
}

/* Maps alone, from a load that failed, are of no use. */
static void forget_maps(const struct tool *t, const struct loader_config *c)
{
	char path[PINS_PATH_BYTES];

	if (walk(t, c, true, false, NULL) != 0 || remove_all(t, c, NULL) < 0)
		return;
	pins_path(c, t->name, NULL, path);
	rmdir(path);
}

int tool_load(const struct tool *t, const struct loader_config *c, enum loader_outcome *outcome,
	      struct error *e)
{
	_cleanup_close_ int fd = lock(c, e);
	char path[PINS_PATH_BYTES];
	int err = fd < 0 ? fd : make_folder(t, c, e);

	if (err < 0)
		return err;
	pins_path(c, t->name, NULL, path);
	err = install(t, c, outcome, e);
	if (err < 0 && strstr(loader_log(), "parameter mismatch")) {
		/* Maps of another version; most are soon filled again. */
		if (t->precious)
			return error_hint(e, "mptcp-pmctl unload, in each network namespace with "
					     "a policy");
		err = remove_all(t, c, e);
		if (err == 0)
			err = install(t, c, outcome, e);
	}
	if (err < 0)
		forget_maps(t, c);
	return err;
}

int tool_map(const struct tool *t, const struct loader_config *c, const char *name)
{
	char path[PINS_PATH_BYTES];
	int fd;

	pins_path(c, t->name, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static bool has_entry(const struct tool *t, const struct loader_config *c, const char *map)
{
	_cleanup_close_ int fd = tool_map(t, c, map);
	uint8_t key[TOOL_KEY_BYTES];

	return fd >= 0 && bpf_map_get_next_key(fd, NULL, key) == 0;
}

int tool_unload_unused(const struct tool *t, const struct loader_config *c, const char *users,
		       struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[PINS_PATH_BYTES];
	int err;

	pins_path(c, t->name, NULL, path);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	fd = lock(c, e);
	if (fd < 0)
		return fd;
	if (has_entry(t, c, users))
		return 1;
	err = remove_all(t, c, e);
	if (err == 0)
		rmdir(path);
	return err;
}

bool tool_loaded(const struct tool *t, const struct loader_config *c, const char *program)
{
	_cleanup_close_ int fd = tool_map(t, c, program);

	return fd >= 0;
}
