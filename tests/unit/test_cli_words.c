// SPDX-License-Identifier: GPL-2.0-only
/* The command line: options, "did you mean", knobs, capabilities, verbs and exit statuses. */
#include "cli/options.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/caps.h"
#include "cli/dispatch.h"
#include "cli/knob_args.h"
#include "cli/nearest.h"

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static bool flag;
static int count;
static const char *value;
static struct option_list list;

static const struct option_def defs[] = {
	{ "flag", 'f', OPTION_SWITCH, NULL, "", &flag },
	{ "verbose", 'v', OPTION_COUNT, NULL, "", &count },
	{ "netns", 'n', OPTION_VALUE, "NAME", "", &value },
	{ "set", 0, OPTION_LIST, "K=V", "", &list },
};

/* Splits at blanks and parses. */
static int parse(const char *line, char *argv[64], struct error *e)
{
	static const struct option_table table = { defs, NR(defs) };
	static char copy[256];
	char *save = NULL;
	int argc = 0;

	flag = false;
	count = 0;
	value = NULL;
	list.nr = 0;
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return options_parse(argc, argv, &table, 1, e);
}

static void test_options(void)
{
	char *argv[64];

	CU_ASSERT_EQUAL(parse("a --netns x b -fvv --set p=1 --set=q=2 c", argv, NULL), 3);
	CU_ASSERT_STRING_EQUAL(argv[0], "a");
	CU_ASSERT_STRING_EQUAL(argv[2], "c");
	CU_ASSERT_TRUE(flag);
	CU_ASSERT_EQUAL(count, 2);
	CU_ASSERT_STRING_EQUAL(value, "x");
	CU_ASSERT_EQUAL_FATAL(list.nr, 2);
	CU_ASSERT_STRING_EQUAL(list.items[1], "q=2");
	CU_ASSERT_EQUAL(parse("-nfoo", argv, NULL), 0);
	CU_ASSERT_STRING_EQUAL(value, "foo");
	CU_ASSERT_EQUAL(parse("-fn foo -", argv, NULL), 1);
	CU_ASSERT_STRING_EQUAL(value, "foo");
	CU_ASSERT_STRING_EQUAL(argv[0], "-");
	CU_ASSERT_EQUAL(parse("-- --flag -v", argv, NULL), 2);
	CU_ASSERT_FALSE(flag);
	CU_ASSERT_EQUAL(parse("--netns=", argv, NULL), 0);
	CU_ASSERT_STRING_EQUAL(value, "");
}

