// SPDX-License-Identifier: GPL-2.0-only
/* Pins of SYN rescue; see rescue_pins.h. */
#include "loader/rescue_pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/cleanup.h"

#define NAME_BYTES 64

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

void rescue_pin_path(const struct loader_config *c, uint64_t cookie, const char *name,
		     char out[PINS_PATH_BYTES])
{
	char below[NAME_BYTES];

	snprintf(below, sizeof(below), "%" PRIx64 "%s%s", cookie, name ? "/" : "",
		 name ? name : "");
	pins_path(c, "rescue", below, out);
}

int rescue_pin_open(const struct loader_config *c, uint64_t cookie, const char *name)
{
	char path[PINS_PATH_BYTES];
	int fd;

	rescue_pin_path(c, cookie, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int rescue_pin_make(const struct loader_config *c, uint64_t cookie, const char *name, int fd,
		    struct error *e)
{
	char path[PINS_PATH_BYTES];

	rescue_pin_path(c, cookie, name, path);
	if (bpf_obj_pin(fd, path) < 0)
		return error_set(e, -errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

int rescue_pin_remove(const struct loader_config *c, uint64_t cookie, const char *name,
		      struct error *e)
{
	char path[PINS_PATH_BYTES];

	rescue_pin_path(c, cookie, name, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

int rescue_pin_lock(const struct loader_config *c, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[PINS_PATH_BYTES];
	int err = pins_make(c, e);

	if (err < 0)
		return err;
	pins_path(c, "rescue", NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_set(e, -errno, "cannot lock %s: %s", path, strerror(errno));
	return TAKE_FD(fd);
}

int rescue_pin_folder_make(const struct loader_config *c, uint64_t cookie, struct error *e)
{
	char path[PINS_PATH_BYTES];

	rescue_pin_path(c, cookie, NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

/* The links first: programs without their maps' names are harmless, the reverse is not. */
int rescue_pin_folder_remove(const struct loader_config *c, uint64_t cookie, struct error *e)
{
	static const char *const maps[] = { "settings", "flows", "counts", "lost_data" };
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[PINS_PATH_BYTES];
	struct dirent *d;
	int err = 0;

	rescue_pin_path(c, cookie, NULL, path);
	dir = opendir(path);
	while (dir && err == 0 && (d = readdir(dir))) {
		bool map = d->d_name[0] == '.';

		for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
			map = map || strcmp(d->d_name, maps[i]) == 0;
		if (!map)
			err = rescue_pin_remove(c, cookie, d->d_name, e);
	}
	for (size_t i = 0; err == 0 && i < sizeof(maps) / sizeof(maps[0]); i++)
		err = rescue_pin_remove(c, cookie, maps[i], e);
	if (err == 0 && rmdir(path) < 0 && errno != ENOENT)
		return error_set(e, -errno, "cannot remove %s: %s", path, strerror(errno));
	return err;
}

void rescue_pin_each_folder(const struct loader_config *c,
			    void (*each)(uint64_t cookie, void *data), void *data)
{
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[PINS_PATH_BYTES];
	struct dirent *d;

	pins_path(c, "rescue", NULL, path);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		uint64_t cookie;

		if (sscanf(d->d_name, "%" SCNx64, &cookie) == 1)
			each(cookie, data);
	}
}

void rescue_pin_each_hook(const struct loader_config *c, uint64_t cookie,
			  void (*each)(const char *name, uint32_t ifindex, void *data), void *data)
{
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[PINS_PATH_BYTES];
	struct dirent *d;

	rescue_pin_path(c, cookie, NULL, path);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		uint32_t ifindex;

		if (sscanf(d->d_name, "out-%" SCNu32, &ifindex) == 1 ||
		    sscanf(d->d_name, "in-%" SCNu32, &ifindex) == 1)
			each(d->d_name, ifindex, data);
	}
}

bool rescue_pin_leads_nowhere(int link_fd)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_link_get_info_by_fd(link_fd, &info, &len) == 0 &&
	       info.type == BPF_LINK_TYPE_TCX && info.tcx.ifindex == 0;
}

struct census {
	const struct loader_config *c;
	uint64_t here, cookie;
	size_t live, dead;
};

static void count_hook(const char *name, uint32_t ifindex, void *data)
{
	struct census *n = data;
	_cleanup_close_ int fd = rescue_pin_open(n->c, n->cookie, name);

	(void)ifindex;
	if (fd >= 0 && rescue_pin_leads_nowhere(fd))
		n->dead++;
	else
		n->live++;
}

static void tidy_folder(uint64_t cookie, void *data)
{
	struct census *n = data;

	n->cookie = cookie;
	n->live = n->dead = 0;
	rescue_pin_each_hook(n->c, cookie, count_hook, n);
	if (cookie != n->here && n->dead && !n->live)
		rescue_pin_folder_remove(n->c, cookie, NULL);
}

void rescue_pin_tidy(const struct loader_config *c, uint64_t here)
{
	struct census n = { .c = c, .here = here };

	rescue_pin_each_folder(c, tidy_folder, &n);
}
