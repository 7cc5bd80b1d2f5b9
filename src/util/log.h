/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program that runs unattended says, on standard error: a line each, with the priority as
 * journald wants it (sd-daemon(3)) where that is who reads, else with the time.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

enum log_level {
	LOG_LEVEL_ERROR,   /* something does not work */
	LOG_LEVEL_WARNING, /* worth a look */
	LOG_LEVEL_INFO,	   /* what was done, and why */
	LOG_LEVEL_DEBUG,   /* what came in */
};

struct log {
	FILE *out;
	bool journal;
	enum log_level level; /* and what is more important */
};

/* To standard error. */
struct log log_open(enum log_level level);
void log_line(const struct log *l, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The text, and the hint after it. */
void log_error(const struct log *l, const struct error *e);

const char *log_level_name(enum log_level level);
/* -EINVAL */
int log_level_parse(const char *text, enum log_level *out);

#endif
