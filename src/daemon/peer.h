/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is at the other end of a socket, by the kernel's word. The mode of the file does not say it:
 * the daemon may not have the right to give a file to a group. */
#ifndef DAEMON_PEER_H
#define DAEMON_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#define PEER_GROUP "mptcp-pm"

enum peer {
	PEER_NOBODY, /* may nothing */
	PEER_MEMBER, /* of the group: may look */
	PEER_ROOT,
};

struct peer_group {
	gid_t gid;
	bool exists;
};

struct peer_group peer_group_find(void);
enum peer peer_of(int fd, const struct peer_group *group);
/* An answer of one line, as far as it goes; closes the descriptor. */
void peer_say_no(int fd, const char *text, int code);

#endif
