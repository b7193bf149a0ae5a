// SPDX-License-Identifier: GPL-2.0
/*
 * Asking vmond to run a guest, and telling how one ended. Files are opened here, with the
 * rights of the user, and go to vmond as descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/disk_option.h"
#include "common/version.h"
#include "vmonctl/net.h"
#include "vmonctl/request.h"
#include "vmonctl/vmonctl.h"

int request_method(sd_bus *bus, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(bus, ret, NULL, VMON_BUS_PATH,
					      VMON_BUS_INTERFACE, method);
}

static int begin(sd_bus_message *m, const char *name, const char *type)
{
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	return r < 0 ? r : sd_bus_message_open_container(m, 'v', type);
}

static int end(sd_bus_message *m)
{
	int r = sd_bus_message_close_container(m);

	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int open_file(const char *what, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		complain(0, "%s '%s': %s: give a file that exists and that you may read",
			 what, path, strerror(errno));
	return fd;
}

static int open_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		      0600);

	if (fd < 0)
		complain(0, "console log '%s': %s: give a file in a directory that exists and that you may write",
			 path, strerror(errno));
	return fd;
}

/* A descriptor and a name; the message keeps a copy of its own. -ENOENT: was told. */
static int append_fd(sd_bus_message *m, const char *key, int fd, const char *path)
{
	int r;

	if (fd < 0)
		return -ENOENT;
	r = begin(m, key, "(hs)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(hs)", fd, path);
	if (r >= 0)
		r = end(m);
	close(fd);
	return r;
}

static int append_module(sd_bus_message *m, const char *text)
{
	size_t len = strcspn(text, " \t");
	const char *args = text + len + strspn(text + len, " \t");
	char *path = strndup(text, len);
	int fd, r;

	if (!path)
		return -ENOMEM;
	fd = open_file("module", path);
	r = fd < 0 ? -ENOENT : sd_bus_message_append(m, "(hss)", fd, path, args);
	if (fd >= 0)
		close(fd);
	free(path);
	return r;
}

