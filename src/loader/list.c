// SPDX-License-Identifier: GPL-2.0-only
/* What is loaded: our pins joined with the module's own list. */
#include "loader/loader.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "loader/object.h"
#include "loader/ops.h"
#include "loader/pins.h"
#include "loader/proc.h"
#include "util/cleanup.h"

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* UNIX time of an instant given in ns since boot. */
static uint64_t since_boot_to_unix(uint64_t ns)
{
	struct timespec now, boot;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (uint64_t)(now.tv_sec - boot.tv_sec) + ns / 1000000000u;
}

/* Who and when, from the scheduler's first program. */
static void fill_origin(struct loader_sched *s)
{
	_cleanup_free_ struct ops *o = malloc(sizeof(*o));
	_cleanup_close_ int map_fd = bpf_map_get_fd_by_id(s->map_id), prog_fd = -1;
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	if (!o || map_fd < 0 || ops_from_kernel(map_fd, o) < 0)
		return;
	prog_fd = bpf_prog_get_fd_by_id(o->first_prog_id);
	if (prog_fd < 0 || bpf_prog_get_info_by_fd(prog_fd, &info, &len) < 0)
		return;
	s->uid = info.created_by_uid;
	s->loaded_at_s = since_boot_to_unix(info.load_time);
}

static struct loader_sched *find_or_add(struct loader_sched **list, size_t *nr, const char *name)
{
	struct loader_sched *grown;

	for (size_t i = 0; i < *nr; i++) {
		if (strcmp((*list)[i].name, name) == 0)
			return &(*list)[i];
	}
	grown = reallocarray(*list, *nr + 1, sizeof(**list));
	if (!grown)
		return NULL;
	*list = grown;
	memset(&grown[*nr], 0, sizeof(*grown));
	snprintf(grown[*nr].name, sizeof(grown->name), "%.*s", LOADER_NAME_BYTES - 1, name);
	return &grown[(*nr)++];
}

static int add_pins(const struct loader_config *c, struct loader_sched **list, size_t *nr,
		    struct error *e)
{
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[PINS_PATH_BYTES];
	struct dirent *d;

	pins_path(c, "sched", NULL, path);
	dir = opendir(path);
	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return error_set(e, -errno, "cannot read %s: %s", path, strerror(errno));
	while ((d = readdir(dir))) {
		_cleanup_close_ int fd = -1;
		struct loader_sched *s;

		if (!scheduler_name_valid(d->d_name))
			continue;
		s = find_or_add(list, nr, d->d_name);
		if (!s)
			return error_set(e, -ENOMEM, "out of memory");
		s->pinned = true;
		fd = pins_open(c, d->d_name, &s->link_id, &s->map_id);
		if (fd >= 0 && s->map_id)
			fill_origin(s);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct loader_sched *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int loader_sched_list(const struct loader_config *c, struct loader_sched **out, size_t *nr,
		      struct error *e)
{
	_cleanup_free_ struct loader_sched *list = NULL;
	size_t n = 0;
	int err = loader_proc_read(&list, &n, e);

	if (err == 0)
		err = add_pins(c, &list, &n, e);
	if (err < 0)
		return err;
	if (n)
		qsort(list, n, sizeof(*list), by_name);
	*out = TAKE_PTR(list);
	*nr = n;
	return 0;
}
