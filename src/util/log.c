// SPDX-License-Identifier: GPL-2.0-only
/* Lines of a log; see log.h. */
#include "util/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#define LINE_BYTES 1024
#define NS_PER_MS  1000000

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

/* systemd says in $JOURNAL_STREAM which device and inode the journal reads; standard error may have
 * been sent elsewhere since. */
static bool is_journal(FILE *out)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	       fstat(fileno(out), &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

struct log log_open(enum log_level level)
{
	return (struct log){ .out = stderr, .journal = is_journal(stderr), .level = level };
}

static void begin(char *line, size_t size, bool journal, enum log_level level)
{
	struct timespec now;
	char text[32] = "";
	struct tm tm;

	if (journal) {
		snprintf(line, size, "<%d>", levels[level].priority);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(line, size, "%s.%03uZ %s: ", text, (unsigned int)(now.tv_nsec / NS_PER_MS),
		 levels[level].name);
}

void log_line(const struct log *l, enum log_level level, const char *fmt, ...)
{
	char line[LINE_BYTES];
	size_t n;
	va_list ap;

	if (level > l->level)
		return;
	begin(line, sizeof(line), l->journal, level);
	n = strlen(line);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	/* Names from outside must not make lines of their own. */
	for (char *c = line; *c; c++)
		if (*c == '\n' || *c == '\r' || *c == '\033')
			*c = '?';
	fprintf(l->out, "%s\n", line);
	fflush(l->out);
}

void log_error(const struct log *l, const struct error *e)
{
	log_line(l, LOG_LEVEL_ERROR, "%s%s%s", e->text, e->hint[0] ? "; hint: " : "", e->hint);
}

const char *log_level_name(enum log_level level)
{
	return levels[level].name;
}

int log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(text, levels[i].name) != 0)
			continue;
		*out = (enum log_level)i;
		return 0;
	}
	return -EINVAL;
}