static int append_modules(sd_bus_message *m, const struct guest_list *list)
{
	unsigned int i;
	int r;

	if (!list->n)
		return 0;
	r = begin(m, "modules", "a(hss)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(hss)");
	for (i = 0; i < list->n && r >= 0; i++)
		r = append_module(m, list->text[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : end(m);
}

/* Not to wait: what is no file may have nobody at its other end. */
static int open_disk(const struct disk_option *o)
{
	int flags = (o->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(o->path, flags);

	if (fd >= 0)
		return fd;
	if (errno == EISDIR)
		complain(0, "disk '%s' is a directory: give an image file or a block device",
			 o->path);
	else if ((errno == EACCES || errno == EROFS || errno == EPERM) && !o->readonly)
		complain(0, "disk '%s': %s: give one that you may write, or add ',readonly'",
			 o->path, strerror(errno));
	else
		complain(0, "disk '%s': %s: give a file that exists and that you may read",
			 o->path, strerror(errno));
	return -1;
}

static int append_disk(sd_bus_message *m, const char *text)
{
	struct disk_option o;
	struct error err;
	int fd, r;

	if (disk_option_parse(text, &o, &err) < 0) {
		complain(0, "%s", err.text);
		return -ENOENT;
	}
	fd = open_disk(&o);
	if (fd < 0)
		return -ENOENT;
	r = sd_bus_message_append(m, "(hssb)", fd, o.path, o.id, (int)o.readonly);
	close(fd);
	return r;
}

static int append_disks(sd_bus_message *m, const struct guest_list *list)
{
	unsigned int i;
	int r;

	if (!list->n)
		return 0;
	r = begin(m, "disks", "a(hssb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(hssb)");
	for (i = 0; i < list->n && r >= 0; i++)
		r = append_disk(m, list->text[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : end(m);
}

/* The rest of the option's text is not vmond's. */
static int append_net(sd_bus_message *m, const char *text)
{
	static const u8 none[6];
	char what[NET_OPTION_TAP_MAX + 8], mac[24] = "";
	struct net_option o;
	struct error err;
	int fd, r;

	if (net_option_parse(text, &o, &err) < 0) {
		complain(0, "%s", err.text);
		return -ENOENT;
	}
	if (o.kind == NET_OPTION_NONE)
		return 0;
	fd = net_link_open(&o);
	if (fd < 0)
		return -ENOENT;
	snprintf(what, sizeof(what), "%s%s", o.kind == NET_OPTION_TAP ? "tap=" : "nat", o.tap);
	if (memcmp(o.mac, none, 6))
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", o.mac[0], o.mac[1],
			 o.mac[2], o.mac[3], o.mac[4], o.mac[5]);
	r = sd_bus_message_append(m, "(husss)", fd, o.kind == NET_OPTION_TAP ? 1 : 0, what, mac,
				  o.id);
	close(fd);
	return r;
}

static int append_nets(sd_bus_message *m, const struct guest_list *list)
{
	unsigned int i;
	int r;

	if (!list->n)
		return 0;
	r = begin(m, "nets", "a(husss)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(husss)");
	for (i = 0; i < list->n && r >= 0; i++)
		r = append_net(m, list->text[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : end(m);
}

static int append_string(sd_bus_message *m, const char *key, const char *value)
{
	return value && *value ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

static int append_restart(sd_bus_message *m, const struct request *rq)
{
	unsigned int i;
	int r;

	r = begin(m, "restart", "as");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "s");
	for (i = 0; r >= 0 && i < ARRAY_SIZE(rq->restart) && rq->restart[i]; i++)
		r = sd_bus_message_append(m, "s", rq->restart[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : end(m);
}

static int append_options(sd_bus_message *m, const struct request *rq)
{
	const struct guest_config *c = rq->config;
	char digest[32];
	int r;

	r = append_fd(m, "kernel", open_file("kernel", c->kernel), c->kernel);
	if (r >= 0 && c->initrd)
		r = append_fd(m, "initrd", open_file("initrd", c->initrd), c->initrd);
	if (r >= 0)
		r = append_modules(m, &c->modules);
	if (r >= 0)
		r = append_disks(m, &c->disks);
	if (r >= 0)
		r = append_nets(m, &c->nets);
	if (r >= 0 && c->rng)
		r = sd_bus_message_append(m, "{sv}", "rng", "b", 1);
	if (r >= 0)
		r = append_string(m, "append", c->append);
	if (r >= 0)
		r = sd_bus_message_append(m, "{sv}", "memory", "t", c->memory);
	if (r >= 0)
		r = append_string(m, "exec", guest_word("exec", c->exec));
	if (r >= 0)
		r = append_restart(m, rq);
	if (r >= 0)
		r = append_string(m, "description", c->description);
	if (r >= 0 && c->log)
		r = append_fd(m, "log", open_log(c->log), c->log);
	snprintf(digest, sizeof(digest), "%016" PRIx64, (uint64_t)guest_digest(c));
	if (r >= 0 && rq->defined)
		r = append_string(m, "definition", digest);
	if (r >= 0 && rq->debug_exit)
		r = sd_bus_message_append(m, "{sv}", "debug-exit", "b", 1);
	if (r >= 0 && rq->selfcheck)
		r = sd_bus_message_append(m, "{sv}", "selfcheck", "b", 1);
	if (r >= 0 && rq->bound)
		r = sd_bus_message_append(m, "{sv}", "bound", "b", 1);
	if (r >= 0 && rq->engine_fd >= 0)
		r = sd_bus_message_append(m, "{sv}", "engine", "(hu)", rq->engine_fd,
					  rq->engine_vm);
	return r;
}

/**
 * request_run() - have a guest run
 * @bus: connection
 * @rq: which
 * @ret: what runs now
 *
 * Return: 0, or EXIT_FAILED after a message.
 */
int request_run(sd_bus *bus, const struct request *rq, struct running *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL, *reply = NULL;
	const char *name;
	bool told = false;
	int r;

	r = request_method(bus, "Run", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", rq->config->name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{sv}");
	if (r >= 0) {
		r = append_options(m, rq);
		told = r == -ENOENT;
	}
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "ts", &ret->id, &name);
	if (r >= 0)
		snprintf(ret->name, sizeof(ret->name), "%s", name);
	else if (!told)
		(void)client_failed(&error, r);
	sd_bus_error_free(&error);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r < 0 ? EXIT_FAILED : 0;
}

/* Have @done called when guest @id has ended. Return: 0 or -errno. */
int request_wait(sd_bus *bus, uint64_t id,
		 int (*done)(sd_bus_message *m, void *arg, sd_bus_error *error), void *arg)
{
	sd_bus_message *m = NULL;
	int r;

	r = request_method(bus, "Wait", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", id);
	if (r >= 0)
		r = sd_bus_call_async(bus, NULL, m, done, arg, UINT64_MAX);
	sd_bus_message_unref(m);
	return r;
}

/**
 * tell_end() - say how a guest ended
 * @name: of the guest
 * @end: vmond's word for it
 * @value: what the guest wrote to the exit port
 * @report: the module's sentence, or ""
 *
 * Return: the exit status that stands for it.
 */
int tell_end(const char *name, const char *end, uint32_t value, const char *report)
{
	static const struct {
		const char *end;
		int status;
		const char *text;
	} ends[] = {
		{ "reset", EXIT_OK, "the guest reset itself" },
		{ "halt", EXIT_OK, "the guest halted" },
		{ "power-off", EXIT_OK, "the guest powered off" },
		{ "triple-fault", EXIT_GUEST_FAULT, "the guest triple-faulted" },
		{ "error", EXIT_GUEST_ERROR, "the guest met an error" },
		{ "stopped", EXIT_GUEST_STOPPED, "stopped" },
	};
	unsigned int i;

	if (!strcmp(end, "debug-exit"))
		return value & 0xff;
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		if (strcmp(end, ends[i].end) != 0)
			continue;
		complain(0, "'%s' ended: %s%s%s", name, ends[i].text, *report ? ": " : "",
			 report);
		if (ends[i].status == EXIT_GUEST_FAULT || ends[i].status == EXIT_GUEST_ERROR)
			complain(0, "see 'vmonctl debug regs %s' and 'vmonctl debug trace %s'",
				 name, name);
		return ends[i].status;
	}
	return EXIT_FAILED;
}
