// SPDX-License-Identifier: GPL-2.0
/*
 * A client for tests of vmond's bus, which has no broker and so is out of reach of busctl.
 *
 *	bus_probe look NAME	a guest's object: introspection, properties, changes
 *	bus_probe refused	Run with an option that there is none
 *	bus_probe both FILE	Run with options that exclude each other; FILE: a kernel
 *	bus_probe toggle NAME N	let a paused guest go on and pause it, N times in all
 *	bus_probe mute		connect, and read nothing more until killed
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/version.h"

static sd_bus *bus;

static void must(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	exit(1);
}

static void open_bus(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", getenv("VMON_SOCKET"));
	must(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0, "connect");
	must(sd_bus_new(&bus), "bus");
	must(sd_bus_set_fd(bus, fd, fd), "bus");
	must(sd_bus_negotiate_fds(bus, 1), "bus");
	must(sd_bus_start(bus), "bus");
}

static sd_bus_message *call(const char *path, const char *interface, const char *method,
			    const char *argument)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;

	must(sd_bus_call_method(bus, NULL, path, interface, method, &error, &reply,
				argument ? "s" : "", argument), method);
	return reply;
}

static int on_changed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *interface, *key, *value;

	(void)error;
	must(sd_bus_message_read(m, "s", &interface), "PropertiesChanged");
	must(sd_bus_message_enter_container(m, 'a', "{sv}"), "PropertiesChanged");
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		must(sd_bus_message_read(m, "s", &key), "PropertiesChanged");
		if (!strcmp(key, "State")) {
			must(sd_bus_message_read(m, "v", "s", &value), "PropertiesChanged");
			printf("%s %s changed: State=%s\n", sd_bus_message_get_path(m), interface,
			       value);
			*(int *)arg = 1;
		} else {
			must(sd_bus_message_skip(m, "v"), "PropertiesChanged");
		}
		must(sd_bus_message_exit_container(m), "PropertiesChanged");
	}
	return 0;
}

static void wait_for(const int *seen)
{
	int r;

	while (!*seen) {
		r = sd_bus_process(bus, NULL);
		must(r, "process");
		if (!r && sd_bus_wait(bus, 5000000) <= 0)
			must(-ETIME, "no change was told");
	}
}

static void look(const char *name)
{
	const char *path, *text, *state;
	sd_bus_message *reply;
	int seen = 0;

	must(sd_bus_message_read(call(VMON_BUS_PATH, VMON_BUS_INTERFACE, "GetGuest", name), "o",
				 &path), "GetGuest");
	printf("object %s\n", path);
	reply = call(path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
	must(sd_bus_message_read(reply, "s", &text), "Introspect");
	fputs(text, stdout);
	must(sd_bus_get_property_string(bus, NULL, path, VMON_BUS_GUEST_INTERFACE, "State", NULL,
					(char **)&state), "State");
	printf("State=%s\n", state);
	reply = call(VMON_BUS_GUESTS, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
		     NULL);
	must(sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}"), "GetManagedObjects");
	while (sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}") > 0) {
		must(sd_bus_message_read(reply, "o", &text), "GetManagedObjects");
		printf("managed %s\n", text);
		must(sd_bus_message_skip(reply, "a{sa{sv}}"), "GetManagedObjects");
		must(sd_bus_message_exit_container(reply), "GetManagedObjects");
	}
	must(sd_bus_match_signal(bus, NULL, NULL, path, "org.freedesktop.DBus.Properties",
				 "PropertiesChanged", on_changed, &seen), "match");
	call(VMON_BUS_PATH, VMON_BUS_INTERFACE, "Pause", name);
	wait_for(&seen);
}

static int on_event(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)m;
	(void)error;
	*(int *)arg = 1;
	return 0;
}

/* Each time the event is waited for: several changes between two would be one. */
static void toggle(const char *name, int n)
{
	int i, seen;

	must(sd_bus_match_signal(bus, NULL, NULL, VMON_BUS_PATH, VMON_BUS_INTERFACE, "Event",
				 on_event, &seen), "match");
	for (i = 0; i < n; i++) {
		seen = 0;
		sd_bus_message_unref(call(VMON_BUS_PATH, VMON_BUS_INTERFACE,
					  i & 1 ? "Pause" : "Unpause", name));
		wait_for(&seen);
	}
}

static void refused(void)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	if (sd_bus_call_method(bus, NULL, VMON_BUS_PATH, VMON_BUS_INTERFACE, "Run", &error, NULL,
			       "sa{sv}", "x", 1, "colour", "s", "red") < 0)
		puts(error.message);
}

static void both(const char *kernel)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int fd = open(kernel, O_RDONLY);

	must(fd < 0 ? -errno : 0, kernel);
	if (sd_bus_call_method(bus, NULL, VMON_BUS_PATH, VMON_BUS_INTERFACE, "Run", &error, NULL,
			       "sa{sv}", "both", 4, "kernel", "(hs)", fd, kernel,
			       "memory", "t", (uint64_t)16 << 20, "selfcheck", "b", 1,
			       "engine", "(hu)", fd, 1) < 0)
		puts(error.message);
	close(fd);
}

int main(int argc, char **argv)
{
	open_bus();
	if (argc == 3 && !strcmp(argv[1], "look")) {
		look(argv[2]);
	} else if (argc == 2 && !strcmp(argv[1], "refused")) {
		refused();
	} else if (argc == 3 && !strcmp(argv[1], "both")) {
		both(argv[2]);
	} else if (argc == 4 && !strcmp(argv[1], "toggle")) {
		toggle(argv[2], strtol(argv[3], NULL, 10));
	} else if (argc == 2 && !strcmp(argv[1], "mute")) {
		call("/", "org.freedesktop.DBus.Peer", "Ping", NULL);
		for (;;)
			pause();
	} else {
		return 2;
	}
	return 0;
}
