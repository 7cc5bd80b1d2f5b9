// SPDX-License-Identifier: GPL-2.0-only
/* Verbs found, options parsed; see dispatch.h. */
#include "cli/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/nearest.h"

#define NR(a)	   (sizeof(a) / sizeof((a)[0]))
#define WORD_BYTES 32
#define VERB_WORDS 3

static const struct verb *const verbs[] = {
	&verb_status,
	&verb_check,
	&verb_apply,
	&verb_unload,
	&verb_daemon,
	&verb_reload,
	&verb_explain,
	&verb_path_list,
	&verb_path_down,
	&verb_path_up,
	&verb_sched_list,
	&verb_sched_load,
	&verb_sched_show,
	&verb_sched_unload,
	&verb_sched_trace,
	&verb_conn_list,
	&verb_conn_show,
	&verb_conn_set,
	&verb_conn_subflow_add,
	&verb_conn_subflow_del,
	&verb_conn_subflow_backup,
	&verb_conn_announce,
	&verb_conn_withdraw,
	&verb_monitor,
	&verb_endpoint_list,
	&verb_doctor,
	&verb_version,
};

static bool opt_json, opt_pretty, opt_quiet, opt_help, opt_version;
static int opt_verbose;
static const char *opt_color;

static const struct option_def global_options[] = {
	{ "json", 'j', OPTION_SWITCH, NULL, "JSON output", &opt_json },
	{ "pretty", 'p', OPTION_SWITCH, NULL, "indented JSON", &opt_pretty },
	{ "verbose", 'v', OPTION_COUNT, NULL,
	  "with an error, print all that libbpf and the verifier said", &opt_verbose },
	{ "quiet", 'q', OPTION_SWITCH, NULL, "say only what was asked for, and errors",
	  &opt_quiet },
	{ "color", 0, OPTION_VALUE, "auto|always|never", "colors (auto: on a terminal)",
	  &opt_color },
	{ "help", 'h', OPTION_SWITCH, NULL, "this help", &opt_help },
	{ "version", 'V', OPTION_SWITCH, NULL, "print the version", &opt_version },
};

static const struct option_table globals = { global_options, NR(global_options) };

/* Word `at` of a verb: its name, then those of `sub`. NULL behind the last. */
static const char *verb_word(const struct verb *v, int at, char out[WORD_BYTES])
{
	const char *word = at ? v->sub : v->name;

	for (; word && at > 1; at--) {
		word = strchr(word, ' ');
		word = word ? word + 1 : NULL;
	}
	if (!word)
		return NULL;
	snprintf(out, WORD_BYTES, "%.*s", (int)strcspn(word, " "), word);
	return out;
}

/* How many of the words are those of the verb; *whole: they are all it has. */
static int words_of(const struct verb *v, char **words, int nr, bool *whole)
{
	char word[WORD_BYTES];
	int n = 0;

	while (n < nr && verb_word(v, n, word) && strcmp(word, words[n]) == 0)
		n++;
	*whole = !verb_word(v, n, word);
	return n;
}

static void join_words(char **words, int nr, const char *last, char *out, size_t size)
{
	out[0] = '\0';
	for (int i = 0; i <= nr; i++) {
		const char *word = i < nr ? words[i] : last;
		size_t n = strlen(out);

		snprintf(out + n, size - n, "%s%s", i ? " " : "", word);
	}
}

/* The first `known` words are right, the next is not, or is missing when nr == known. */
static const struct verb *unknown_verb(char **words, int nr, int known, struct error *e)
{
	char buffer[NR(verbs)][WORD_BYTES], text[3 * WORD_BYTES], list[4 * WORD_BYTES] = "";
	const char *next[NR(verbs)], *near;
	size_t n = 0;
	bool whole;

	for (size_t i = 0; i < NR(verbs); i++) {
		if (words_of(verbs[i], words, known, &whole) < known ||
		    !verb_word(verbs[i], known, buffer[n]))
			continue;
		next[n] = buffer[n];
		if (n)
			strncat(list, ", ", sizeof(list) - strlen(list) - 1);
		strncat(list, next[n], sizeof(list) - strlen(list) - 1);
		n++;
	}
	if (nr == known) {
		join_words(words, known - 1, words[known - 1], text, sizeof(text));
		error_set(e, -EINVAL, "%s needs another word: %s", text, list);
		return NULL;
	}
	join_words(words, known, words[known], text, sizeof(text));
	error_set(e, -EINVAL, "unknown verb \"%s\"", text);
	near = nearest_word(words[known], next, n);
	if (near) {
		join_words(words, known, near, text, sizeof(text));
		error_hint(e, "did you mean \"%s\"?", text);
	} else {
		error_hint(e, "mptcp-pmctl --help");
	}
	return NULL;
}

