// SPDX-License-Identifier: GPL-2.0-only
/* Pinned links; see pins.h. */
#include "loader/pins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "util/cleanup.h"

static const char *bpffs(const struct loader_config *c)
{
	const char *env = secure_getenv("MPTCP_PM_BPFFS");

	if (c && c->bpffs)
		return c->bpffs;
	return env && env[0] ? env : "/sys/fs/bpf";
}

void pins_path(const struct loader_config *c, const char *folder, const char *name,
	       char out[PINS_PATH_BYTES])
{
	snprintf(out, PINS_PATH_BYTES, "%s/mptcp-pm/%s%s%s", bpffs(c), folder, name ? "/" : "",
		 name ? name : "");
}

static int mount_bpffs(const char *at, struct error *e)
{
	struct statfs fs;

	if (statfs(at, &fs) < 0 && errno == ENOENT && mkdir(at, 0700) < 0)
		return error_set(e, -errno, "cannot make %s: %s", at, strerror(errno));
	if (statfs(at, &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", at, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0)
		return 0;
	error_set(e, errno == ENODEV ? -EOPNOTSUPP : -errno, "cannot mount bpffs on %s: %s", at,
		  strerror(errno));
	return error_hint(e, "mount -t bpf bpf %s", at);
}

int pins_make(const struct loader_config *c, struct error *e)
{
	char dir[PINS_PATH_BYTES];
	int err = mount_bpffs(bpffs(c), e);

	if (err < 0)
		return err;
	snprintf(dir, sizeof(dir), "%s/mptcp-pm", bpffs(c));
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", dir, strerror(errno));
	return 0;
}

int pins_lock(const struct loader_config *c, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char dir[PINS_PATH_BYTES];
	int err = pins_make(c, e);

	if (err < 0)
		return err;
	pins_path(c, "sched", NULL, dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", dir, strerror(errno));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(e, -errno, "cannot open %s: %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(e, -EBUSY, "another mptcp-pmctl is changing schedulers");
	return TAKE_FD(fd);
}

int pins_open_path(const char *path, uint32_t *link_id, uint32_t *map_id)
{
	_cleanup_close_ int fd = bpf_obj_get(path);
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	if (fd < 0)
		return -errno;
	if (bpf_link_get_info_by_fd(fd, &info, &len) < 0 || info.type != BPF_LINK_TYPE_STRUCT_OPS)
		return -EINVAL;
	*link_id = info.id;
	*map_id = info.struct_ops.map_id;
	return TAKE_FD(fd);
}

int pins_open(const struct loader_config *c, const char *name, uint32_t *link_id, uint32_t *map_id)
{
	char path[PINS_PATH_BYTES];

	pins_path(c, "sched", name, path);
	return pins_open_path(path, link_id, map_id);
}
