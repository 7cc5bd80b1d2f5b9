// SPDX-License-Identifier: GPL-2.0-only
/* Credentials of a peer; see peer.h. */
#include "daemon/peer.h"

#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 256

struct peer_group peer_group_find(void)
{
	const struct group *group = getgrnam(PEER_GROUP);

	return (struct peer_group){ .gid = group ? group->gr_gid : 0, .exists = group };
}

static bool in_group(int fd, const struct ucred *who, const struct peer_group *group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (!group->exists)
		return false;
	if (who->gid == group->gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group->gid)
			return true;
	return false;
}

enum peer peer_of(int fd, const struct peer_group *group)
{
	struct ucred who = { .uid = UINT32_MAX };
	socklen_t size = sizeof(who);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
	if (who.uid == 0)
		return PEER_ROOT;
	return in_group(fd, &who, group) ? PEER_MEMBER : PEER_NOBODY;
}

void peer_say_no(int fd, const char *text, int code)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "{\"error\":\"%s\",\"errno\":%d}\n", text, code);

	send(fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}
