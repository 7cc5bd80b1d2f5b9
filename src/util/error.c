// SPDX-License-Identifier: GPL-2.0-only
/* Errors that travel upward with their text; see error.h. */
#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}

int error_hint(struct error *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return 0;
	va_start(ap, fmt);
	vsnprintf(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return e->code;
}

enum exit_status error_exit_status(int code)
{
	switch (code) {
	case 0:
		return EXIT_STATUS_OK;
	case -EPERM:
	case -EACCES:
		return EXIT_STATUS_PERMISSION;
	case -EOPNOTSUPP:
	case -ENOSYS:
	case -EPROTONOSUPPORT:
		return EXIT_STATUS_UNSUPPORTED;
	default:
		return EXIT_STATUS_FAILED;
	}
}
