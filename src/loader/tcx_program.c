// SPDX-License-Identifier: GPL-2.0-only
/* Loading, pinning and attaching a tcx program; see tcx_program.h. */
#include "loader/tcx_program.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "loader/attach.h"
#include "loader/checkpoint.h"
#include "loader/object.h"
#include "util/cleanup.h"

static int open_object(struct tcx_program *p, struct error *e)
{
	_cleanup_free_ char *path = NULL;
	int err = object_find_tool(p->pins.c, p->object, &path, e);

	if (err == 0)
		err = object_open(path, &p->obj, e);
	if (err < 0)
		return err;
	p->program = bpf_object__find_program_by_name(p->obj, p->name);
	for (size_t i = 0; i < p->nr_maps; i++)
		if (!bpf_object__find_map_by_name(p->obj, p->maps[i]))
			p->program = NULL;
	return p->program ? 0 : error_set(e, -EINVAL, "%s holds no program %s", path, p->name);
}

/* Takes over the maps there are, all of them or none: what they hold is counted on. */
static void reuse_maps(struct tcx_program *p)
{
	int fds[TCX_MAPS_MAX];
	bool all = true;

	for (size_t i = 0; i < p->nr_maps; i++) {
		fds[i] = tcx_pins_map(&p->pins, p->maps[i]);
		all &= fds[i] >= 0;
	}
	for (size_t i = 0; all && i < p->nr_maps; i++)
		all &= bpf_map__reuse_fd(bpf_object__find_map_by_name(p->obj, p->maps[i]),
					 fds[i]) == 0;
	for (size_t i = 0; i < p->nr_maps; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	p->fresh = !all;
}

int tcx_program_load(struct tcx_program *p, struct error *e)
{
	struct attach a = { .c = p->pins.c, .kind = "program", .name = p->name };
	int err = open_object(p, e);

	if (err < 0)
		return err;
	reuse_maps(p);
	a.obj = p->obj;
	err = attach_load(&a, e);
	if (err < 0 && !p->fresh && err != -EPERM) {
		/* Of another version, perhaps, with maps of another shape. */
		object_close(&p->obj);
		err = open_object(p, e);
		p->fresh = true;
		a.obj = p->obj;
		if (err == 0)
			err = attach_load(&a, e);
	}
	return err;
}

void tcx_program_close(struct tcx_program *p)
{
	object_close(&p->obj);
}

int tcx_program_map(const struct tcx_program *p, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(p->obj, name));
}

int tcx_program_pin(const struct tcx_program *p, struct error *e)
{
	int err;

	if (p->fresh)
		tcx_pins_remove(&p->pins);
	err = tcx_pins_make(&p->pins, e);
	for (size_t i = 0; err == 0 && p->fresh && i < p->nr_maps; i++)
		err = tcx_pins_add(&p->pins, p->maps[i], tcx_program_map(p, p->maps[i]), e);
	return err;
}

static bool same_tag(int fd, const unsigned char tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return fd >= 0 && bpf_prog_get_info_by_fd(fd, &info, &len) == 0 &&
	       memcmp(info.tag, tag, BPF_TAG_SIZE) == 0;
}

bool tcx_program_is_running(const struct tcx_program *p, uint32_t prog_id)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(prog_id);
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(p->program), &info, &len) == 0 &&
	       same_tag(fd, info.tag);
}

int tcx_program_attach(const struct tcx_program *p, uint32_t ifindex, struct error *e)
{
	/* First, because a program before it could let a packet pass for good. */
	LIBBPF_OPTS(bpf_tcx_opts, opts, .flags = BPF_F_BEFORE);
	_cleanup_(attach_link_close) struct bpf_link *link = NULL;
	struct tcx_link pinned;
	_cleanup_close_ int fd = tcx_pins_link(&p->pins, ifindex, &pinned);
	int err;

	if (fd >= 0 && pinned.ifindex == ifindex) {
		if (tcx_program_is_running(p, pinned.prog_id) ||
		    bpf_link_update(fd, bpf_program__fd(p->program), NULL) == 0)
			return 0;
		return error_set(e, -errno, "cannot replace the %s program of interface %u: %s",
				 p->pins.tool, ifindex, strerror(errno));
	}
	/* One that was detached by hand, or whose interface is gone while its number came back. */
	tcx_pins_remove_link(&p->pins, ifindex);
	link = bpf_program__attach_tcx(p->program, (int)ifindex, &opts);
	if (!link)
		return error_set(e, -errno, "cannot attach the %s program to interface %u: %s",
				 p->pins.tool, ifindex, strerror(errno));
	loader_checkpoint("attached");
	err = tcx_pins_add(&p->pins, tcx_pins_link_name(ifindex).text, bpf_link__fd(link), e);
	if (err == 0)
		loader_checkpoint("pinned");
	return err;
}
