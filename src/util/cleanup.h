/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ownership by scope: `_cleanup_(fn)` calls fn(&variable) when the variable goes out of scope.
 * A pointer or descriptor that outlives the scope leaves it through TAKE_PTR() or TAKE_FD().
 */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)	 __attribute__((cleanup(fn)))
#define _cleanup_free_	 _cleanup_(cleanup_free)
#define _cleanup_close_	 _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Evaluates to the pointer and leaves NULL behind. */
#define TAKE_PTR(p)                             \
	({                                      \
		__typeof__(p) *taken_ = &(p);   \
		__typeof__(p) value_ = *taken_; \
		*taken_ = NULL;                 \
		value_;                         \
	})

/* Evaluates to the descriptor and leaves -1 behind. */
#define TAKE_FD(fd)                   \
	({                            \
		int *taken_ = &(fd);  \
		int value_ = *taken_; \
		*taken_ = -1;         \
		value_;               \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif
