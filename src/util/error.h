/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a library function tells its caller what went wrong, in words a user can act on.
 *
 * A function that can fail returns 0 or a negative errno and, when it fails, fills the `struct
 * error` it was handed: `text` says what was attempted, on which object and why it failed; `hint`
 * says what to do next, preferably one command. Library code never prints; src/cli prints the error
 * once and turns `code` into the exit status.
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#define ERROR_TEXT_BYTES 512
#define ERROR_HINT_BYTES 256

struct error {
	int code;		     /* negative errno, 0 while nothing failed */
	char text[ERROR_TEXT_BYTES]; /* one sentence, no trailing newline */
	char hint[ERROR_HINT_BYTES]; /* what to do next; may be empty */
};

/* The exit status of the CLI for a negative errno: see docs, "EXIT STATUS". */
enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_FAILED = 1,
	EXIT_STATUS_USAGE = 2,
	EXIT_STATUS_UNSUPPORTED = 3, /* -EOPNOTSUPP, -ENOSYS, -EPROTONOSUPPORT */
	EXIT_STATUS_PERMISSION = 4,  /* -EPERM, -EACCES */
};

/* Stores code and text, clears the hint; `e` may be NULL. Returns `code`, so that `return
 * error_set(...)` works. */
int error_set(struct error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds the hint to an error already set; `e` may be NULL. Returns the error's code. */
int error_hint(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

enum exit_status error_exit_status(int code);

#endif
