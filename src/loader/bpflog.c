// SPDX-License-Identifier: GPL-2.0-only
/* What libbpf said; see bpflog.h. */
#include "loader/bpflog.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "loader/loader.h"
#include "util/cleanup.h"

#define LINE_BYTES 200
#define LOG_BYTES  (64u << 10)

static _Thread_local char first[LINE_BYTES];   /* libbpf's own first complaint */
static _Thread_local char verdict[LINE_BYTES]; /* last meaningful line of a verifier log */
static _Thread_local char log_text[LOG_BYTES]; /* its end is cut; the verdict is kept apart */
static _Thread_local size_t log_size;
static _Thread_local char summary[2 * LINE_BYTES + 4];

/* Lines that only say that something said before was fatal, or frame a log. */
static bool is_noise(const char *line)
{
	static const char *const noise[] = {
		"-- BEGIN PROG LOAD LOG", "-- END PROG LOAD LOG", "processed ",
		"verification time",	  "stack depth",	  "failed to load object",
	};

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		if (strstr(line, noise[i]))
			return true;
	}
	return line[0] == '\0' || line[0] == ';';
}

static void take_line(char *line)
{
	static const char prefix[] = "libbpf: ";
	bool ours = strncmp(line, prefix, sizeof(prefix) - 1) == 0;

	line[strcspn(line, "\r\n")] = '\0';
	if (is_noise(line))
		return;
	if (!ours)
		snprintf(verdict, sizeof(verdict), "%s", line);
	else if (!first[0])
		snprintf(first, sizeof(first), "%s", line + sizeof(prefix) - 1);
}

static void append_log(const char *text)
{
	size_t room = sizeof(log_text) - log_size, n = strnlen(text, room - 1);

	memcpy(log_text + log_size, text, n);
	log_size += n;
	log_text[log_size] = '\0';
}

void bpflog_feed(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save = NULL;

	append_log(text);
	if (!copy)
		return;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		take_line(line);
}

static int __attribute__((format(printf, 2, 0)))
capture(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (level != LIBBPF_WARN || vasprintf(&text, fmt, ap) < 0) {
		text = NULL;
		return 0;
	}
	bpflog_feed(text);
	return 0;
}

void bpflog_start(void)
{
	first[0] = verdict[0] = log_text[0] = '\0';
	log_size = 0;
	libbpf_set_print(capture);
}

const char *bpflog_summary(void)
{
	snprintf(summary, sizeof(summary), "%s%s%s", first, first[0] && verdict[0] ? ": " : "",
		 verdict);
	return summary;
}

const char *loader_log(void)
{
	return log_text;
}
