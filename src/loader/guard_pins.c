// SPDX-License-Identifier: GPL-2.0-only
/* Pins of the guard; see guard_pins.h. */
#include "loader/guard_pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "loader/guard.h"
#include "loader/pins.h"
#include "util/cleanup.h"

#define LINK_PREFIX "link-"

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The folder of a namespace (0: that of all), or what is in it. */
static void path_of(const struct loader_config *c, uint64_t netns, const char *name,
		    char out[PINS_PATH_BYTES])
{
	char folder[32] = "";

	if (netns)
		snprintf(folder, sizeof(folder), "/%" PRIu64, netns);
	snprintf(out, PINS_PATH_BYTES, "%s/mptcp-pm/guard%s%s%s",
		 c && c->bpffs ? c->bpffs : "/sys/fs/bpf", folder, name ? "/" : "",
		 name ? name : "");
}

struct guard_pins_name guard_pins_link_name(uint32_t ifindex)
{
	struct guard_pins_name n;

	snprintf(n.text, sizeof(n.text), LINK_PREFIX "%" PRIu32, ifindex);
	return n;
}

static int make_folder(const struct loader_config *c, uint64_t netns, struct error *e)
{
	char path[PINS_PATH_BYTES];

	path_of(c, netns, NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

int guard_pins_lock(const struct loader_config *c, bool make, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[PINS_PATH_BYTES];
	int err = make ? pins_make(c, e) : 0;

	if (err == 0 && make)
		err = make_folder(c, 0, e);
	if (err < 0)
		return err;
	path_of(c, 0, NULL, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_set(e, -errno, "cannot lock %s: %s", path, strerror(errno));
	return TAKE_FD(fd);
}

int guard_pins_make(const struct loader_config *c, uint64_t netns, struct error *e)
{
	return make_folder(c, netns, e);
}

int guard_pins_add(const struct loader_config *c, uint64_t netns, const char *name, int fd,
		   struct error *e)
{
	char path[PINS_PATH_BYTES];

	path_of(c, netns, name, path);
	if (bpf_obj_pin(fd, path) < 0)
		return error_set(e, -errno, "cannot pin the guard at %s: %s", path,
				 strerror(errno));
	return 0;
}

static int open_link(const struct loader_config *c, uint64_t netns, const char *name,
		     struct guard_link *out)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[PINS_PATH_BYTES];

	path_of(c, netns, name, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_link_get_info_by_fd(fd, &info, &len) < 0 || info.type != BPF_LINK_TYPE_TCX)
		return -EINVAL;
	out->ifindex = info.tcx.ifindex;
	out->prog_id = info.prog_id;
	return TAKE_FD(fd);
}

int guard_pins_link(const struct loader_config *c, uint64_t netns, uint32_t ifindex,
		    struct guard_link *out)
{
	return open_link(c, netns, guard_pins_link_name(ifindex).text, out);
}

void guard_pins_remove_link(const struct loader_config *c, uint64_t netns, uint32_t ifindex)
{
	char path[PINS_PATH_BYTES];

	path_of(c, netns, guard_pins_link_name(ifindex).text, path);
	unlink(path);
}

/* Calls `each` for every name in the folder of a namespace, those of links only if asked. */
static void walk(const struct loader_config *c, uint64_t netns, bool links,
		 void (*each)(const struct loader_config *c, uint64_t netns, const char *name,
			      void *data),
		 void *data)
{
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[PINS_PATH_BYTES];
	const struct dirent *entry;

	path_of(c, netns, NULL, path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		bool is_link = strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0;

		if (entry->d_name[0] != '.' && (is_link || !links))
			each(c, netns, entry->d_name, data);
	}
}

static void remove_one(const struct loader_config *c, uint64_t netns, const char *name, void *data)
{
	char path[PINS_PATH_BYTES];

	(void)data;
	path_of(c, netns, name, path);
	unlink(path);
}

void guard_pins_remove(const struct loader_config *c, uint64_t netns)
{
	char path[PINS_PATH_BYTES];

	walk(c, netns, true, remove_one, NULL);
	walk(c, netns, false, remove_one, NULL);
	path_of(c, netns, NULL, path);
	rmdir(path);
}

static void count_attached(const struct loader_config *c, uint64_t netns, const char *name,
			   void *data)
{
	struct guard_link link = { 0 };
	_cleanup_close_ int fd = open_link(c, netns, name, &link);

	/* One that cannot be looked at may well be attached. */
	*(size_t *)data += fd < 0 || link.ifindex;
}

static void sweep_one(const struct loader_config *c, uint64_t all, const char *name, void *data)
{
	uint64_t netns = strtoull(name, NULL, 10);
	size_t attached = 0;

	(void)all;
	if (!netns || netns == *(uint64_t *)data)
		return;
	walk(c, netns, true, count_attached, &attached);
	if (!attached)
		guard_pins_remove(c, netns);
}

void guard_pins_sweep(const struct loader_config *c, uint64_t netns)
{
	walk(c, 0, false, sweep_one, &netns);
}

int loader_guard_map(const struct loader_config *c, uint64_t netns, const char *name)
{
	char path[PINS_PATH_BYTES];
	int fd;

	path_of(c, netns, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}
