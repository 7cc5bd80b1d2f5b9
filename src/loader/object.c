// SPDX-License-Identifier: GPL-2.0-only
/* Objects on disk; see object.h. */
#include "loader/object.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/bpflog.h"
#include "loader/names.h"
#include "util/cleanup.h"

#define OBJECT_BYTES_MAX (16u << 20)
#define DIRS_MAX	 4

static bool is_path(const char *s)
{
	size_t n = strlen(s), m = strlen(OBJECT_SUFFIX);

	return strchr(s, '/') || (n > m && strcmp(s + n - m, OBJECT_SUFFIX) == 0);
}

/* bpf/ beside the program, as in a build folder; "" if that cannot be told. */
static void beside_program(char *out, size_t size)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	out[0] = '\0';
	if (n <= 0)
		return;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return;
	*slash = '\0';
	if (snprintf(out, size, "%s/bpf", exe) >= (int)size)
		out[0] = '\0';
}

static size_t search_dirs(const struct loader_config *c, char *exe_dir, size_t size,
			  const char *dirs[DIRS_MAX])
{
	const char *env = secure_getenv("MPTCP_PM_BPF_DIR");
	size_t n = 0;

	if (c && c->object_dir) {
		dirs[n++] = c->object_dir;
		return n;
	}
	if (env && env[0])
		dirs[n++] = env;
	beside_program(exe_dir, size);
	if (exe_dir[0])
		dirs[n++] = exe_dir;
	dirs[n++] = PMCTL_LIBDIR "/bpf";
	return n;
}

bool scheduler_name_valid(const char *name)
{
	size_t n = 0;

	for (; name[n]; n++) {
		if (!isalnum((unsigned char)name[n]) && name[n] != '_' && name[n] != '-')
			return false;
	}
	return n > 0 && n < LOADER_NAME_BYTES;
}

/* -ENOENT, and the folders looked in, when it is in none of them. */
static int find_in_dirs(const struct loader_config *c, const char *name, char **path, char *looked,
			size_t looked_size)
{
	char exe_dir[PATH_MAX];
	const char *dirs[DIRS_MAX];
	size_t nr = search_dirs(c, exe_dir, sizeof(exe_dir), dirs);

	looked[0] = '\0';
	for (size_t i = 0; i < nr; i++) {
		_cleanup_free_ char *p = NULL;
		size_t at = strlen(looked);

		if (asprintf(&p, "%s/%s" OBJECT_SUFFIX, dirs[i], name) < 0) {
			p = NULL;
			return -ENOMEM;
		}
		if (access(p, F_OK) == 0) {
			*path = TAKE_PTR(p);
			return 0;
		}
		snprintf(looked + at, looked_size - at, "%s%s", i ? ", " : "", dirs[i]);
	}
	return -ENOENT;
}

int object_find_tool(const struct loader_config *c, const char *name, char **path, struct error *e)
{
	char looked[256];
	int err = find_in_dirs(c, name, path, looked, sizeof(looked));

	if (err == -ENOMEM)
		return error_set(e, err, "out of memory");
	if (err == 0)
		return 0;
	error_set(e, -ENOENT, "there is no %s" OBJECT_SUFFIX " in %s", name, looked);
	return error_hint(e, "build it with make bpf, or name its folder in MPTCP_PM_BPF_DIR");
}

int object_find(const struct loader_config *c, const char *name_or_path, char **path,
		struct error *e)
{
	char looked[256];
	int err;

	if (is_path(name_or_path)) {
		*path = strdup(name_or_path);
		return *path ? 0 : error_set(e, -ENOMEM, "out of memory");
	}
	if (!scheduler_name_valid(name_or_path))
		return error_set(e, -EINVAL,
				 "\"%s\" is not a scheduler name (letters, digits, _ and -, at "
				 "most %d)",
				 name_or_path, LOADER_NAME_BYTES - 1);
	err = find_in_dirs(c, name_or_path, path, looked, sizeof(looked));
	if (err == -ENOMEM)
		return error_set(e, err, "out of memory");
	if (err == 0)
		return 0;
	error_set(e, -ENOENT, "there is no scheduler \"%s\" (no %s" OBJECT_SUFFIX " in %s)",
		  name_or_path, name_or_path, looked);
	return error_hint(e, "build it with make bpf, or name its folder in MPTCP_PM_BPF_DIR");
}

