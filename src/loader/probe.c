// SPDX-License-Identifier: GPL-2.0-only
/* What this kernel supports: looked for or tried, never concluded from a version. */
#include "loader/probe.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "loader/bpflog.h"
#include "loader/names.h"
#include "util/cleanup.h"

#define FIX_KERNEL	 "apt install linux-image-amd64"
#define FIX_NEWER_KERNEL "apt install -t bookworm-backports linux-image-amd64"

struct probe {
	const char *root, *release;
	const struct loader_config *c;
	struct btf *btf; /* of vmlinux, NULL if there is none */
};

static void cleanup_btf(struct btf **btf)
{
	btf__free(*btf);
}

static void __attribute__((format(printf, 3, 4)))
seen(struct loader_feature *f, bool present, const char *fmt, ...)
{
	va_list ap;

	f->present = present;
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof(f->detail), fmt, ap);
	va_end(ap);
}

static void fix(struct loader_feature *f, const char *command)
{
	snprintf(f->fix, sizeof(f->fix), "%s", command);
}

static FILE *open_below(const struct probe *p, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", p->root, path) >= (int)sizeof(full))
		return NULL;
	return fopen(full, "re");
}

/* The first line of a file that contains `needle`; NULL if none. */
static char *find_line(const struct probe *p, const char *path, const char *needle)
{
	_cleanup_fclose_ FILE *in = open_below(p, path);
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (in && getline(&line, &size, in) > 0) {
		if (strstr(line, needle))
			return TAKE_PTR(line);
	}
	return NULL;
}

static void probe_mptcp(const struct probe *p, struct loader_feature *f)
{
	_cleanup_fclose_ FILE *in = open_below(p, "/proc/sys/net/mptcp/enabled");
	int c = in ? fgetc(in) : EOF;

	if (!in) {
		seen(f, false, "this kernel has no MPTCP (CONFIG_MPTCP)");
		fix(f, FIX_KERNEL);
	} else if (c == '0') {
		seen(f, false, "net.mptcp.enabled is 0 in this network namespace");
		fix(f, "sysctl -w net.mptcp.enabled=1");
	} else {
		seen(f, true, "enabled");
	}
}

/* Asks the generic netlink controller for the family; 0 or -errno. */
static int find_family(const char *name)
{
	struct {
		struct nlmsghdr n;
		struct genlmsghdr g;
		struct nlattr a;
		char name[GENL_NAMSIZ];
	} req = {
		.n = { .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST },
		.g = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.a = { .nla_type = CTRL_ATTR_FAMILY_NAME },
	};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	union {
		struct nlmsghdr n;
		char bytes[8192];
	} reply;
	ssize_t got;

	req.a.nla_len = (uint16_t)(NLA_HDRLEN + strlen(name) + 1);
	req.n.nlmsg_len = NLMSG_LENGTH(sizeof(req.g)) + NLA_ALIGN(req.a.nla_len);
	snprintf(req.name, sizeof(req.name), "%s", name);
	if (fd < 0 || send(fd, &req, req.n.nlmsg_len, 0) < 0)
		return -errno;
	got = recv(fd, &reply, sizeof(reply), 0);
	if (got < (ssize_t)sizeof(struct nlmsghdr))
		return got < 0 ? -errno : -EPROTO;
	if (reply.n.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&reply.n))->error ?: -EPROTO;
	return 0;
}

static void probe_netlink(const struct probe *p, struct loader_feature *f)
{
	int err = find_family("mptcp_pm");

	(void)p;
	if (err == 0) {
		seen(f, true, "family mptcp_pm");
		return;
	}
	seen(f, false, "no generic netlink family mptcp_pm: %s", strerror(-err));
	fix(f, FIX_KERNEL);
}

static void probe_btf(const struct probe *p, struct loader_feature *f)
{
	if (p->btf) {
		seen(f, true, "/sys/kernel/btf/vmlinux");
		return;
	}
	seen(f, false, "no usable /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)");
	fix(f, FIX_KERNEL);
}

static void probe_cgroup2(const struct probe *p, struct loader_feature *f)
{
	_cleanup_free_ char *line = find_line(p, "/proc/mounts", " cgroup2 ");
	char *save = NULL, *where;

	if (!line) {
		seen(f, false, "cgroup v2 is not mounted");
		fix(f, "mount -t cgroup2 none /sys/fs/cgroup");
		return;
	}
	where = strtok_r(line, " ", &save) ? strtok_r(NULL, " ", &save) : NULL;
	seen(f, true, "mounted at %s", where ? where : "?");
}

static bool has_enumerator(const struct btf *btf, const char *type, const char *name)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	for (unsigned int i = 0; t && i < btf_vlen(t); i++) {
		if (strcmp(btf__name_by_offset(btf, btf_enum(t)[i].name_off), name) == 0)
			return true;
	}
	return false;
}

