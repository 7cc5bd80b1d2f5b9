// SPDX-License-Identifier: GPL-2.0-only
/* Pins of a tcx program, by network namespace and interface; see tcx_pins.h. */
#include "loader/tcx_pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "loader/pins.h"
#include "util/cleanup.h"

#define LINK_PREFIX "link-"
/* "COOKIE/NAME", where NAME may be any that a folder has. */
#define NAME_BYTES 288

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* The folder of a namespace (0: that of all), or what is in it. */
static void path_of(const struct tcx_pins *p, const char *name, char out[PINS_PATH_BYTES])
{
	char inside[NAME_BYTES];

	if (p->netns)
		snprintf(inside, sizeof(inside), "%" PRIu64 "%s%s", p->netns, name ? "/" : "",
			 name ? name : "");
	pins_path(p->c, p->tool, p->netns ? inside : name, out);
}

struct tcx_pins_name tcx_pins_link_name(uint32_t ifindex)
{
	struct tcx_pins_name n;

	snprintf(n.text, sizeof(n.text), LINK_PREFIX "%" PRIu32, ifindex);
	return n;
}

static int make_folder(const struct tcx_pins *p, struct error *e)
{
	char path[PINS_PATH_BYTES];

	path_of(p, NULL, path);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(e, -errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

int tcx_pins_lock(const struct tcx_pins *p, bool make, struct error *e)
{
	const struct tcx_pins all = { p->c, p->tool, 0 };
	_cleanup_close_ int fd = -1;
	char path[PINS_PATH_BYTES];
	int err = make ? pins_make(p->c, e) : 0;

	if (err == 0 && make)
		err = make_folder(&all, e);
	if (err < 0)
		return err;
	path_of(&all, NULL, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !make)
		return -ENOENT;
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return error_set(e, -errno, "cannot lock %s: %s", path, strerror(errno));
	return TAKE_FD(fd);
}

int tcx_pins_make(const struct tcx_pins *p, struct error *e)
{
	return make_folder(p, e);
}

int tcx_pins_add(const struct tcx_pins *p, const char *name, int fd, struct error *e)
{
	char path[PINS_PATH_BYTES];

	path_of(p, name, path);
	if (bpf_obj_pin(fd, path) < 0)
		return error_set(e, -errno, "cannot pin the %s program at %s: %s", p->tool, path,
				 strerror(errno));
	return 0;
}

static int open_link(const struct tcx_pins *p, const char *name, struct tcx_link *out)
{
	struct bpf_link_info info = { 0 };
	uint32_t len = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[PINS_PATH_BYTES];

	path_of(p, name, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	if (bpf_link_get_info_by_fd(fd, &info, &len) < 0 || info.type != BPF_LINK_TYPE_TCX)
		return -EINVAL;
	out->ifindex = info.tcx.ifindex;
	out->prog_id = info.prog_id;
	return TAKE_FD(fd);
}

int tcx_pins_link(const struct tcx_pins *p, uint32_t ifindex, struct tcx_link *out)
{
	return open_link(p, tcx_pins_link_name(ifindex).text, out);
}

void tcx_pins_remove_link(const struct tcx_pins *p, uint32_t ifindex)
{
	char path[PINS_PATH_BYTES];

	path_of(p, tcx_pins_link_name(ifindex).text, path);
	unlink(path);
}

/* Calls `each` for every name in the folder of a namespace, those of links only if asked. */
static void walk(const struct tcx_pins *p, bool links,
		 void (*each)(const struct tcx_pins *p, const char *name, void *data), void *data)
{
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[PINS_PATH_BYTES];
	const struct dirent *entry;

	path_of(p, NULL, path);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		bool is_link = strncmp(entry->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0;

		if (entry->d_name[0] != '.' && (is_link || !links))
			each(p, entry->d_name, data);
	}
}

static void remove_one(const struct tcx_pins *p, const char *name, void *data)
{
	char path[PINS_PATH_BYTES];

	(void)data;
	path_of(p, name, path);
	unlink(path);
}

void tcx_pins_remove(const struct tcx_pins *p)
{
	char path[PINS_PATH_BYTES];

	walk(p, true, remove_one, NULL);
	walk(p, false, remove_one, NULL);
	path_of(p, NULL, path);
	rmdir(path);
}

static void count_attached(const struct tcx_pins *p, const char *name, void *data)
{
	struct tcx_link link = { 0 };
	_cleanup_close_ int fd = open_link(p, name, &link);

	/* One that cannot be looked at may well be attached. */
	*(size_t *)data += fd < 0 || link.ifindex;
}

static void sweep_one(const struct tcx_pins *all, const char *name, void *data)
{
	const struct tcx_pins one = { all->c, all->tool, strtoull(name, NULL, 10) };
	size_t attached = 0;

	if (!one.netns || one.netns == *(const uint64_t *)data)
		return;
	walk(&one, true, count_attached, &attached);
	if (!attached)
		tcx_pins_remove(&one);
}

void tcx_pins_sweep(const struct tcx_pins *p)
{
	const struct tcx_pins all = { p->c, p->tool, 0 };
	uint64_t netns = p->netns;

	walk(&all, false, sweep_one, &netns);
}

int tcx_pins_map(const struct tcx_pins *p, const char *name)
{
	char path[PINS_PATH_BYTES];
	int fd;

	path_of(p, name, path);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}