/* The verb that the words begin with; *used says how many are its own. "sched" alone is "sched
 * list". */
static const struct verb *find_verb(char **words, int nr, int *used, struct error *e)
{
	const struct verb *first_of = NULL;
	int known = 0;

	*used = 0;
	if (nr == 0)
		return &verb_status;
	for (size_t i = 0; i < NR(verbs); i++) {
		bool whole;
		int n = words_of(verbs[i], words, nr, &whole);

		if (whole) {
			*used = n;
			return verbs[i];
		}
		if (n > known)
			known = n;
		if (n && !first_of)
			first_of = verbs[i];
	}
	if (nr > 1 || !first_of)
		return unknown_verb(words, nr, known, e);
	*used = 1;
	return first_of;
}

/* Is this argument made of global options only? *skip: its value is the next argument. */
static bool is_global(const char *arg, bool *skip)
{
	const char *letters = "jpvqhV";

	*skip = strcmp(arg, "--color") == 0;
	if (arg[1] != '-')
		return strspn(arg + 1, letters) == strlen(arg + 1);
	for (size_t i = 0; i < globals.nr; i++) {
		size_t n = strlen(globals.defs[i].name);

		if (strncmp(arg + 2, globals.defs[i].name, n) == 0 &&
		    (arg[2 + n] == '\0' || arg[2 + n] == '='))
			return true;
	}
	return false;
}

/* The verb has to be known before its options can be: its words come before any of them. */
static const struct verb *peek_verb(int argc, char **argv, struct error *e)
{
	char *words[VERB_WORDS];
	int nr = 0, used;
	bool skip;

	for (int i = 1; i < argc && nr < VERB_WORDS; i++) {
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			words[nr++] = argv[i];
		else if (is_global(argv[i], &skip))
			i += skip;
		else
			break;
	}
	return find_verb(words, nr, &used, e);
}

static int use_color(struct cli *c, struct error *e)
{
	const char *when = opt_color ? opt_color : "auto";

	if (strcmp(when, "always") == 0)
		c->color = true;
	else if (strcmp(when, "auto") == 0)
		c->color = isatty(fileno(c->out)) && !getenv("NO_COLOR");
	else if (strcmp(when, "never") != 0)
		return error_set(e, -EINVAL, "--color is auto, always or never, not \"%s\"", when);
	return 0;
}

static int check_words(const struct verb *v, int nr, struct error *e)
{
	const char *sep = v->sub ? " " : "", *sub = v->sub ? v->sub : "";

	if (nr < v->min) {
		error_set(e, -EINVAL, "%s%s%s needs %s", v->name, sep, sub, v->words);
		return error_hint(e, "mptcp-pmctl %s%s%s %s", v->name, sep, sub, v->words);
	}
	if (v->max >= 0 && nr > v->max)
		return error_set(e, -EINVAL, "%s%s%s takes %d argument%s, not %d", v->name, sep,
				 sub, v->max, v->max == 1 ? "" : "s", nr);
	return 0;
}

static int run_verb(struct cli *c, const struct verb *v, int argc, char **argv, struct error *e)
{
	struct option_table tables[] = { globals, v->options };
	int nr, used = 0, err;

	nr = options_parse(argc - 1, argv + 1, tables, NR(tables), e);
	c->json = opt_json || opt_pretty;
	c->pretty = opt_pretty;
	c->quiet = opt_quiet;
	c->verbose = opt_verbose;
	if (nr < 0 || use_color(c, e) < 0)
		return cli_usage(c, e);
	if (opt_version)
		return verb_version.run(c, 0, NULL);
	if (opt_help && nr == 0) {
		help_program(c->out, verbs, NR(verbs), &globals);
		return EXIT_STATUS_OK;
	}
	v = find_verb(argv + 1, nr, &used, e);
	if (!v)
		return cli_usage(c, e);
	if (opt_help) {
		help_verb(c->out, v);
		return EXIT_STATUS_OK;
	}
	err = check_words(v, nr - used, e);
	return err < 0 ? cli_usage(c, e) : v->run(c, nr - used, argv + 1 + used);
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli c = { .out = out, .err = err };
	struct error e = { 0 };
	const struct verb *v = peek_verb(argc, argv, &e);

	/* The options say how an unknown verb is to be reported, so look for JSON by hand. */
	for (int i = 1; !v && i < argc; i++)
		c.json = c.json || strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0 ||
			 strcmp(argv[i], "-jp") == 0;
	return v ? run_verb(&c, v, argc, argv, &e) : cli_usage(&c, &e);
}
