// SPDX-License-Identifier: GPL-2.0
/*
 * Owners that die, files that are no memory, memory that is short, and people who may
 * not: whatever they do, requests are refused with the right error, and the module can
 * be unloaded afterwards and not before.
 *
 * usage: hostile [ROUNDS [SEED]]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/genetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest.h"
#include "tap.h"

#define NOBODY	65534

/* Writes to port 3f8h and to 16 pages of memory, for ever. */
GUEST_PROGRAM(busy,
	"cli\n mov $0x3f8, %dx\n xor %eax, %eax\n mov $0x2000, %bx\n mov %bx, %ds\n"
	"1: xor %bx, %bx\n mov $16, %cx\n"
	"2: mov %eax, (%bx)\n add $0x1000, %bx\n loop 2b\n"
	"out %al, %dx\n inc %eax\n jmp 1b\n");

static struct vnl *v;
static uint64_t seed = 20240607;
static bool tolerate;

static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static bool fine(int err)
{
	return !err || (tolerate && err == -ENOMEM);
}

/* A guest that is busy, owned by @nl. */
static int busy_guest(struct guest *g, struct vnl *nl, const char *name, unsigned int claim_ms)
{
	int err = guest_new(g, nl, name, claim_ms, VMON_EXEC_EMULATE);

	if (!err) {
		guest_load(g, busy_start, busy_end);
		err = guest_range(g, 0x3f8, 8, 42) ?: guest_set_regs(g) ?:
		      guest_state(g, VMON_STATE_RUNNING);
	}
	return err;
}

static bool module_stays(void)
{
	return syscall(SYS_delete_module, "vmon", O_NONBLOCK) < 0 &&
	       (errno == EAGAIN || errno == EBUSY || errno == EWOULDBLOCK);
}

/* --- the daemon is killed --- */

static void daemon_child(int out, unsigned int claim_ms, uint32_t claim)
{
	struct vnl *mine = vnl_open();
	struct guest g = { .v = mine, .vm = claim };
	uint32_t data = 0, seq;

	if (!mine)
		_exit(1);
	if (claim && (guest_simple(&g, VMON_CMD_VM_CLAIM) ||
		      guest_state(&g, VMON_STATE_RUNNING)))
		g.vm = 0;
	if (!g.vm && busy_guest(&g, mine, "victim", claim_ms))
		g.vm = 0;
	if (write(out, &g.vm, sizeof(g.vm)) < 0)
		_exit(1);
	/* An owner at work, until the end comes. */
	for (;;) {
		if (vnl_recv(mine, 1000) != VMON_CMD_IO)
			continue;
		seq = vnl_get(mine, VMON_A_SEQ);
		if (seq % 16 == 0)
			guest_done(&g, seq, &data);
		if (seq % 64 == 0)
			guest_simple(&g, VMON_CMD_VCPU_GET);
	}
}

/* A VM that had this id is gone, or can be claimed and deleted. */
static bool vm_ends(uint32_t vm)
{
	struct guest g = { .v = v, .vm = vm };
	int i;

	for (i = 0; i < 200; i++) {
		if (guest_get(&g) == -ENODEV)
			return true;
		usleep(50000);
	}
	return false;
}

