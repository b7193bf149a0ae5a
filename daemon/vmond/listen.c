// SPDX-License-Identifier: GPL-2.0
/*
 * The runtime directory and the private socket in it.
 *
 * There is no bus broker on small hosts, so clients speak D-Bus straight to the
 * daemon over a socket of its own; only root may. A lock file, not the socket,
 * tells whether another daemon lives: a lock ends with its holder, a socket
 * file does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "vmond/log.h"
#include "vmond/manager.h"

static void path_of(const struct manager *m, const char *file, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", m->dir, file);
}

static void peer_free(struct peer *p)
{
	struct manager *m = p->manager;
	struct peer **i;

	for (i = &m->peers; *i != p; i = &(*i)->next)
		;
	*i = p->next;
	m->n_peers--;
	manager_client_gone(m, p->bus);
	sd_event_source_disable_unref(p->drop);
	sd_bus_detach_event(p->bus);
	/*
	 * Not flushed: what could be written has been, and the rest would be waited for as long
	 * as the client does not read.
	 */
	sd_bus_close_unref(p->bus);
	free(p);
}

static int on_drop(sd_event_source *s, void *arg)
{
	(void)s;
	peer_free(arg);
	return 0;
}

/* Part with a client that does not read what it asked for; soon, not at once. */
void listen_drop(struct peer *p)
{
	if (p->drop || sd_event_add_defer(p->manager->event, &p->drop, on_drop, p) < 0)
		return;
	log_warning("a client has not read %u messages: its connection is closed",
		    PEER_QUEUE_MAX);
}

static int on_disconnected(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	(void)message;
	(void)error;
	peer_free(arg);
	return 0;
}

/* Takes over @fd. */
static int peer_new(struct manager *m, int fd)
{
	struct peer *p = calloc(1, sizeof(*p));
	sd_id128_t id;
	int r;

	if (!p) {
		close(fd);
		return -ENOMEM;
	}
	r = sd_id128_randomize(&id);
	if (r >= 0)
		r = sd_bus_new(&p->bus);
	if (r < 0) {
		close(fd);
		free(p);
		return r;
	}
	r = sd_bus_set_fd(p->bus, fd, fd);
	if (r < 0)
		close(fd);
	else
		r = sd_bus_set_server(p->bus, 1, id);
	if (r >= 0)
		r = sd_bus_negotiate_fds(p->bus, 1);
	if (r >= 0)
		r = sd_bus_negotiate_creds(p->bus, 1,
					   SD_BUS_CREDS_PID | SD_BUS_CREDS_UID |
					   SD_BUS_CREDS_EUID | SD_BUS_CREDS_EFFECTIVE_CAPS);
	if (r >= 0)
		r = sd_bus_start(p->bus);
	if (r >= 0)
		r = sd_bus_attach_event(p->bus, m->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_match_signal_async(p->bus, NULL,
					      "org.freedesktop.DBus.Local",
					      "/org/freedesktop/DBus/Local",
					      "org.freedesktop.DBus.Local", "Disconnected",
					      on_disconnected, NULL, p);
	if (r >= 0)
		r = bus_add_objects(m, p->bus);
	if (r < 0) {
		sd_bus_close_unref(p->bus);
		free(p);
		return r;
	}
	p->manager = m;
	p->next = m->peers;
	m->peers = p;
	m->n_peers++;
	return 0;
}

static int on_accept(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	struct manager *m = arg;
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int c, r;

	(void)s;
	(void)revents;
	c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (c < 0)
		return 0;
	if (getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || cred.uid != 0 ||
	    m->n_peers >= PEERS_MAX) {
		close(c);
		return 0;
	}
	r = peer_new(m, c);
	if (r < 0)
		log_warning("cannot serve a client: %s", strerror(-r));
	return 0;
}

/* The lock file, locked; also when a dying daemon removes it meanwhile. */
static int take_lock(struct manager *m, struct error *err)
{
	char path[256], pid[16] = "";
	struct stat a, b;
	int fd;

	path_of(m, "lock", path, sizeof(path));
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return fail(err, errno, "cannot open '%s': %s", path,
				    errno == EACCES ? "no permission: run vmond as root" :
						      strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (read(fd, pid, sizeof(pid) - 1) <= 0)
				strcpy(pid, "unknown");
			pid[strcspn(pid, "\n")] = 0;
			close(fd);
			return fail(err, EBUSY,
				    "another vmond runs already (pid %s, '%s'): stop it first",
				    pid, path);
		}
		if (fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino &&
		    a.st_dev == b.st_dev)
			break;
		close(fd);
	}
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
		log_warning("cannot write '%s': %s", path, strerror(errno));
	m->lock_fd = fd;
	return 0;
}

/**
 * listen_start() - lock the runtime directory and listen there
 * @m: manager with @dir set
 * @err: why not
 */
int listen_start(struct manager *m, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	if (strlen(m->dir) + sizeof("/lock") > sizeof(addr.sun_path))
		return fail(err, ENAMETOOLONG, "runtime directory '%s' has too long a name",
			    m->dir);
	if (mkdir(m->dir, 0755) < 0 && errno != EEXIST)
		return fail(err, errno, "cannot make '%s': %s", m->dir,
			    errno == EACCES ? "no permission: run vmond as root" :
					      strerror(errno));
	r = take_lock(m, err);
	if (r < 0)
		return r;

	path_of(m, "bus", addr.sun_path, sizeof(addr.sun_path));
	(void)unlink(addr.sun_path);	/* of a daemon that was killed */
	m->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->listen_fd < 0)
		return fail(err, errno, "cannot make a socket: %s", strerror(errno));
	mask = umask(0177);
	r = bind(m->listen_fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (r < 0 || listen(m->listen_fd, 16) < 0)
		return fail(err, errno, "cannot listen on '%s': %s", addr.sun_path,
			    strerror(errno));
	r = sd_event_add_io(m->event, &m->listen_source, m->listen_fd, EPOLLIN, on_accept, m);
	if (r < 0)
		return fail(err, -r, "cannot watch a socket: %s", strerror(-r));
	return 0;
}

/* Leave nothing behind but the directory. */
void listen_stop(struct manager *m)
{
	char path[256];

	while (m->peers)
		peer_free(m->peers); /* NOLINT(clang-analyzer-unix.Malloc): takes it off the list */
	sd_event_source_disable_unref(m->listen_source);
	if (m->listen_fd >= 0) {
		path_of(m, "bus", path, sizeof(path));
		(void)unlink(path);
		close(m->listen_fd);
	}
	if (m->lock_fd >= 0) {
		path_of(m, "lock", path, sizeof(path));
		(void)unlink(path);
		close(m->lock_fd);
	}
}
