// SPDX-License-Identifier: GPL-2.0-only
/* Knobs written into a .rodata section whose types are made here; object files that are refused. */
#include "loader/knobs.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "loader/checkpoint.h"
#include "loader/object.h"
#include "util/cleanup.h"

/* const volatile u32 gain; bool fast; u8 weights[4]; s16 bias; u64 big; const u32 fixed; */
static struct btf *btf;
static char data[32];

enum { GAIN = 0, FAST = 4, WEIGHTS = 5, BIAS = 10, BIG = 16, FIXED = 24 };

static int knob(int type)
{
	return btf__add_const(btf, btf__add_volatile(btf, type));
}

static int make_types(void)
{
	int u8, u16, u32, u64, b, idx, vars[6];

	btf = btf__new_empty();
	u8 = btf__add_int(btf, "u8", 1, 0);
	u16 = btf__add_int(btf, "s16", 2, BTF_INT_SIGNED);
	u32 = btf__add_int(btf, "u32", 4, 0);
	u64 = btf__add_int(btf, "u64", 8, 0);
	b = btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	idx = btf__add_array(btf, u32, knob(u8), 4);
	vars[0] = btf__add_var(btf, "gain", BTF_VAR_GLOBAL_ALLOCATED, knob(u32));
	vars[1] = btf__add_var(btf, "fast", BTF_VAR_GLOBAL_ALLOCATED, knob(b));
	vars[2] = btf__add_var(btf, "weights", BTF_VAR_GLOBAL_ALLOCATED, idx);
	vars[3] = btf__add_var(btf, "bias", BTF_VAR_GLOBAL_ALLOCATED,
			       knob(btf__add_typedef(btf, "bias_t", u16)));
	vars[4] = btf__add_var(btf, "big", BTF_VAR_GLOBAL_ALLOCATED, knob(u64));
	vars[5] = btf__add_var(btf, "fixed", BTF_VAR_GLOBAL_ALLOCATED, btf__add_const(btf, u32));
	btf__add_datasec(btf, ".rodata", sizeof(data));
	btf__add_datasec_var_info(btf, vars[0], GAIN, 4);
	btf__add_datasec_var_info(btf, vars[1], FAST, 1);
	btf__add_datasec_var_info(btf, vars[2], WEIGHTS, 4);
	btf__add_datasec_var_info(btf, vars[3], BIAS, 2);
	btf__add_datasec_var_info(btf, vars[4], BIG, 8);
	return btf__add_datasec_var_info(btf, vars[5], FIXED, 4);
}

static int free_types(void)
{
	btf__free(btf);
	return 0;
}

static int set(const char *name, const uint64_t *values, size_t nr, struct error *e)
{
	struct loader_knob k = { name, values, nr };

	memset(data, 0x11, sizeof(data));
	return knobs_write(btf, data, sizeof(data), "s", &k, 1, e);
}

static int set_one(const char *name, uint64_t value, struct error *e)
{
	return set(name, &value, 1, e);
}

static bool untouched(void)
{
	for (size_t i = 0; i < sizeof(data); i++) {
		if (data[i] != 0x11)
			return false;
	}
	return true;
}

static void test_scalars(void)
{
	uint64_t u64;
	uint32_t u32;
	int16_t s16;

	CU_ASSERT_EQUAL(set_one("gain", 0xfffffffe, NULL), 0);
	memcpy(&u32, data + GAIN, 4);
	CU_ASSERT_EQUAL(u32, 0xfffffffe);
	CU_ASSERT_EQUAL(data[FAST], 0x11);
	CU_ASSERT_EQUAL(set_one("fast", 1, NULL), 0);
	CU_ASSERT_EQUAL(data[FAST], 1);
	CU_ASSERT_EQUAL(data[WEIGHTS], 0x11);
	CU_ASSERT_EQUAL(set_one("bias", 300, NULL), 0);
	memcpy(&s16, data + BIAS, 2);
	CU_ASSERT_EQUAL(s16, 300);
	CU_ASSERT_EQUAL(set_one("big", UINT64_MAX, NULL), 0);
	memcpy(&u64, data + BIG, 8);
	CU_ASSERT_EQUAL(u64, UINT64_MAX);
}

static void test_array(void)
{
	const uint64_t v[] = { 3, 255, 1, 0, 9 };

	CU_ASSERT_EQUAL(set("weights", v, 2, NULL), 0);
	CU_ASSERT_EQUAL((uint8_t)data[WEIGHTS], 3);
	CU_ASSERT_EQUAL((uint8_t)data[WEIGHTS + 1], 255);
	CU_ASSERT_EQUAL(data[WEIGHTS + 2], 0x11);
	CU_ASSERT_EQUAL(set("weights", v, 4, NULL), 0);
	CU_ASSERT_EQUAL(set("weights", v, 5, NULL), -ERANGE);
	CU_ASSERT_EQUAL(set("gain", v, 2, NULL), -ERANGE);
	CU_ASSERT_EQUAL(set("gain", v, 0, NULL), -EINVAL);
	CU_ASSERT_TRUE(untouched());
}

