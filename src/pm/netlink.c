// SPDX-License-Identifier: GPL-2.0-only
/* Request and answer over netlink, with the kernel's text on failure. */
#include "pm/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <time.h>

#define ANSWER_BYTES 32768

static int text_attribute(const struct nlattr *attr, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		*text = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

const char *pm_netlink_extack(const struct nlmsghdr *answer)
{
	const char *text = NULL;
	size_t skip;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (answer->nlmsg_type == NLMSG_DONE) {
		skip = sizeof(int);
	} else {
		const struct nlmsgerr *err = mnl_nlmsg_get_payload(answer);

		if (mnl_nlmsg_get_payload_len(answer) < sizeof(*err))
			return NULL;
		skip = sizeof(*err);
		/* Without NETLINK_CAP_ACK the refused request is repeated before the attributes. */
		if (!(answer->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
			skip += MNL_ALIGN(err->msg.nlmsg_len - sizeof(err->msg));
	}
	if (mnl_nlmsg_get_payload_len(answer) > skip)
		mnl_attr_parse(answer, skip, text_attribute, &text);
	return text;
}

int pm_netlink_open(struct pm_netlink *nl, int bus, struct error *e)
{
	int on = 1;

	nl->sequence = (uint32_t)time(NULL);
	nl->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = -errno;

		pm_netlink_close(nl);
		return error_set(e, code, "cannot open a netlink socket: %s", strerror(-code));
	}
	/* Both only make messages better; kernels that lack them still work. */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

void pm_netlink_close(struct pm_netlink *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

static int refused(int code, const struct nlmsghdr *answer, const char *what, struct error *e)
{
	const char *text = pm_netlink_extack(answer);

	if (code == -EPERM || code == -EACCES) {
		error_set(e, -EPERM, "cannot %s: permission denied, CAP_NET_ADMIN is missing",
			  what);
		error_hint(e, "run it as root, e.g. with sudo");
		return -EPERM;
	}
	if (text)
		return error_set(e, code, "cannot %s: %s (%s)", what, text, strerror(-code));
	return error_set(e, code, "cannot %s: %s", what, strerror(-code));
}

/* Returns 1 when the exchange is over, 0 to go on, or -errno. */
static int take_answer(const struct nlmsghdr *answer,
		       int (*each)(const struct nlmsghdr *answer, void *data), void *data,
		       const char *what, struct error *e)
{
	int code = 0;

	if (answer->nlmsg_flags & NLM_F_DUMP_INTR)
		return error_set(e, -EAGAIN, "cannot %s: it changed while it was read", what);
	if (answer->nlmsg_type == NLMSG_ERROR || answer->nlmsg_type == NLMSG_DONE) {
		/* Both begin with an int: 0 or -errno. */
		if (mnl_nlmsg_get_payload_len(answer) >= sizeof(code))
			memcpy(&code, mnl_nlmsg_get_payload(answer), sizeof(code));
		return code < 0 ? refused(code, answer, what, e) : 1;
	}
	if (answer->nlmsg_type >= NLMSG_MIN_TYPE && each)
		return each(answer, data);
	return 0;
}

int pm_netlink_call(struct pm_netlink *nl, struct nlmsghdr *request,
		    int (*each)(const struct nlmsghdr *answer, void *data), void *data,
		    const char *what, struct error *e)
{
	_cleanup_free_ char *buffer = malloc(ANSWER_BYTES);

	if (!buffer)
		return error_set(e, -ENOMEM, "cannot %s: out of memory", what);
	request->nlmsg_seq = ++nl->sequence;
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return error_set(e, -errno, "cannot %s: %s", what, strerror(errno));
	for (;;) {
		ssize_t size = mnl_socket_recvfrom(nl->socket, buffer, ANSWER_BYTES);
		const struct nlmsghdr *answer = (const struct nlmsghdr *)buffer;
		int left = (int)size;

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return error_set(e, -errno, "cannot %s: %s", what, strerror(errno));
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			int r;

			/* Left over from a call that ended early. */
			if (answer->nlmsg_seq != nl->sequence)
				continue;
			r = take_answer(answer, each, data, what, e);
			if (r)
				return r < 0 ? r : 0;
		}
	}
}