static int read_trusted(const char *path, char **data, size_t *size, struct error *e)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(e, -errno, "cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(e, -EINVAL, "%s is not a regular file", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		error_set(e, -EPERM, "%s can be written by others than its owner", path);
		return error_hint(e, "chmod go-w %s", path);
	}
	if (st.st_size <= 0 || st.st_size > OBJECT_BYTES_MAX)
		return error_set(e, -EINVAL, "%s is not a BPF object", path);
	buf = malloc((size_t)st.st_size);
	if (!buf)
		return error_set(e, -ENOMEM, "out of memory");
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, buf + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_set(e, got ? -errno : -EIO, "cannot read %s", path);
		n += (size_t)got;
	}
	*data = TAKE_PTR(buf);
	*size = n;
	return 0;
}

int object_open(const char *path, struct bpf_object **out, struct error *e)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	_cleanup_free_ char *data = NULL, *name = NULL;
	const char *base = strrchr(path, '/');
	struct bpf_object *obj;
	size_t size = 0;
	int err = read_trusted(path, &data, &size, e);

	if (err < 0)
		return err;
	name = strdup(base ? base + 1 : path);
	if (!name)
		return error_set(e, -ENOMEM, "out of memory");
	/* Map names in the kernel start with this and take no dots. */
	name[strcspn(name, ".")] = '\0';
	opts.object_name = name;
	bpflog_start();
	obj = bpf_object__open_mem(data, size, &opts);
	if (!obj)
		return error_set(e, -EINVAL, "%s is not a BPF object: %s", path, bpflog_summary());
	*out = obj;
	return 0;
}

static const char *ops_type_name(struct bpf_object *obj, const struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t = btf ? btf__type_by_id(btf, bpf_map__btf_value_type_id(map))
				       : NULL;

	return t ? btf__name_by_offset(btf, t->name_off) : "";
}

/* The name member of the ops table, from the object's own BTF. */
static int ops_name(struct bpf_object *obj, const struct bpf_map *map, char name[LOADER_NAME_BYTES])
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *t = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const struct btf_member *m = btf_members(t);
	const char *data;
	size_t size;

	data = bpf_map__initial_value(map, &size);
	for (unsigned int i = 0; data && i < btf_vlen(t); i++) {
		size_t at = btf_member_bit_offset(t, i) / 8;

		if (strcmp(btf__name_by_offset(btf, m[i].name_off), "name") != 0)
			continue;
		if (at + LOADER_NAME_BYTES > size || !memchr(data + at, 0, LOADER_NAME_BYTES))
			return -EINVAL;
		memcpy(name, data + at, LOADER_NAME_BYTES);
		return 0;
	}
	return -EINVAL;
}

struct bpf_map *object_ops_map(struct bpf_object *obj, const char *type)
{
	struct bpf_map *m;

	bpf_object__for_each_map(m, obj)
	{
		if (bpf_map__type(m) == BPF_MAP_TYPE_STRUCT_OPS &&
		    strcmp(ops_type_name(obj, m), type) == 0)
			return m;
	}
	return NULL;
}

int object_scheduler(struct bpf_object *obj, const char *path, struct bpf_map **map,
		     char name[LOADER_NAME_BYTES], struct error *e)
{
	struct bpf_map *m, *found = NULL;

	bpf_object__for_each_map(m, obj)
	{
		if (bpf_map__type(m) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (strcmp(ops_type_name(obj, m), LOADER_OPS_TYPE) != 0)
			return error_set(e, -EINVAL, "%s: struct_ops %s is not a " LOADER_OPS_TYPE,
					 path, bpf_map__name(m));
		if (found)
			return error_set(e, -EINVAL, "%s holds more than one scheduler", path);
		found = m;
	}
	if (!found) {
		error_set(e, -EINVAL, "%s holds no scheduler", path);
		return error_hint(e, "a scheduler is a struct " LOADER_OPS_TYPE
				     " in SEC(\".struct_ops.link\")");
	}
	if (ops_name(obj, found, name) < 0 || !scheduler_name_valid(name))
		return error_set(e, -EINVAL,
				 "%s: the .name of the ops table has to be 1 to %d letters, "
				 "digits, _ or -",
				 path, LOADER_NAME_BYTES - 1);
	*map = found;
	return 0;
}

void object_close(struct bpf_object **obj)
{
	bpf_object__close(*obj);
	*obj = NULL;
}
