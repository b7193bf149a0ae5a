// SPDX-License-Identifier: GPL-2.0
/*
 * The connection to the daemon, and what to tell when there is none.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/version.h"
#include "vmonctl/vmonctl.h"

/* Return: a socket, or -errno and why in @text. */
static int connect_socket(char *text, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if ((size_t)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path) >=
	    sizeof(addr.sun_path)) {
		snprintf(text, size, "socket '%s' has too long a name", socket_path);
		return -ENAMETOOLONG;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		snprintf(text, size,
			 "vmond is not running: 'systemctl start vmond', or 'vmond &' without systemd");
		break;
	case EACCES:
	case EPERM:
		snprintf(text, size, "no permission to talk to vmond ('%s'): run vmonctl as root",
			 socket_path);
		break;
	default:
		snprintf(text, size, "cannot connect to '%s': %s", socket_path, strerror(errno));
	}
	close(fd);
	return -ENOTCONN;
}

int client_state(char *text, size_t size)
{
	int fd = connect_socket(text, size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/**
 * client_connect() - connect to the daemon
 * @ret: connection
 * @text: gets why not, as a sentence
 * @size: of @text
 *
 * Return: 0 or -errno.
 */
int client_connect(sd_bus **ret, char *text, size_t size)
{
	sd_bus *bus = NULL;
	int fd, r;

	fd = connect_socket(text, size);
	if (fd < 0)
		return fd;
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_fd(bus, fd, fd);
	if (r < 0)
		close(fd);
	if (r >= 0)
		r = sd_bus_negotiate_fds(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		snprintf(text, size, "cannot talk to vmond: %s", strerror(-r));
		return r;
	}
	*ret = bus;
	return 0;
}

/**
 * client_open() - connect to the daemon, or say why not
 * @ret: connection
 *
 * Return: 0, or -errno after a message.
 */
int client_open(sd_bus **ret)
{
	char text[256];
	int r = client_connect(ret, text, sizeof(text));

	if (r < 0)
		complain(0, "%s", text);
	return r;
}

/* Print why a call failed. Return: EXIT_FAILED. */
int client_failed(const sd_bus_error *error, int r)
{
	if (error && error->message)
		return complain(EXIT_FAILED, "%s", error->message);
	if (r == -ECONNRESET || r == -EPIPE || r == -ENOTCONN)
		return complain(EXIT_FAILED,
				"vmond closed the connection: run vmonctl as root, and see 'systemctl status vmond'");
	return complain(EXIT_FAILED, "vmond: %s", strerror(-r));
}

static int call(const char *method, sd_bus_message **reply, int quiet, const char *types,
		va_list ap)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	sd_bus *bus = NULL;
	int r;

	r = client_open(&bus);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_call(bus, &m, NULL, VMON_BUS_PATH,
					   VMON_BUS_INTERFACE, method);
	if (r >= 0 && types)
		r = sd_bus_message_appendv(m, types, ap);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &error, reply);
	if (r < 0 && r != quiet)
		(void)client_failed(&error, r);
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_flush_close_unref(bus);
	return r < 0 ? r : 0;
}

/**
 * client_call() - connect, call one method, disconnect
 * @method: name
 * @reply: answer, to be unreferenced; or NULL
 * @types: of the arguments that follow, as for sd_bus_message_append()
 *
 * Return: 0, or EXIT_FAILED after a message.
 */
int client_call(const char *method, sd_bus_message **reply, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = call(method, reply, 0, types, ap);
	va_end(ap);
	return r < 0 ? EXIT_FAILED : 0;
}

/**
 * client_try() - client_call() where one refusal is an answer
 * @method: name
 * @reply: answer, to be unreferenced
 * @quiet: negative errno that is not to be told
 * @types: as above
 *
 * Return: 0 or -errno.
 */
int client_try(const char *method, sd_bus_message **reply, int quiet, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = call(method, reply, quiet, types, ap);
	va_end(ap);
	return r;
}
