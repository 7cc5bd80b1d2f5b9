// SPDX-License-Identifier: GPL-2.0-only
/* The file of what was learned: what is written is read back, and nothing else is taken for it. */
#include "pm/learned.h"

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define OFFSET_MS 700000000000ll

static unsigned int number(const char *name)
{
	return strcmp(name, "wlan0") == 0 ? 7 : strcmp(name, "wwan0") == 0 ? 8 : 0;
}

static const char *name_of(unsigned int index, char *buffer)
{
	snprintf(buffer, IF_NAMESIZE, "%s", index == 3 ? "wlan0" : index == 4 ? "wwan0" : "gone0");
	return index == 9 ? NULL : buffer;
}

static const struct pm_learned_origin origin = { "boot-1", 42 };

static struct pm_learned_facts facts(void)
{
	return (struct pm_learned_facts){ &origin, OFFSET_MS, 42, number, name_of };
}

static struct loader_learn_row a_row(unsigned int ifindex, const char *prefix)
{
	struct loader_learn_row row = {
		.key = { .netns_cookie = 42, .ifindex = ifindex, .network = 4000000000u },
		.stat = { .ok = 5000000000,
			  .fail = 2,
			  .ok_ms = MPTCP_LEARN_BOOT_MS + 5,
			  .fail_ms = MPTCP_LEARN_BOOT_MS - 99999,
			  .handshake_us = 1,
			  .srtt_us = 2,
			  .fail_ppm = 1000000,
			  .failures = 3,
			  .mptcp_drop_ms = MPTCP_LEARN_BOOT_MS,
			  .mptcp_drops = 4 },
	};

	inet_pton(AF_INET6, prefix, row.key.prefix);
	return row;
}

static char *encode(const struct loader_learn_row *rows, size_t nr)
{
	const struct pm_learned_facts f = facts();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	CU_ASSERT_PTR_NOT_NULL_FATAL(out);
	pm_learned_encode(out, &f, rows, nr);
	fclose(out);
	return text;
}

static void test_round_trip(void)
{
	const struct loader_learn_row rows[] = { a_row(3, "::ffff:192.0.2.0"), a_row(4, "::"),
						 a_row(9, "::"), a_row(5, "2001:db8::") };
	_cleanup_free_ char *text = encode(rows, 4);
	_cleanup_free_ struct loader_learn_row *out = NULL;
	const struct pm_learned_facts f = facts();
	size_t nr = 0;

	CU_ASSERT_EQUAL_FATAL(pm_learned_decode(text, &f, &out, &nr), 0);
	/* One had no name when it was written, one has no interface now. */
	CU_ASSERT_EQUAL_FATAL(nr, 2);
	CU_ASSERT_EQUAL(out[0].key.ifindex, 7);
	CU_ASSERT_EQUAL(out[1].key.ifindex, 8);
	CU_ASSERT_EQUAL(out[0].key.netns_cookie, 42);
	CU_ASSERT_EQUAL(out[0].key.network, 4000000000u);
	CU_ASSERT_EQUAL(memcmp(out[0].key.prefix, rows[0].key.prefix, 16), 0);
	CU_ASSERT_EQUAL(memcmp(&out[0].stat, &rows[0].stat, sizeof(out[0].stat)), 0);
}

/* After a reboot the boot clock begins again; what was before it keeps its distance. */
static void test_reboot(void)
{
	const struct loader_learn_row row = a_row(3, "::");
	_cleanup_free_ char *text = encode(&row, 1);
	_cleanup_free_ struct loader_learn_row *out = NULL;
	struct pm_learned_facts f = facts();
	size_t nr = 0;

	f.offset_ms += 60000;
	CU_ASSERT_EQUAL_FATAL(pm_learned_decode(text, &f, &out, &nr), 0);
	CU_ASSERT_EQUAL(out[0].stat.ok_ms, MPTCP_LEARN_BOOT_MS + 5 - 60000);
	CU_ASSERT_EQUAL(out[0].stat.mptcp_ok_ms, 0);
}

static int decode(const char *text, const struct pm_learned_origin *o)
{
	_cleanup_free_ struct loader_learn_row *out = NULL;
	_cleanup_free_ char *copy = strdup(text);
	struct pm_learned_facts f = facts();
	size_t nr = 77;
	int err;

	f.origin = o;
	err = pm_learned_decode(copy, &f, &out, &nr);
	if (err < 0)
		CU_ASSERT_EQUAL(nr, 77);
	return err;
}

#define HEAD "version=1\nboot=boot-1\ncookie=42\n"
#define ROW  "row=wlan0 1 :: 1 0 5 0 0 1 1 0 0 0 0 0\n"

static void test_refused(void)
{
	static const char *const texts[] = {
		"",
		"end\n",
		HEAD ROW,
		HEAD ROW "end",
		HEAD ROW "end\nend\n",
		"version=2\nboot=boot-1\ncookie=42\nend\n",
		"version=1\ncookie=42\nend\n",
		"version=1\nboot=boot-1\ncookie=x\nend\n",
		HEAD "row=wlan0 1 :: 1 0 5 0 0 1 1 0 0 0 0\nend\n",
		HEAD "row=wlan0 1 :: 1 0 5 0 0 1 1 0 0 0 0 0 0\nend\n",
		HEAD "row=wlan0 1 nowhere 1 0 5 0 0 1 1 0 0 0 0 0\nend\n",
		HEAD "row=wlan0 1 :: 1 0 5 0 0 1 1 1000001 0 0 0 0\nend\n",
		HEAD "row=interface-too-long 1 :: 1 0 5 0 0 1 1 0 0 0 0 0\nend\n",
		HEAD "column=1\nend\n",
	};

	CU_ASSERT_EQUAL(decode(HEAD ROW "end\n", &origin), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(decode(texts[i], &origin), -EBADMSG);
}

static void test_another_namespace(void)
{
	const struct pm_learned_origin boot = { "boot-2", 42 }, cookie = { "boot-1", 43 };

	CU_ASSERT_EQUAL(decode(HEAD ROW "end\n", &boot), -ESTALE);
	CU_ASSERT_EQUAL(decode(HEAD ROW "end\n", &cookie), -ESTALE);
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "written and read", test_round_trip },
		{ "after a reboot", test_reboot },
		{ "refused", test_refused },
		{ "another namespace", test_another_namespace },
		CU_TEST_INFO_NULL,
	};
	CU_SuiteInfo suites[] = { { "learned", NULL, NULL, NULL, NULL, tests },
				  CU_SUITE_INFO_NULL };
	unsigned int failures = 1;

	if (CU_initialize_registry() == CUE_SUCCESS && CU_register_suites(suites) == CUE_SUCCESS) {
		CU_basic_set_mode(CU_BRM_VERBOSE);
		CU_basic_run_tests();
		failures = CU_get_number_of_failures();
	}
	CU_cleanup_registry();
	return failures > 0;
}