static void test_killed(unsigned int rounds)
{
	unsigned int i, owned = 0, claimed = 0, stays = 0, ended = 0;
	uint32_t vm, left = 0;
	int fds[2], status;
	pid_t pid;

	for (i = 0; i < rounds; i++) {
		if (pipe(fds))
			break;
		pid = fork();
		if (!pid)
			daemon_child(fds[1], i % 3 ? 400 : 0, left);
		close(fds[1]);
		/* Also before it has a VM. */
		if (rnd() % 4)
			vm = read(fds[0], &vm, sizeof(vm)) == sizeof(vm) ? vm : 0;
		else
			vm = 0;
		claimed += vm && vm == left;
		owned += vm != 0;
		if (vm)
			stays += module_stays();
		usleep(rnd() % 30000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		close(fds[0]);
		if (left && vm != left)
			ended += vm_ends(left);
		left = vm && i % 3 ? vm : 0;
		if (vm && !left)
			ended += vm_ends(vm);
	}
	if (left)
		ended += vm_ends(left);
	tap_ok(i == rounds && owned > rounds / 4, "%u owners killed, %u with a VM", i, owned);
	tap_ok(claimed > 0, "%u VMs of killed owners claimed", claimed);
	tap_ok(stays == owned, "no unloading with a VM there (%u of %u refused)", stays, owned);
	tap_ok(ended == owned - claimed, "every VM without owner ends (%u of %u)", ended,
	       owned - claimed);
}

/* --- files --- */

static int attach(struct guest *g, int fd, uint64_t gpa, uint64_t size, uint64_t offset)
{
	vnl_begin(v, VMON_CMD_MEM_NEW);
	vnl_u32(v, VMON_A_VM, g->vm);
	vnl_u64(v, VMON_A_GPA, gpa);
	vnl_u64(v, VMON_A_SIZE, size);
	vnl_put(v, VMON_A_FD, &fd, sizeof(fd));
	vnl_u64(v, VMON_A_OFFSET, offset);
	return vnl_call(v);
}

/* Refused with @err and a sentence; the descriptor is closed. */
static void no_memory(struct guest *g, int fd, int err, const char *what)
{
	int got = fd < 0 && err != -EBADF ? 0 : attach(g, fd, 0x800000, 0x1000, 0);

	tap_ok(got == err && v->msg[0], "%s is no memory: %s (%d)", what, v->msg, got);
	if (fd > 2)
		close(fd);
}

static int reopened(int fd, int flags)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static int sealed(unsigned int seals)
{
	int fd = guest_memfd(GUEST_SIZE, false);

	fcntl(fd, F_ADD_SEALS, seals);
	return fd;
}

static void test_files(struct guest *g)
{
	int good = guest_memfd(GUEST_SIZE, true), fds[2], fd;

	if (pipe(fds))
		return;
	no_memory(g, fds[0], -EINVAL, "a pipe");
	close(fds[1]);
	no_memory(g, open("/dev/zero", O_RDWR), -EINVAL, "/dev/zero");
	no_memory(g, open("/", O_RDONLY | O_DIRECTORY), -EINVAL, "a directory");
	no_memory(g, open("/tmp/hostile.file", O_RDWR | O_CREAT, 0600), -EINVAL, "a file");
	no_memory(g, open("/proc/self/mem", O_RDWR), -EINVAL, "another process's memory");
	no_memory(g, epoll_create1(0), -EINVAL, "an epoll descriptor");
	no_memory(g, v->fd, -EINVAL, "a socket");
	v = vnl_open();		/* that one was closed */
	g->v = v;
	guest_simple(g, VMON_CMD_VM_CLAIM);
	no_memory(g, reopened(good, O_RDONLY), -EINVAL, "a memfd opened to read");
	no_memory(g, reopened(good, O_PATH), -EBADF, "a memfd opened for its path");
	no_memory(g, 4000, -EBADF, "a closed descriptor");
	no_memory(g, sealed(0), -EINVAL, "a memfd without seals");
	no_memory(g, sealed(F_SEAL_GROW), -EINVAL, "a memfd that can shrink");
	no_memory(g, sealed(F_SEAL_SHRINK | F_SEAL_WRITE), -EINVAL, "a memfd sealed against writing");
	no_memory(g, sealed(F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE), -EINVAL,
		  "a memfd sealed against later writing");
	fd = memfd_create("empty", MFD_ALLOW_SEALING);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
	no_memory(g, fd, -EINVAL, "an empty memfd");
	no_memory(g, syscall(SYS_memfd_create, "huge", 4U | MFD_ALLOW_SEALING), -EINVAL,
		  "a memfd of huge pages");
	close(good);
}

/* What the owner does to a file while the guest runs in it. */
static void test_file_in_use(struct guest *g)
{
	unsigned int i;
	bool ok = true;
	int fd;

	tap_ok(ftruncate(g->memfd, 0) < 0 && errno == EPERM, "memory in use does not shrink");
	tap_ok(fcntl(g->memfd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && errno == EBUSY,
	       "memory in use is not sealed against writing");
	for (i = 0; i < 50; i++) {
		ok &= !fallocate(g->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0x20000,
				 0x10000);
		usleep(1000);
	}
	fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	for (i = 0; i < 5 && fd >= 0; i++)
		ok &= write(fd, "1", 1) == 1 || errno == EINVAL;
	close(fd);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	ok &= write(fd, "3", 1) == 1;
	close(fd);
	tap_ok(ok && !guest_get(g) && vnl_get(v, VMON_A_STATE) == VMON_STATE_RUNNING,
	       "the guest survives holes, compaction and dropped caches: %s", v->msg);
	close(g->memfd);
	munmap((void *)g->mem, GUEST_SIZE);
	usleep(20000);
	tap_ok(!guest_get(g) && vnl_get(v, VMON_A_STATE) == VMON_STATE_RUNNING,
	       "and that its file is closed");
}

/* --- memory is short --- */

static void put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("# %s: %s\n", path, strerror(errno));
	close(fd);
}

/*
 * Under a cgroup that reclaims all the time VMs are slow and nothing worse. Few of them: the
 * kernel lets who is over the mark sleep for seconds.
 */
#define SHORT_VMS	2u

static void test_pressure(void)
{
	struct guest g;
	unsigned int i, made = 0;

	mkdir("/tmp/cgroup", 0700);
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) &&
	    system("mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null"))
		printf("# no cgroups\n");
	put_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir("/sys/fs/cgroup/short", 0700);
	put_file("/sys/fs/cgroup/short/memory.high", "2M");
	put_file("/sys/fs/cgroup/short/cgroup.procs", "0");
	for (i = 0; i < SHORT_VMS; i++) {
		if (fine(busy_guest(&g, v, "short", 0))) {
			usleep(50000);
			made += !guest_get(&g) &&
				vnl_get(v, VMON_A_STATE) == VMON_STATE_RUNNING;
		}
		guest_free(&g);
	}
	put_file("/sys/fs/cgroup/cgroup.procs", "0");
	tap_ok(made == SHORT_VMS || tolerate, "%u VMs where memory is short: %s", made, v->msg);
	for (i = 0; i < 50 && rmdir("/sys/fs/cgroup/short"); i++)
		usleep(100000);
	tap_ok(i < 50, "nothing of them stays in the cgroup");
}

