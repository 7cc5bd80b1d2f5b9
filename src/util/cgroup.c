// SPDX-License-Identifier: GPL-2.0-only
/* Cgroups by path and by number; see cgroup.h. The number is the file handle of the folder. */
#include "util/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define HANDLE_TYPE_KERNFS 0xfe /* FILEID_KERNFS, include/linux/exportfs.h */

union handle {
	struct file_handle h;
	char bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
};

static void close_mounts(FILE **f)
{
	if (*f)
		endmntent(*f);
}

static int mount_point(char *out, size_t size)
{
	_cleanup_(close_mounts) FILE *f = setmntent("/proc/self/mounts", "re");
	const struct mntent *m;

	while (f && (m = getmntent(f))) {
		if (strcmp(m->mnt_type, "cgroup2") != 0)
			continue;
		if (snprintf(out, size, "%s", m->mnt_dir) >= (int)size)
			return -ENAMETOOLONG;
		return 0;
	}
	return -EOPNOTSUPP;
}

static uint32_t depth(const char *path)
{
	uint32_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

/* *path loses the mount point. */
static int full_path(const char **path, char full[PATH_MAX])
{
	char root[PATH_MAX];
	int err = mount_point(root, sizeof(root));
	size_t n;

	if (err < 0)
		return err;
	n = strlen(root);
	if (strncmp(*path, root, n) == 0 && ((*path)[n] == '/' || (*path)[n] == '\0'))
		*path += n;
	return snprintf(full, PATH_MAX, "%s%s", root, *path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int cgroup_open(const char *path)
{
	char full[PATH_MAX];
	int fd = full_path(&path, full);

	if (fd < 0)
		return fd;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOTDIR ? -ENOENT : -errno;
}

int cgroup_find(const char *path, uint64_t *id, uint32_t *level)
{
	union handle h = { .h.handle_bytes = sizeof(uint64_t) };
	char full[PATH_MAX];
	int err = full_path(&path, full), mount_id;

	if (err < 0)
		return err;
	if (name_to_handle_at(AT_FDCWD, full, &h.h, &mount_id, 0) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	memcpy(id, h.h.f_handle, sizeof(*id));
	*level = depth(path);
	return 0;
}

int cgroup_path(uint64_t id, char *out, size_t size)
{
	char root[PATH_MAX], full[PATH_MAX], link[64];
	union handle h = { .h.handle_bytes = sizeof(uint64_t),
			   .h.handle_type = HANDLE_TYPE_KERNFS };
	_cleanup_close_ int at = -1, fd = -1;
	int err = mount_point(root, sizeof(root));
	size_t skip;
	ssize_t n;

	if (err < 0)
		return err;
	memcpy(h.h.f_handle, &id, sizeof(id));
	at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = at < 0 ? -1 : open_by_handle_at(at, &h.h, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, full, sizeof(full) - 1);
	if (n < 0)
		return -errno;
	full[n] = '\0';
	skip = strncmp(full, root, strlen(root)) == 0 ? strlen(root) : 0;
	if (snprintf(out, size, "%s", full[skip] ? full + skip : "/") >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}