static void probe_tcx(const struct probe *p, struct loader_feature *f)
{
	if (p->btf && has_enumerator(p->btf, "bpf_attach_type", "BPF_TCX_INGRESS")) {
		seen(f, true, "BPF_TCX_INGRESS");
		return;
	}
	seen(f, false,
	     p->btf ? "this kernel cannot attach BPF programs by tcx"
		    : "cannot be told without BTF");
	fix(f, FIX_NEWER_KERNEL);
}

static void probe_bpffs(const struct probe *p, struct loader_feature *f)
{
	_cleanup_free_ char *mounted = find_line(p, "/proc/mounts", " bpf ");
	_cleanup_free_ char *known = find_line(p, "/proc/filesystems", "\tbpf\n");

	if (mounted || known) {
		seen(f, true, mounted ? "mounted" : "can be mounted");
		return;
	}
	seen(f, false, "this kernel has no bpffs (CONFIG_BPF_SYSCALL)");
	fix(f, FIX_KERNEL);
}

static void probe_struct_ops(const struct probe *p, struct loader_feature *f)
{
	const unsigned int major = libbpf_major_version(), minor = libbpf_minor_version();

	if (major < 1 || (major == 1 && minor < 4)) {
		seen(f, false, "libbpf %u.%u knows no struct_ops in modules", major, minor);
		fix(f, "apt install -t bookworm-backports libbpf1");
	} else if (!p->btf ||
		   btf__find_by_name_kind(p->btf, "__register_bpf_struct_ops", BTF_KIND_FUNC) < 0) {
		seen(f, false,
		     p->btf ? "this kernel takes no struct_ops from modules"
			    : "cannot be told without BTF");
		fix(f, FIX_NEWER_KERNEL);
	} else {
		seen(f, true, "libbpf %u.%u", major, minor);
	}
}

static void probe_module(const struct probe *p, struct loader_feature *f)
{
	_cleanup_free_ char *listed = NULL;
	_cleanup_fclose_ FILE *version = open_below(p, LOADER_MODULE_SYSFS "/refcnt"),
			      *modules = open_below(p, "/proc/modules");
	char dep[PATH_MAX];

	if (version) {
		seen(f, true, LOADER_MODULE " is loaded");
		return;
	}
	if (!modules) {
		seen(f, false, "this kernel has no loadable modules (CONFIG_MODULES)");
		fix(f, FIX_KERNEL);
		return;
	}
	if (p->c && p->c->module_path && access(p->c->module_path, R_OK) == 0) {
		seen(f, true, "%.120s", p->c->module_path);
		return;
	}
	snprintf(dep, sizeof(dep), "/lib/modules/%s/modules.dep", p->release);
	listed = find_line(p, dep, "/" LOADER_MODULE ".ko");
	if (listed) {
		seen(f, true, LOADER_MODULE " is installed");
		return;
	}
	seen(f, false, LOADER_MODULE " is neither loaded nor installed for %.64s", p->release);
	fix(f, "sudo make install-dkms");
}

typedef void (*probe_fn)(const struct probe *p, struct loader_feature *f);

static const struct {
	const char *name;
	int level;
	probe_fn run;
} probes[] = {
	[FEATURE_MPTCP] = { "mptcp", 0, probe_mptcp },
	[FEATURE_NETLINK_PM] = { "netlink-pm", 0, probe_netlink },
	[FEATURE_BTF] = { "btf", 1, probe_btf },
	[FEATURE_CGROUP2] = { "cgroup2", 1, probe_cgroup2 },
	[FEATURE_TCX] = { "tcx", 1, probe_tcx },
	[FEATURE_BPFFS] = { "bpffs", 1, probe_bpffs },
	[FEATURE_STRUCT_OPS] = { "struct-ops", 2, probe_struct_ops },
	[FEATURE_MODULE] = { "module", 2, probe_module },
};
_Static_assert(sizeof(probes) / sizeof(probes[0]) == FEATURE_NR, "a probe for each feature");

int loader_support_level(const struct loader_support *s)
{
	int level = 2;

	for (int i = 0; i < FEATURE_NR; i++) {
		if (!s->features[i].present && s->features[i].level <= level)
			level = s->features[i].level - 1;
	}
	return level;
}

void loader_probe_at(const char *root, const char *release, const struct loader_config *c,
		     struct loader_support *out)
{
	_cleanup_(cleanup_btf) struct btf *btf = NULL;
	char path[PATH_MAX];
	struct probe p = { .root = root, .release = release, .c = c };

	memset(out, 0, sizeof(*out));
	bpflog_start();
	if (snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", root) < (int)sizeof(path) &&
	    access(path, R_OK) == 0)
		btf = btf__parse(path, NULL);
	p.btf = btf;
	for (int i = 0; i < FEATURE_NR; i++) {
		out->features[i].name = probes[i].name;
		out->features[i].level = probes[i].level;
		probes[i].run(&p, &out->features[i]);
	}
	out->level = loader_support_level(out);
}

void loader_probe(const struct loader_config *c, struct loader_support *out)
{
	struct utsname u;

	uname(&u);
	loader_probe_at("", u.release, c, out);
}