static void test_ranges(void)
{
	struct error e = { 0 };

	CU_ASSERT_EQUAL(set_one("gain", UINT64_C(1) << 32, &e), -ERANGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "at most 4294967295"));
	CU_ASSERT_EQUAL(set_one("fast", 2, &e), -ERANGE);
	CU_ASSERT_EQUAL(set_one("bias", 32768, &e), -ERANGE);
	CU_ASSERT_EQUAL(set_one("weights", 256, &e), -ERANGE);
	CU_ASSERT_TRUE(untouched());
}

static void test_unknown(void)
{
	struct error e = { 0 };

	CU_ASSERT_EQUAL(set_one("gian", 1, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "it has gain, fast, weights, bias, big"));
	CU_ASSERT_PTR_NULL(strstr(e.text, "fixed"));
	CU_ASSERT_EQUAL(set_one("fixed", 1, &e), -EINVAL);
	CU_ASSERT_TRUE(untouched());
}

static void test_second_wrong_writes_nothing(void)
{
	const uint64_t one = 1;
	const struct loader_knob k[] = { { "gain", &one, 1 }, { "nope", &one, 1 } };

	memset(data, 0x11, sizeof(data));
	CU_ASSERT_EQUAL(knobs_write(btf, data, sizeof(data), "s", k, 2, NULL), -EINVAL);
	CU_ASSERT_TRUE(untouched());
}

static void test_names(void)
{
	CU_ASSERT_TRUE(scheduler_name_valid("min_rtt-2"));
	CU_ASSERT_TRUE(scheduler_name_valid("exactly15chars_"));
	CU_ASSERT_FALSE(scheduler_name_valid("sixteen_chars_xx"));
	CU_ASSERT_FALSE(scheduler_name_valid(""));
	CU_ASSERT_FALSE(scheduler_name_valid(".."));
	CU_ASSERT_FALSE(scheduler_name_valid("a/b"));
	CU_ASSERT_FALSE(scheduler_name_valid("a b"));
}

static void test_files(void)
{
	char dir[] = "/tmp/pmctl-test-XXXXXX", file[64];
	_cleanup_free_ char *path = NULL;
	struct loader_config c = { .object_dir = dir };
	struct bpf_object *obj = NULL;
	struct error e = { 0 };
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/mine.bpf.o", dir);
	CU_ASSERT_EQUAL(object_find(&c, "mine", &path, &e), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, dir));
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CU_ASSERT_EQUAL(write(fd, "no elf", 6), 6);
	close(fd);
	CU_ASSERT_EQUAL(object_find(&c, "mine", &path, &e), 0);
	CU_ASSERT_STRING_EQUAL(path, file);
	CU_ASSERT_EQUAL(object_open(file, &obj, &e), -EINVAL);
	chmod(file, 0620);
	CU_ASSERT_EQUAL(object_open(file, &obj, &e), -EPERM);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.hint, "chmod go-w"));
	chmod(file, 0602);
	CU_ASSERT_EQUAL(object_open(file, &obj, &e), -EPERM);
	CU_ASSERT_EQUAL(object_open(dir, &obj, &e), -EINVAL);
	free(TAKE_PTR(path));
	CU_ASSERT_EQUAL(object_find(&c, "../x", &path, &e), 0); /* a path: taken as it is */
	free(TAKE_PTR(path));
	CU_ASSERT_EQUAL(object_find(&c, "a b", &path, &e), -EINVAL);
	CU_ASSERT_PTR_NULL(obj);
	unlink(file);
	rmdir(dir);
}

static void test_checkpoint(void)
{
	setenv("MPTCP_PM_KILL_AT", "loaded", 1);
	loader_checkpoint("opened"); /* another step: survives */
	unsetenv("MPTCP_PM_KILL_AT");
	loader_checkpoint("loaded");
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("loader_knobs", NULL, free_types);
	make_types();
	CU_ADD_TEST(s, test_scalars);
	CU_ADD_TEST(s, test_array);
	CU_ADD_TEST(s, test_ranges);
	CU_ADD_TEST(s, test_unknown);
	CU_ADD_TEST(s, test_second_wrong_writes_nothing);
	CU_ADD_TEST(s, test_names);
	CU_ADD_TEST(s, test_files);
	CU_ADD_TEST(s, test_checkpoint);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
