// SPDX-License-Identifier: GPL-2.0
/*
 * The store of descriptors: systemd's (sd_pid_notify_with_fds(3)), or vmon-keeper's.
 *
 * A keeper is looked for when vmond starts, and made when something is to be kept. One that has
 * gone is made anew; what it had is lost for the next vmond, not for this one, so it is
 * told what there is once more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "vmond/keeper.h"
#include "vmond/log.h"

#define KEEPER		"vmon-keeper"
#define SEND_SECONDS	5

struct store {
	bool systemd;
	struct sockaddr_un addr;
	sd_event *event;
	sd_event_source *source;
	u32 claim_ms;
	int keeper;		/* connection, or -1 */
	bool told;		/* that there is none */
	/* What is kept, for a keeper that is made anew; the descriptors are their owners'. */
	struct {
		char name[STORE_NAME];
		int fd;
	} kept[STORE_MAX];
	unsigned int n_kept;
};

static int on_keeper(sd_event_source *source, int fd, uint32_t revents, void *arg);

static int connect_keeper(struct store *s)
{
	struct timeval tv = { .tv_sec = SEND_SECONDS };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) < 0) {
		close(fd);
		return -ENOTCONN;
	}
	s->keeper = fd;
	/* Events are only its end: all else is waited for where it is asked for. */
	(void)sd_event_add_io(s->event, &s->source, fd, EPOLLHUP, on_keeper, s);
	return 0;
}

static int listen_for_keeper(const struct store *s)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0177);
	int r;

	(void)unlink(s->addr.sun_path);
	r = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&s->addr, sizeof(s->addr));
	umask(mask);
	if (r < 0 || listen(fd, 4) < 0) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	return fd;
}

/* Beside this program, as in its build tree, or where it is installed. */
static void exec_keeper(int socket, u32 claim_ms)
{
	static const char *const where[] = { "", "../lib/vmon/" };
	char path[PATH_MAX + 32], self[PATH_MAX], number[16], time[16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned int i;

	if (n < 0)
		_exit(127);
	self[n] = 0;
	dirname(self);
	snprintf(number, sizeof(number), "%d", socket);
	snprintf(time, sizeof(time), "%u", claim_ms);
	for (i = 0; i < ARRAY_SIZE(where); i++) {
		snprintf(path, sizeof(path), "%s/%s" KEEPER, self, where[i]);
		execl(path, KEEPER, number, time, NULL);
	}
	_exit(127);
}

/* In a session of its own, nobody's child: what ends vmond does not end it. */
static void become_keeper(int socket, u32 claim_ms)
{
	sigset_t none;
	int fd;

	if (setsid() < 0 || fork())
		_exit(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd = dup(socket);
	if (fd < 3)
		_exit(127);
	if (chdir("/") < 0 || dup2(fd, 3) < 0)
		_exit(127);
	close_range(4, ~0u, 0);
	if (!freopen("/dev/null", "r", stdin) || !freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr))
		_exit(127);
	exec_keeper(3, claim_ms);
}

static int start_keeper(struct store *s)
{
	int fd = listen_for_keeper(s), status, r;
	pid_t pid;

	if (fd < 0)
		return fd;
	pid = fork();
	if (!pid)
		become_keeper(fd, s->claim_ms);
	close(fd);
	if (pid < 0)
		return -errno;
	(void)waitpid(pid, &status, 0);
	r = connect_keeper(s);
	return r;
}

/* There is one, and it knows all. */
static bool have_keeper(struct store *s)
{
	unsigned int i;
	int r;

	if (s->keeper >= 0)
		return true;
	r = start_keeper(s);
	for (i = 0; i < s->n_kept && !r; i++)
		r = keeper_send(s->keeper, KEEPER_PUT, s->kept[i].name, s->kept[i].fd);
	if (r && !s->told) {
		log_warning("vmon-keeper does not run (%s): virtual machines end with this vmond",
			    strerror(-r));
		s->told = true;
	}
	return !r;
}

static void lose_keeper(struct store *s)
{
	s->source = sd_event_source_disable_unref(s->source);
	close(s->keeper);
	s->keeper = -1;
}

static int on_keeper(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct store *s = arg;

	(void)source, (void)fd, (void)revents;
	lose_keeper(s);
	if (s->n_kept)
		(void)have_keeper(s);
	return 0;
}

/**
 * store_new() - find out who keeps descriptors
 * @event: loop
 * @dir: runtime directory
 * @claim_ms: how long what is kept may be needed
 * @ret: store
 * @err: why not
 */
int store_new(sd_event *event, const char *dir, u32 claim_ms, struct store **ret, struct error *err)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return fail(err, ENOMEM, "out of memory");
	s->event = sd_event_ref(event);
	s->systemd = getenv("NOTIFY_SOCKET");
	s->claim_ms = claim_ms;
	s->keeper = -1;
	s->addr.sun_family = AF_UNIX;
	snprintf(s->addr.sun_path, sizeof(s->addr.sun_path), "%s/keeper", dir);
	*ret = s;
	return 0;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	if (s->keeper >= 0)
		lose_keeper(s);
	sd_event_unref(s->event);
	free(s);
}

