// SPDX-License-Identifier: GPL-2.0-only
/* Messages to a service manager: by path, by abstract name, to nobody; and the watchdog's period.
 */
#include "util/notify.h"

#include <CUnit/Basic.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/cleanup.h"

static int listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, size), 0);
	return fd;
}

static void check(const char *name)
{
	_cleanup_close_ int fd = listen_at(name);
	char got[64] = "";

	setenv("NOTIFY_SOCKET", name, 1);
	CU_ASSERT_EQUAL(notify_send("READY=1\nSTATUS=x"), 0);
	CU_ASSERT_EQUAL(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 16);
	CU_ASSERT_STRING_EQUAL(got, "READY=1\nSTATUS=x");
}

static void test_told(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/tmp/test-notify-%d", (int)getpid());
	check(name);
	unlink(name);
	snprintf(name, sizeof(name), "@test-notify-%d", (int)getpid());
	check(name);
}

static void test_nobody(void)
{
	char longer[256];

	unsetenv("NOTIFY_SOCKET");
	CU_ASSERT_EQUAL(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	CU_ASSERT_EQUAL(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	CU_ASSERT_EQUAL(notify_send("READY=1"), -ENOENT);
	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	CU_ASSERT_EQUAL(notify_send("READY=1"), -EINVAL);
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	CU_ASSERT_EQUAL(notify_send("READY=1"), -EINVAL);
}

static void test_watchdog(void)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	CU_ASSERT_EQUAL(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	CU_ASSERT_EQUAL(notify_watchdog_ms(), 30000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	CU_ASSERT_EQUAL(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1);
	CU_ASSERT_EQUAL(notify_watchdog_ms(), 0);
}

int main(void)
{
	CU_pSuite s;
	unsigned int failures;

	CU_initialize_registry();
	s = CU_add_suite("notify", NULL, NULL);
	CU_add_test(s, "told", test_told);
	CU_add_test(s, "nobody", test_nobody);
	CU_add_test(s, "watchdog", test_watchdog);
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failures = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}
