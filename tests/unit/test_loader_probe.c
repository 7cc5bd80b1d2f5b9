// SPDX-License-Identifier: GPL-2.0-only
/* Probing below made-up roots. What no root can fake (netlink) is the running kernel's. */
#include "loader/probe.h"

#include <CUnit/Basic.h>
#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

static char root[] = "/tmp/pmctl-probe-XXXXXX";

static void put(const char *path, const void *text, size_t size)
{
	char full[256];
	FILE *out;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	out = fopen(full, "w");
	if (!out)
		return;
	fwrite(text, 1, size, out);
	fclose(out);
}

static void put_text(const char *path, const char *text)
{
	put(path, text, strlen(text));
}

/* A BTF with what is asked for. */
static void put_btf(bool tcx, bool struct_ops)
{
	struct btf *btf = btf__new_empty();
	const void *raw;
	uint32_t size;
	int proto;

	btf__add_enum(btf, "bpf_attach_type", 4);
	btf__add_enum_value(btf, "BPF_CGROUP_INET_INGRESS", 0);
	if (tcx)
		btf__add_enum_value(btf, "BPF_TCX_INGRESS", 46);
	proto = btf__add_func_proto(btf, 0);
	if (struct_ops)
		btf__add_func(btf, "__register_bpf_struct_ops", BTF_FUNC_GLOBAL, proto);
	raw = btf__raw_data(btf, &size);
	put("/sys/kernel/btf/vmlinux", raw, size);
	btf__free(btf);
}

static const struct loader_feature *probe(enum loader_feature_id id, struct loader_support *s)
{
	loader_probe_at(root, "9.9-test", NULL, s);
	return &s->features[id];
}

static void test_nothing(void)
{
	struct loader_support s;

	loader_probe_at(root, "9.9-test", NULL, &s);
	CU_ASSERT_EQUAL(s.level, -1);
	for (int i = 0; i < FEATURE_NR; i++) {
		if (i == FEATURE_NETLINK_PM)
			continue;
		CU_ASSERT_FALSE(s.features[i].present);
		CU_ASSERT_NOT_EQUAL(s.features[i].detail[0], '\0');
		CU_ASSERT_NOT_EQUAL(s.features[i].fix[0], '\0');
	}
}

static void test_mptcp(void)
{
	struct loader_support s;
	const struct loader_feature *f;

	put_text("/proc/sys/net/mptcp/enabled", "0\n");
	f = probe(FEATURE_MPTCP, &s);
	CU_ASSERT_FALSE(f->present);
	CU_ASSERT_STRING_EQUAL(f->fix, "sysctl -w net.mptcp.enabled=1");
	put_text("/proc/sys/net/mptcp/enabled", "1\n");
	f = probe(FEATURE_MPTCP, &s);
	CU_ASSERT_TRUE(f->present);
	CU_ASSERT_STRING_EQUAL(f->fix, "");
}

static void test_btf(void)
{
	struct loader_support s;

	put_text("/sys/kernel/btf/vmlinux", "garbage");
	CU_ASSERT_FALSE(probe(FEATURE_BTF, &s)->present);
	put_btf(false, false);
	CU_ASSERT_TRUE(probe(FEATURE_BTF, &s)->present);
	CU_ASSERT_FALSE(s.features[FEATURE_TCX].present);
	CU_ASSERT_FALSE(s.features[FEATURE_STRUCT_OPS].present);
	put_btf(true, false);
	CU_ASSERT_TRUE(probe(FEATURE_TCX, &s)->present);
	put_btf(true, true);
	CU_ASSERT_TRUE(probe(FEATURE_STRUCT_OPS, &s)->present);
}

static void test_mounts(void)
{
	struct loader_support s;

	put_text("/proc/mounts", "cgroup /c cgroup rw 0 0\n");
	CU_ASSERT_FALSE(probe(FEATURE_CGROUP2, &s)->present);
	CU_ASSERT_FALSE(s.features[FEATURE_BPFFS].present);
	put_text("/proc/filesystems", "nodev\tbpf\n");
	CU_ASSERT_TRUE(probe(FEATURE_BPFFS, &s)->present);
	put_text("/proc/mounts", "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n");
	CU_ASSERT_TRUE(probe(FEATURE_CGROUP2, &s)->present);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(s.features[FEATURE_CGROUP2].detail, "/sys/fs/cgroup/unified"));
}

static void test_module(void)
{
	struct loader_support s;
	struct loader_config c = { .module_path = root };

	CU_ASSERT_PTR_NOT_NULL(strstr(probe(FEATURE_MODULE, &s)->detail, "no loadable modules"));
	put_text("/proc/modules", "");
	CU_ASSERT_PTR_NOT_NULL(strstr(probe(FEATURE_MODULE, &s)->detail, "9.9-test"));
	CU_ASSERT_STRING_EQUAL(s.features[FEATURE_MODULE].fix, "sudo make install-dkms");
	loader_probe_at(root, "9.9-test", &c, &s);
	CU_ASSERT_TRUE(s.features[FEATURE_MODULE].present);
	put_text("/lib/modules/9.9-test/modules.dep", "updates/dkms/mptcp_bpf.ko.xz:\n");
	CU_ASSERT_TRUE(probe(FEATURE_MODULE, &s)->present);
	put_text("/sys/module/mptcp_bpf/refcnt", "0\n");
	CU_ASSERT_PTR_NOT_NULL(strstr(probe(FEATURE_MODULE, &s)->detail, "is loaded"));
}

static void test_levels(void)
{
	struct loader_support s = { 0 };
	static const int levels[FEATURE_NR] = { 0, 0, 1, 1, 1, 1, 2, 2 };

	for (int i = 0; i < FEATURE_NR; i++)
		s.features[i] = (struct loader_feature){ .level = levels[i], .present = true };
	CU_ASSERT_EQUAL(loader_support_level(&s), 2);
	s.features[FEATURE_MODULE].present = false;
	CU_ASSERT_EQUAL(loader_support_level(&s), 1);
	s.features[FEATURE_TCX].present = false;
	CU_ASSERT_EQUAL(loader_support_level(&s), 0);
	s.features[FEATURE_MPTCP].present = false;
	CU_ASSERT_EQUAL(loader_support_level(&s), -1);
}

static int remove_root(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf --one-file-system %s", root);
	return system(command);
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	if (!mkdtemp(root))
		return 1;
	CU_initialize_registry();
	s = CU_add_suite("loader_probe", NULL, remove_root);
	CU_ADD_TEST(s, test_nothing);
	CU_ADD_TEST(s, test_mptcp);
	CU_ADD_TEST(s, test_btf);
	CU_ADD_TEST(s, test_mounts);
	CU_ADD_TEST(s, test_module);
	CU_ADD_TEST(s, test_levels);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
