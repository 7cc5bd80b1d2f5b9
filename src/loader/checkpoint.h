/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proof of the loader's promise that it can be killed at any instant: when the environment variable
 * MPTCP_PM_KILL_AT names the step just done (opened, loaded, maps, attached, pinned, updated,
 * unpinned), the process sends itself SIGKILL. A process that gained privileges ignores the
 * variable.
 */
#ifndef LOADER_CHECKPOINT_H
#define LOADER_CHECKPOINT_H

void loader_checkpoint(const char *step);

#endif
