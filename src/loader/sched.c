// SPDX-License-Identifier: GPL-2.0-only
/* Schedulers loaded, swapped, unloaded. Every change of state is one system call on the pin. */
#include "loader/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "loader/attach.h"
#include "loader/bpflog.h"
#include "loader/checkpoint.h"
#include "loader/names.h"
#include "loader/knobs.h"
#include "loader/object.h"
#include "loader/ops.h"
#include "loader/pins.h"
#include "loader/proc.h"
#include "util/cleanup.h"

static int taken(const char *name, struct error *e)
{
	error_set(e, -EEXIST, "a scheduler \"%s\" that is not ours is loaded already", name);
	return error_hint(e, "mptcp-pmctl sched unload %s --force", name);
}

static int attach_new(struct attach *j, struct error *e)
{
	_cleanup_(attach_link_close) struct bpf_link *link = NULL;
	char path[PINS_PATH_BYTES];

	bpflog_start();
	link = bpf_map__attach_struct_ops(j->map);
	if (!link && errno == EEXIST)
		return taken(j->name, e);
	if (!link)
		return error_set(e, -errno, "cannot attach scheduler %s: %s", j->name,
				 strerror(errno));
	loader_checkpoint("attached");
	pins_path(j->c, "sched", j->name, path);
	if (bpf_obj_pin(bpf_link__fd(link), path) < 0)
		return error_set(e, -errno, "cannot pin scheduler %s at %s: %s", j->name, path,
				 strerror(errno));
	loader_checkpoint("pinned");
	return 0;
}

/* A pin whose scheduler the module has let go of is only a name in the way. */
static int remove_dead_pin(const struct attach *j, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(j->c, "sched", j->name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

static int install_new(struct attach *j, bool dry_run, enum loader_outcome *outcome,
		       struct error *e)
{
	*outcome = LOADER_LOADED;
	if (loader_proc_has(j->name))
		return taken(j->name, e);
	return dry_run ? 0 : attach_new(j, e);
}

static int install(struct attach *j, bool dry_run, enum loader_outcome *outcome, struct error *e)
{
	_cleanup_close_ int link_fd = -1, old_map_fd = -1;
	uint32_t link_id, map_id = 0;
	int err;

	link_fd = pins_open(j->c, j->name, &link_id, &map_id);
	if (link_fd < 0 && link_fd != -ENOENT)
		return error_set(e, link_fd, "cannot read the pin of scheduler %s: %s", j->name,
				 strerror(-link_fd));
	if (link_fd == -ENOENT)
		return install_new(j, dry_run, outcome, e);
	old_map_fd = map_id ? bpf_map_get_fd_by_id(map_id) : -1;
	if (old_map_fd < 0) {
		err = dry_run ? 0 : remove_dead_pin(j, e);
		return err < 0 ? err : install_new(j, dry_run, outcome, e);
	}
	if (attach_is_running(j, old_map_fd)) {
		*outcome = LOADER_UNCHANGED;
		return 0;
	}
	*outcome = LOADER_SWAPPED;
	return dry_run ? 0 : attach_swap(j, link_fd, old_map_fd, e);
}

int loader_sched_load(const struct loader_config *c, const char *name_or_path,
		      const struct loader_knob *knobs, size_t nr_knobs, bool dry_run,
		      char name[LOADER_NAME_BYTES], enum loader_outcome *outcome, struct error *e)
{
	_cleanup_(object_close) struct bpf_object *obj = NULL;
	_cleanup_close_ int lock = -1;
	_cleanup_free_ char *path = NULL;
	struct attach j = { .c = c, .kind = "scheduler", .name = name };
	int err;

	err = object_find(c, name_or_path, &path, e);
	if (err == 0)
		err = object_open(path, &obj, e);
	if (err == 0)
		err = object_scheduler(obj, path, &j.map, name, e);
	if (err == 0)
		err = knobs_set(obj, name, knobs, nr_knobs, e);
	if (err < 0)
		return err;
	loader_checkpoint("opened");
	if (dry_run && !loader_module_loaded()) {
		*outcome = LOADER_LOADED;
		return 0;
	}
	err = dry_run ? 0 : loader_module_ensure(c, e);
	if (err < 0)
		return err;
	if (!dry_run) {
		lock = pins_lock(c, e);
		if (lock < 0)
			return lock;
	}
	j.obj = obj;
	err = attach_load(&j, e);
	if (err < 0)
		return err;
	loader_checkpoint("loaded");
	return install(&j, dry_run, outcome, e);
}

/* Detaches every struct_ops link whose ops table has this name: how a scheduler made by someone
 * else is removed. Returns the number detached. */
static int detach_foreign(const char *name, struct error *e)
{
	_cleanup_free_ struct ops *o = malloc(sizeof(*o));
	int detached = 0;
	uint32_t id = 0;

	if (!o)
		return error_set(e, -ENOMEM, "out of memory");
	while (bpf_link_get_next_id(id, &id) == 0) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id), map_fd = -1;
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof(info);

		if (fd < 0 || bpf_link_get_info_by_fd(fd, &info, &len) < 0 ||
		    info.type != BPF_LINK_TYPE_STRUCT_OPS || !info.struct_ops.map_id)
			continue;
		map_fd = bpf_map_get_fd_by_id(info.struct_ops.map_id);
		if (map_fd < 0 || ops_from_kernel(map_fd, o) < 0 || strcmp(o->name, name) != 0 ||
		    strcmp(o->type, LOADER_OPS_TYPE) != 0)
			continue;
		if (bpf_link_detach(fd) < 0)
			return error_set(e, -errno,
					 "scheduler %s cannot be removed even by force: %s", name,
					 strerror(errno));
		detached++;
	}
	return detached;
}

static int unload_foreign(const char *name, bool force, struct error *e)
{
	int n;

	if (!force) {
		error_set(e, -EPERM, "scheduler %s was loaded by someone else", name);
		return error_hint(e, "mptcp-pmctl sched unload %s --force", name);
	}
	n = detach_foreign(name, e);
	if (n < 0)
		return n;
	if (n == 0 || loader_proc_has(name))
		return error_set(e, -EBUSY,
				 "scheduler %s cannot be removed even by force: whoever loaded it "
				 "still holds it",
				 name);
	return 0;
}

int loader_sched_unload(const struct loader_config *c, const char *name, bool force,
			struct error *e)
{
	_cleanup_close_ int lock = -1;
	char path[PINS_PATH_BYTES];

	if (!scheduler_name_valid(name))
		return error_set(e, -EINVAL, "\"%s\" is not a scheduler name", name);
	pins_path(c, "sched", name, path);
	if (access(path, F_OK) < 0) {
		if (errno == EACCES)
			return error_set(e, -EACCES, "not allowed to look at %s", path);
		if (loader_proc_has(name))
			return unload_foreign(name, force, e);
		error_set(e, -ENOENT, "scheduler %s is not loaded", name);
		return error_hint(e, "mptcp-pmctl sched list");
	}
	lock = pins_lock(c, e);
	if (lock < 0)
		return lock;
	if (unlink(path) < 0)
		return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
	loader_checkpoint("unpinned");
	return 0;
}
