// SPDX-License-Identifier: GPL-2.0-only
/* Programs of initial path selection, attached and pinned; see ips.h. */
#include "loader/ips.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/attach.h"
#include "loader/bpflog.h"
#include "loader/checkpoint.h"
#include "loader/hook.h"
#include "loader/learn.h"
#include "loader/object.h"
#include "loader/pins.h"
#include "util/cleanup.h"

#define NR(a)	   (sizeof(a) / sizeof((a)[0]))
#define NAMESPACES "namespaces"

static const char *const tools[] = { "establish/ips", "establish/learn" };

/* The program's name is that of the pin. */
static const struct {
	size_t tool;
	const char *program;
} programs[] = {
	{ 1, "learn_sockops" },
	{ 0, "ips_connect4" },
	{ 0, "ips_connect6" },
};

static const char *const maps[] = { NAMESPACES, "paths", "addresses", "routes", "learned" };

struct ips {
	const struct loader_config *c;
	struct bpf_object *objects[NR(tools)];
	int cgroup;
	uint64_t cgroup_id;
};

static void cleanup_ips(struct ips *p)
{
	for (size_t i = 0; i < NR(tools); i++)
		object_close(&p->objects[i]);
	if (p->cgroup >= 0)
		close(p->cgroup);
}

static int pinned(const struct loader_config *c, const char *name)
{
	char path[PINS_PATH_BYTES];
	int fd;

	pins_path(c, "establish", name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int pin(const struct loader_config *c, const char *name, int fd, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, "establish", name, path);
	if (bpf_obj_pin(fd, path) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

static int unpin(const struct loader_config *c, const char *name, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, "establish", name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

/* Both objects use the maps that are pinned already; the second those of the first. */
static int share_maps(struct ips *p, size_t tool, struct error *e)
{
	for (size_t i = 0; i < NR(maps); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(p->objects[tool], maps[i]);
		struct bpf_map_info info = { 0 };
		_cleanup_close_ int fd = -1;
		uint32_t size = sizeof(info);

		if (!map)
			continue;
		fd = pinned(p->c, maps[i]);
		if (fd < 0 && tool > 0)
			fd = fcntl(
				bpf_map__fd(bpf_object__find_map_by_name(p->objects[0], maps[i])),
				F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			continue;
		if (bpf_map_get_info_by_fd(fd, &info, &size) < 0 ||
		    info.key_size != bpf_map__key_size(map) ||
		    info.value_size != bpf_map__value_size(map) || bpf_map__reuse_fd(map, fd) < 0) {
			error_set(e, -EINVAL,
				  "the programs of ips that are loaded keep \"%s\" in another form",
				  maps[i]);
			return error_hint(e, "mptcp-pmctl unload, in each network namespace with "
					     "a policy");
		}
	}
	return 0;
}

static int load(struct ips *p, struct error *e)
{
	for (size_t i = 0; i < NR(tools); i++) {
		_cleanup_free_ char *path = NULL;
		int err = object_find_tool(p->c, tools[i], &path, e);

		if (err == 0)
			err = object_open(path, &p->objects[i], e);
		if (err == 0)
			err = share_maps(p, i, e);
		if (err < 0)
			return err;
		bpflog_start();
		err = bpf_object__load(p->objects[i]);
		if (err == 0)
			continue;
		error_set(e, err == -EPERM ? err : -EOPNOTSUPP, "the kernel refused %s: %s",
			  tools[i], bpflog_summary());
		return error_hint(e, "mptcp-pmctl doctor says what this kernel supports");
	}
	return 0;
}

static struct bpf_program *program(const struct ips *p, size_t i)
{
	return bpf_object__find_program_by_name(p->objects[programs[i].tool], programs[i].program);
}

static bool same_program(uint32_t id, int fd)
{
	struct bpf_prog_info infos[2] = { 0 };
	_cleanup_close_ int other = bpf_prog_get_fd_by_id(id);
	uint32_t size = sizeof(infos[0]);

	return other >= 0 && bpf_prog_get_info_by_fd(fd, &infos[0], &size) == 0 &&
	       bpf_prog_get_info_by_fd(other, &infos[1], &size) == 0 &&
	       memcmp(infos[0].tag, infos[1].tag, sizeof(infos[0].tag)) == 0;
}

static int attach(const struct ips *p, size_t i, struct error *e)
{
	_cleanup_(attach_link_close) struct bpf_link *link =
		bpf_program__attach_cgroup(program(p, i), p->cgroup);
	int err;

	if (!link)
		return error_set(e, -errno, "cannot attach %s to the cgroup: %s",
				 programs[i].program, strerror(errno));
	err = unpin(p->c, programs[i].program, e);
	if (err == 0)
		err = pin(p->c, programs[i].program, bpf_link__fd(link), e);
	loader_checkpoint("pinned");
	return err;
}

static int install(const struct ips *p, size_t i, bool dry_run, enum loader_outcome *outcome,
		   struct error *e)
{
	_cleanup_close_ int link = pinned(p->c, programs[i].program);
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);
	int fd = bpf_program__fd(program(p, i));

	/* A link whose cgroup is gone has no program. */
	if (link < 0 || bpf_link_get_info_by_fd(link, &info, &size) < 0 ||
	    info.type != BPF_LINK_TYPE_CGROUP || info.cgroup.cgroup_id != p->cgroup_id) {
		*outcome = LOADER_LOADED;
		return dry_run ? 0 : attach(p, i, e);
	}
	if (same_program(info.prog_id, fd))
		return 0;
	if (*outcome == LOADER_UNCHANGED)
		*outcome = LOADER_SWAPPED;
	if (!dry_run && bpf_link_update(link, fd, NULL) < 0)
		return error_set(e, -errno, "cannot replace %s: %s; the former one still runs",
				 programs[i].program, strerror(errno));
	return 0;
}

static int make_folder(const struct loader_config *c, struct error *e)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, "establish", NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

static int pin_maps(const struct ips *p, struct error *e)
{
	int err = make_folder(p->c, e);

	for (size_t i = 0; err == 0 && i < NR(maps); i++)
		err = pin(p->c, maps[i],
			  bpf_map__fd(bpf_object__find_map_by_name(p->objects[0], maps[i])), e);
	if (err == 0)
		loader_checkpoint("maps");
	return err;
}

int loader_ips_load(const struct loader_config *c, bool dry_run, enum loader_outcome *outcome,
		    struct error *e)
{
	_cleanup_(cleanup_ips) struct ips p = { .c = c, .cgroup = -1 };
	_cleanup_close_ int lock = -1;
	int err;

	*outcome = LOADER_UNCHANGED;
	if (!dry_run) {
		lock = pins_lock(c, e);
		if (lock < 0)
			return lock;
	}
	p.cgroup = hook_cgroup_open("ips", &p.cgroup_id, e);
	err = p.cgroup < 0 ? p.cgroup : load(&p, e);
	if (err == 0 && !dry_run)
		err = pin_maps(&p, e);
	for (size_t i = 0; err == 0 && i < NR(programs); i++)
		err = install(&p, i, dry_run, outcome, e);
	return err;
}

/* Does one take part? Those that no longer exist are removed. */
static bool in_use(const struct loader_config *c, int fd,
		   bool (*alive)(uint64_t inode, uint64_t cookie))
{
	static const struct loader_learn_space none;
	uint64_t cookie, *last = NULL;
	struct mptcp_learn_config config;
	bool used = false;

	while (bpf_map_get_next_key(fd, last, &cookie) == 0) {
		if (bpf_map_lookup_elem(fd, &cookie, &config) == 0 &&
		    !alive(config.netns_inode, cookie) &&
		    loader_learn_write(c, cookie, &none, NULL) == 0) {
			last = NULL;
			used = false;
			continue;
		}
		used = true;
		last = &cookie;
	}
	return used;
}

int loader_ips_unload_unused(const struct loader_config *c,
			     bool (*alive)(uint64_t inode, uint64_t cookie), struct error *e)
{
	_cleanup_close_ int lock = -1, fd = pinned(c, NAMESPACES);
	char path[PINS_PATH_BYTES];
	int err = 0;

	pins_path(c, "establish", NULL, path);
	if (access(path, F_OK) < 0)
		return 0;
	if (fd < 0 && fd != -ENOENT)
		return error_set(e, fd, "cannot open the tables of ips: %s", strerror(-fd));
	lock = pins_lock(c, e);
	if (lock < 0)
		return lock;
	if (fd >= 0 && in_use(c, fd, alive))
		return 0;
	for (size_t i = NR(programs); err == 0 && i-- > 0;)
		err = unpin(c, programs[i].program, e);
	for (size_t i = NR(maps); err == 0 && i-- > 0;)
		err = unpin(c, maps[i], e);
	/* Others may keep pins of their own in it. */
	if (err == 0)
		rmdir(path);
	return err;
}