/* --- people who may not --- */

/* Every command, on a socket of one's own or one that somebody else opened. */
static unsigned int refused_commands(struct vnl *nl, uint32_t vm)
{
	struct guest g = { .v = nl, .vm = vm };
	unsigned int cmd, refused = 0;

	for (cmd = 1; cmd <= VMON_CMD_MAX; cmd++) {
		if (cmd == VMON_CMD_IO || cmd == VMON_CMD_EVENT)
			continue;
		if (cmd == VMON_CMD_VM_NEW) {
			vnl_begin(nl, cmd);
			vnl_str(nl, VMON_A_NAME, "mine");
			vnl_call(nl);
		} else if (cmd == VMON_CMD_CHECK_GET) {
			vnl_begin(nl, cmd);
			vnl_call(nl);
		} else {
			guest_simple(&g, cmd);
		}
		refused += nl->error == -EPERM && !nl->rx_len;
	}
	return refused;
}

#define NR_COMMANDS	(VMON_CMD_MAX - 2u)

/* In a child: become @who, then try. Return: commands that were refused. */
static unsigned int tried_as(void (*become)(void), bool own_socket, uint32_t vm)
{
	struct vnl *opened = vnl_open();
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		become();
		_exit(refused_commands(own_socket ? vnl_open() : opened, vm));
	}
	waitpid(pid, &status, 0);
	vnl_close(opened);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void become_nobody(void)
{
	/* Dumpable again, or its files in /proc stay root's. */
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
	    prctl(PR_SET_DUMPABLE, 1))
		_exit(254);
}

static void become_namespace_root(void)
{
	become_nobody();
	if (unshare(CLONE_NEWUSER))
		_exit(254);
	put_file("/proc/self/setgroups", "deny");
	put_file("/proc/self/uid_map", "0 65534 1");
	put_file("/proc/self/gid_map", "0 65534 1");
	if (getuid())
		_exit(253);
}

/* Root in a namespace with a network of its own does not even see the family. */
static void become_network_root(void)
{
	become_namespace_root();
	if (unshare(CLONE_NEWNET))
		_exit(252);
	_exit(vnl_open() ? 0 : 100);
}

static void test_permission(struct guest *g)
{
	unsigned int n;

	n = tried_as(become_nobody, true, g->vm);
	tap_ok(n == NR_COMMANDS, "a user without privilege: %u of %u commands refused", n,
	       NR_COMMANDS);
	n = tried_as(become_nobody, false, g->vm);
	tap_ok(n == NR_COMMANDS, "the same on a socket of root's: %u", n);
	n = tried_as(become_namespace_root, true, g->vm);
	tap_ok(n == NR_COMMANDS, "root in a user namespace: %u", n);
	n = tried_as(become_namespace_root, false, g->vm);
	tap_ok(n == NR_COMMANDS, "the same on a socket of root's: %u", n);
	n = tried_as(become_network_root, true, g->vm);
	tap_ok(n == 100, "root in a network namespace sees no family (%u)", n);
	tap_ok(!guest_get(g) && vnl_get(v, VMON_A_STATE) == VMON_STATE_RUNNING,
	       "the VM runs as before: %s", v->msg);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 24;
	struct guest g;

	v = vnl_open();
	tolerate = getenv("TOLERATE_ENOMEM");
	if (!v) {
		tap_plan(1);
		tap_skip("hostile", "the module is not loaded");
		return tap_done();
	}
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	tap_plan(35);
	printf("# seed %llu, %u rounds\n", (unsigned long long)seed, rounds);
	tap_ok(!busy_guest(&g, v, "busy", 10000), "a guest runs: %s", v->msg);
	tap_ok(module_stays(), "the module stays while it does");
	test_permission(&g);
	test_file_in_use(&g);
	guest_state(&g, VMON_STATE_PAUSED);
	test_files(&g);
	guest_simple(&g, VMON_CMD_VM_DEL);
	test_pressure();
	test_killed(rounds);
	tap_ok(vnl_open(), "the module answers");
	return tap_done();
}