static void note(struct store *s, const char *name, int fd)
{
	if (s->n_kept == STORE_MAX)
		return;
	snprintf(s->kept[s->n_kept].name, STORE_NAME, "%s", name);
	s->kept[s->n_kept++].fd = fd;
}

static void take_systemd(store_fn fn, void *arg)
{
	char **names = NULL;
	int i, n = sd_listen_fds_with_names(1, &names);

	for (i = 0; i < n; i++) {
		fn(names[i], SD_LISTEN_FDS_START + i, arg);
		free(names[i]);
	}
	free(names);
}

/**
 * store_take() - get what the vmond before has left; it stays there
 * @s: store
 * @fn: gets each; the descriptor must stay open until it is dropped
 * @arg: for @fn
 */
void store_take(struct store *s, store_fn fn, void *arg)
{
	struct keeper_packet packet = { 0 };
	int fd;

	if (s->systemd) {
		take_systemd(fn, arg);
		return;
	}
	if (connect_keeper(s) < 0)
		return;
	if (keeper_send(s->keeper, KEEPER_LIST, "", -1) < 0) {
		lose_keeper(s);
		return;
	}
	while (!keeper_receive(s->keeper, &packet, &fd) && packet.verb == KEEPER_PUT) {
		if (fd < 0)
			continue;
		note(s, packet.name, fd);
		fn(packet.name, fd, arg);
	}
}

/**
 * store_put() - have a descriptor outlive vmond
 * @s: store
 * @name: its name
 * @fd: descriptor; must stay open until it is dropped
 *
 * Return: whether it is kept.
 */
bool store_put(struct store *s, const char *name, int fd)
{
	char text[STORE_NAME + 48];

	if (s->systemd) {
		snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
		return sd_pid_notify_with_fds(0, 0, text, &fd, 1) > 0;
	}
	if (!have_keeper(s))
		return false;
	note(s, name, fd);
	if (!keeper_send(s->keeper, KEEPER_PUT, name, fd))
		return true;
	lose_keeper(s);
	return have_keeper(s);
}

/**
 * store_drop() - a descriptor needs not outlive vmond any more
 * @s: store
 * @name: its name; close it afterwards
 */
void store_drop(struct store *s, const char *name)
{
	unsigned int i;

	if (s->systemd) {
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
		return;
	}
	for (i = 0; i < s->n_kept && strcmp(s->kept[i].name, name); i++)
		;
	if (i == s->n_kept)
		return;
	s->kept[i] = s->kept[--s->n_kept];
	if (s->keeper >= 0 && keeper_send(s->keeper, KEEPER_DROP, name, -1) < 0)
		lose_keeper(s);
}