static void test_wrong_options(void)
{
	struct error e = { 0 };
	char *argv[64];

	CU_ASSERT_EQUAL(parse("--nets x", argv, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "unknown option --nets");
	CU_ASSERT_STRING_EQUAL(e.hint, "did you mean --netns?");
	CU_ASSERT_EQUAL(parse("--completely-else", argv, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.hint, "");
	CU_ASSERT_EQUAL(parse("-fx", argv, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "unknown option -x");
	CU_ASSERT_EQUAL(parse("--netns", argv, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "needs a value"));
	CU_ASSERT_EQUAL(parse("--flag=1", argv, &e), -EINVAL);
}

static void test_list_is_bounded(void)
{
	char line[256] = "", *argv[64];

	for (int i = 0; i < 8; i++)
		strcat(line, "--set=a=1 ");
	CU_ASSERT_EQUAL(parse(line, argv, NULL), 0);
	for (int i = 0; i < 9; i++)
		strcat(line, "--set=a=1 ");
	CU_ASSERT_EQUAL(parse(line, argv, NULL), -EINVAL);
}

static void test_nearest(void)
{
	static const char *const words[] = { "status", "check", "apply", "unload", "sched" };

	CU_ASSERT_EQUAL(nearest_distance("apply", "apply"), 0);
	CU_ASSERT_EQUAL(nearest_distance("aplpy", "apply"), 1);
	CU_ASSERT_EQUAL(nearest_distance("", "abc"), 3);
	CU_ASSERT_STRING_EQUAL(nearest_word("aplyy", words, NR(words)), "apply");
	CU_ASSERT_STRING_EQUAL(nearest_word("shced", words, NR(words)), "sched");
	CU_ASSERT_STRING_EQUAL(nearest_word("stat", words, NR(words)), "status");
	CU_ASSERT_PTR_NULL(nearest_word("frobnicate", words, NR(words)));
	CU_ASSERT_PTR_NULL(nearest_word("", words, NR(words)));
	CU_ASSERT_PTR_NULL(nearest_word("xyz", words, 0));
}

static int knobs(const char *arg, struct knob_args *k, struct error *e)
{
	struct option_list l = { .items = { arg }, .nr = 1 };

	return knob_args_parse(&l, k, e);
}

static void test_knobs(void)
{
	struct knob_args k;
	struct error e;

	CU_ASSERT_EQUAL(knobs("weights=2,0x10,18446744073709551615", &k, &e), 0);
	CU_ASSERT_STRING_EQUAL(k.knobs[0].name, "weights");
	CU_ASSERT_EQUAL_FATAL(k.knobs[0].nr_values, 3);
	CU_ASSERT_EQUAL(k.knobs[0].values[1], 16);
	CU_ASSERT_EQUAL(k.knobs[0].values[2], UINT64_MAX);
	CU_ASSERT_EQUAL(knobs("fast=yes", &k, &e), 0);
	CU_ASSERT_EQUAL(k.knobs[0].values[0], 1);
	CU_ASSERT_EQUAL(knobs("fast=off", &k, &e), 0);
	CU_ASSERT_EQUAL(k.knobs[0].values[0], 0);
	CU_ASSERT_EQUAL(knobs("fast", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("=1", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("a=", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("a=1,", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("a=-1", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("a=1x", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("a=18446744073709551616", &k, &e), -EINVAL);
	CU_ASSERT_EQUAL(knobs("a=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", &k, &e), -EINVAL);
}

static void test_caps(void)
{
	struct error e = { 0 };

	CU_ASSERT_EQUAL(caps_check(UINT64_MAX, CAP_BIT_BPF | CAP_BIT_SYS_MODULE, "x", &e), 0);
	CU_ASSERT_EQUAL(caps_check(0, 0, "x", &e), 0);
	/* CAP_NET_ADMIN is 12, CAP_BPF 39 */
	CU_ASSERT_EQUAL(caps_check(1u << 12, CAP_BIT_NET_ADMIN | CAP_BIT_BPF, "fly", &e), -EPERM);
	CU_ASSERT_STRING_EQUAL(e.text, "no permission to fly: CAP_BPF missing");
	CU_ASSERT_EQUAL(caps_check(UINT64_C(1) << 39, CAP_BIT_BPF, "fly", &e), 0);
}

/* Runs a command line; its output and error text as one string of the caller. */
static int run(char **text, char *a, char *b, char *c)
{
	char *argv[] = { "mptcp-pmctl", a, b, c, NULL };
	size_t size = 0;
	FILE *out = open_memstream(text, &size);
	int argc = 1, rc;

	while (argv[argc])
		argc++;
	rc = cli_main(argc, argv, out, out);
	fclose(out);
	return rc;
}

/* Options are kept in static variables, as in a process that runs once: JSON comes last. */
static void test_statuses(void)
{
	static const struct {
		char *a, *b, *c;
		int status;
		const char *says;
	} t[] = {
		{ "aplyy", NULL, NULL, 2, "did you mean \"apply\"?" },
		{ "sched", "loda", NULL, 2, "did you mean \"sched load\"?" },
		{ "sched", "load", NULL, 2, "sched load needs NAME|FILE" },
		{ "conn", "subflow", NULL, 2, "needs another word: add, del, backup" },
		{ "conn", "subflow", "ad", 2, "did you mean \"conn subflow add\"?" },
		{ "conn", "subflow", "add", 2, "conn subflow add needs TOKEN" },
		{ "conn", "subflw", "add", 2, "did you mean \"conn subflow\"?" },
		{ "conn", "announce", "1", 2, "conn announce needs TOKEN ADDR" },
		{ "apply", "a", "b", 2, "takes 1 argument, not 2" },
		{ "apply", "--dryrun", "x", 2, "did you mean --dry-run?" },
		{ "version", "x", NULL, 2, "takes 0 arguments" },
		{ "check", NULL, NULL, 2, "needs a policy file" },
		{ "check", "/nonexistent", NULL, 1, "/nonexistent" },
		{ "version", "--color", "blue", 2, "--color is auto" },
		{ "version", "--color", "never", 0, PMCTL_VERSION },
		{ "--color=never", "version", NULL, 0, PMCTL_VERSION },
		{ "version", "-j", NULL, 0, "\"version\":\"" PMCTL_VERSION "\"" },
		{ "-j", "apply", NULL, 2, "{\"error\":\"apply needs FILE\"" },
		{ "-j", "frob", NULL, 2, "{\"error\":\"unknown verb" },
		{ "apply", "-h", NULL, 0, "--dry-run" },
		{ "-h", NULL, NULL, 0, "Usage: mptcp-pmctl" },
	};

	for (size_t i = 0; i < NR(t); i++) {
		char *text = NULL;
		int status = run(&text, t[i].a, t[i].b, t[i].c);

		CU_ASSERT_EQUAL(status, t[i].status);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, t[i].says));
		if (status != t[i].status || !strstr(text, t[i].says))
			printf("%s: %d: %s\n", t[i].a, status, text);
		free(text);
	}
}

int main(void)
{
	unsigned int failed;
	CU_pSuite s;

	CU_initialize_registry();
	s = CU_add_suite("cli_words", NULL, NULL);
	CU_ADD_TEST(s, test_options);
	CU_ADD_TEST(s, test_wrong_options);
	CU_ADD_TEST(s, test_list_is_bounded);
	CU_ADD_TEST(s, test_nearest);
	CU_ADD_TEST(s, test_knobs);
	CU_ADD_TEST(s, test_caps);
	CU_ADD_TEST(s, test_statuses);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
