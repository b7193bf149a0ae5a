// SPDX-License-Identifier: GPL-2.0
/*
 * Guest definitions: what files say, in which order they count, and what is said about
 * wrong ones: file and line, and what would be right.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/config.h"
#include "tap.h"

static char root[32];
static struct guest_dirs dirs;
static struct guest_config c;
static struct guest_problems p;

static void clear(void)
{
	guest_config_free(&c);
	guest_problems_clear(&p);
}

static void parse(const char *text)
{
	clear();
	c.path = strdup("web.conf");
	guest_parse(&c, "web.conf", text, strlen(text), &p);
	if (!p.n)
		guest_complete(&c, &p);
}

/* One problem, and these words in it. */
static bool complains(const char *text, const char *words)
{
	parse(text);
	if (p.n == 1 && strstr(p.text[0], words))
		return true;
	printf("# %u problems: %s\n", p.n, p.n ? p.text[0] : "");
	return false;
}

static bool is(const char *value, const char *wanted)
{
	if (wanted ? value && !strcmp(value, wanted) : !value)
		return true;
	printf("# '%s', not '%s'\n", value ? value : "(null)", wanted ? wanted : "(null)");
	return false;
}

static void put(const char *file, const char *text)
{
	char path[256], *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static int load(const char *name)
{
	clear();
	return guest_load(&dirs, name, NULL, &c, &p);
}

#define B	"[boot]\nkernel=/k\n"

static void values(void)
{
	parse("# a comment\n; another\n\n[guest]\ndescription = Web server\nautostart=yes\n"
	      "on-reboot=restart\non-crash = restart\n[boot]\nkernel=/boot/k\ninitrd=/boot/i\n"
	      "append=console=ttyS0 a=b:c\nmodule=/m one\nmodule=/n\n"
	      "[machine]\nmemory=1G\nexec=emulate\nnet=nat,forward=tcp:8080:80\nnet=tap=t0\n[console]\nlog=/var/log/web\n");
	tap_ok(!p.n && is(c.description, "Web server") && c.autostart &&
	       c.on_reboot == GUEST_RESTART && c.on_crash == GUEST_RESTART &&
	       is(c.kernel, "/boot/k") && is(c.initrd, "/boot/i") && c.memory == 1ull << 30 &&
	       c.exec == GUEST_EXEC_EMULATE && c.nets.n == 2 && is(c.nets.text[1], "tap=t0") &&
	       is(c.log, "/var/log/web"), "every key");
	tap_ok(is(c.append, "console=ttyS0 a=b:c"), "a command line keeps its = and :");
	tap_ok(c.modules.n == 2 && is(c.modules.text[0], "/m one") && is(c.modules.text[1], "/n"),
	       "a key that can be given again keeps all, in order");
	parse(B);
	tap_ok(!p.n && c.memory == GUEST_MEMORY_DEFAULT && c.on_reboot == GUEST_STOP &&
	       c.exec == GUEST_EXEC_DEFAULT && !c.append && !c.autostart, "defaults");
	parse(B "append=a\n  b\n\tc ; comment\nappend=d\n");
	tap_ok(!p.n && is(c.append, "a b c d"), "a command line goes on in lines with a blank");
	parse("\xef\xbb\xbf[boot]\r\nkernel=/k\r\n");
	tap_ok(!p.n && is(c.kernel, "/k"), "a byte order mark and CRLF do not matter");
	parse(B "module=/a\nmodule=\nmodule=/b\nappend=x\nappend=\n");
	tap_ok(!p.n && c.modules.n == 1 && is(c.modules.text[0], "/b") && !c.append,
	       "an empty value takes back what was set");
	parse("  [boot]\n  kernel=/k\n");
	tap_ok(!p.n && is(c.kernel, "/k"), "a first key may be indented");
}

static void mistakes(void)
{
	char line[400], text[512];

	tap_ok(complains(B "colour=red\n",
			 "web.conf:3: key 'colour' is unknown: [boot] has kernel, initrd,"),
	       "unknown key");
	tap_ok(complains(B "[disk]\npath=/d\n",
			 "web.conf:4: section [disk] is unknown: there are [guest], [boot]"),
	       "unknown section");
	tap_ok(complains(B "memory=1G\n",
			 "web.conf:3: key 'memory' does not belong into [boot]: put it below"),
	       "key in another section");
	tap_ok(complains("kernel=/k\n[boot]\nkernel=/k\n",
			 "web.conf:1: 'kernel' stands before any section: put it below [boot]"),
	       "key before any section");
	tap_ok(complains(B "[machine]\nmemory=lots\n",
			 "web.conf:4: memory 'lots': give a size like 128M"),
	       "no size");
	tap_ok(complains(B "[machine]\nmemory=0\n", "give a size") &&
	       complains(B "[machine]\nmemory=99999999999G\n", "give a size") &&
	       complains(B "[machine]\nmemory=1MB\n", "give a size") &&
	       complains(B "[machine]\nmemory=-1M\n", "give a size"), "sizes that are none");
	tap_ok(complains(B "[machine]\nexec=fast\n",
			 "exec 'fast': give default, translate or emulate"),
	       "no such word");
	tap_ok(complains(B "[guest]\nautostart=maybe\n", "autostart 'maybe': give yes or no"),
	       "neither yes nor no");
	tap_ok(complains("[boot]\nkernel=vmlinuz\n",
			 "web.conf:2: kernel 'vmlinuz': give an absolute path"),
	       "relative path");
	tap_ok(complains(B "kernel=/l\n",
			 "web.conf:3: 'kernel' is given again, line 2 has it already"),
	       "given again");
	tap_ok(complains(B "initrd=/i\n more\n", "web.conf:4: the line begins with a blank"),
	       "a path does not go on in the next line");
	tap_ok(complains(B "vmlinuz\n", "web.conf:3: 'vmlinuz' is neither '[section]' nor"),
	       "a line that is nothing");
	tap_ok(complains("[boot\nkernel=/k\n", "web.conf:1: '[boot' is neither") || p.n == 2,
	       "a section that is not closed");
	tap_ok(complains("[guest]\ndescription=x\n", "[boot] kernel= is missing: give the path"),
	       "no kernel");
	memset(line, 'x', sizeof(line));
	line[300] = 0;
	snprintf(text, sizeof(text), B "append=%s=y\n", line);
	tap_ok(complains(text, "web.conf:3: the line has 309 bytes, at most 197"),
	       "a line that is too long is no two lines");
	line[190] = 0;
	snprintf(text, sizeof(text), B "append=%s\n", line);
	parse(text);
	tap_ok(!p.n && is(c.append, line), "a line that is just short enough");
	clear();
	guest_parse(&c, "web.conf", "[boot]\nkernel=/k\0x\n", 19, &p);
	tap_ok(p.n == 1 && strstr(p.text[0], "web.conf:2: the line has a zero byte"), "zero byte");
	parse(B "a=1\nb=2\n[machine]\nmemory=x\n");
	tap_ok(p.n == 3 && strstr(p.text[2], "web.conf:6:"), "all mistakes are found");
	parse("a=\nb=\nc=\nd=\ne=\nf=\ng=\nh=\ni=\nj=\nk=\nl=\nm=\nn=\no=\np=\nq=\nr=\ns=\n");
	tap_ok(p.n == 19, "more than can be kept are counted");
}

static void precedence(void)
{
	put("etc/web.conf", B "append=etc\n[machine]\nmemory=64M\n");
	put("usr/web.conf", "[boot]\nkernel=/usr\n");
	put("usr/web.conf.d/10-a.conf", "[machine]\nmemory=32M\nexec=emulate\n");
	put("run/web.conf.d/20-b.conf", "[machine]\nmemory=16M\n[boot]\nappend=run\n");
	put("etc/web.conf.d/30-c.conf", "[boot]\nappend=\nappend=last\n");
	tap_ok(!load("web") && is(c.kernel, "/k"), "the first directory's file counts");
	tap_ok(c.memory == 16 << 20 && c.exec == GUEST_EXEC_EMULATE && c.dropins.n == 3,
	       "drop-ins of all directories, by name");
	tap_ok(is(c.append, "last"), "a drop-in takes back and sets anew");
	put("etc/web.conf.d/20-b.conf", "[machine]\nmemory=8M\n");
	tap_ok(!load("web") && c.memory == 8 << 20 && c.dropins.n == 3,
	       "of drop-ins of one name the first directory's counts");
	unlinkat(AT_FDCWD, "/dev/vmon-none", 0);
	put("etc/web.conf.d/40-bad.conf", "[machine]\nmemory=x\n");
	tap_ok(load("web") == -EINVAL && p.n == 1 && strstr(p.text[0], "40-bad.conf:2:"),
	       "a mistake in a drop-in refuses the guest and names the drop-in");
	put("usr/other.conf", B);
	tap_ok(!load("other") && strstr(c.path, "/usr/other.conf"), "another guest is not concerned");
	tap_ok(load("none") == -ENOENT && strstr(p.text[0], "vmonctl create none"), "no such guest");
	tap_ok(load("../etc/web") == -EINVAL && strstr(p.text[0], "letters, digits"),
	       "a name that is no file name");
	tap_ok(load("-x") == -EINVAL && load("") == -EINVAL && load(".hidden") == -EINVAL,
	       "names that are options, nothing, or hidden files");
}

static void odd_files(void)
{
	struct guest_list names = { 0 };
	char path[256];
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "%s/etc/null.conf", root);
	(void)!symlink("/dev/null", path);
	tap_ok(load("null") == -ENODATA && strstr(p.text[0], "hidden"), "a link to /dev/null hides");
	snprintf(path, sizeof(path), "%s/etc/dir.conf", root);
	mkdir(path, 0755);
	tap_ok(load("dir") == -EINVAL && strstr(p.text[0], "dir.conf: not a regular file"),
	       "a directory is no definition");
	snprintf(path, sizeof(path), "%s/etc/fifo.conf", root);
	mkfifo(path, 0644);
	tap_ok(load("fifo") == -EINVAL && strstr(p.text[0], "not a regular file"),
	       "a fifo is not waited for");
	put("etc/large.conf", B);
	snprintf(path, sizeof(path), "%s/etc/large.conf", root);
	f = fopen(path, "a");
	for (i = 0; i < 70000; i++)
		fputs("#\n", f);
	fclose(f);
	tap_ok(load("large") == -EINVAL && strstr(p.text[0], "at most"), "a file that is too large");
	put("etc/web.conf.rejected", "");
	put("etc/.tmp.conf", "");
	tap_ok(!guest_names(&dirs, &names) && names.n == 6 && is(names.text[0], "dir") &&
	       is(names.text[5], "web"), "names of all that end in .conf, sorted, once");
	guest_list_clear(&names);
}

static void storing(void)
{
	struct guest_config again;
	char path[256], *text, *text2;
	struct error err;
	struct stat st;
	u64 digest;

	parse("[guest]\ndescription=x y\n" B "append=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	      " bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
	      " cccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\n dddddddddddddddd\n"
	      "module=/m a b\nmodule=/n\n[machine]\nmemory=2048K\n");
	c.name = strdup("copy");
	text = guest_format(&c, &err);
	digest = guest_digest(&c);
	tap_ok(text && !guest_store(dirs.dir[0], "copy.conf", text, false, &err), "a definition is stored");
	tap_ok(!load("copy") && guest_digest(&c) == digest, "and reads back as what it was");
	guest_config_init(&again);
	text2 = guest_format(&c, &err);
	tap_ok(is(text2, text), "and is written the same again");
	tap_ok(guest_store(dirs.dir[0], "copy.conf", "x", false, &err) == -EEXIST &&
	       strstr(err.text, "vmonctl edit"), "what is there is not replaced unasked");
	tap_ok(!guest_store(dirs.dir[0], "copy.conf", B, true, &err) && !load("copy") && !c.append,
	       "and is when asked");
	snprintf(path, sizeof(path), "%s/new/dir", root);
	tap_ok(!guest_store(path, "a.conf", B, false, &err), "directories are made");
	snprintf(path, sizeof(path), "%s/new/dir/a.conf", root);
	tap_ok(!stat(path, &st) && (st.st_mode & 07777) == 0644, "readable by all");
	free(text);
	free(text2);
	tap_ok(guest_store("/dev/full/x", "a.conf", B, true, &err) < 0, "no directory can be made there");
	parse(B);
	c.append = strdup("a\nb");
	tap_ok(!guest_format(&c, &err) && strstr(err.text, "control characters"),
	       "a newline cannot be written");
}

static void digest(void)
{
	u64 a, b;

	parse(B "[guest]\ndescription=a\nautostart=no\n");
	a = guest_digest(&c);
	parse("[guest]\nautostart=yes\ndescription=b\n" B "[machine]\nmemory=128M\n");
	tap_ok(guest_digest(&c) == a, "what is for people, and defaults, change no digest");
	parse(B "append=x\n");
	b = guest_digest(&c);
	parse(B "initrd=/x\n");
	tap_ok(b != a && guest_digest(&c) != b && guest_digest(&c) != a, "all else does");
}

int main(void)
{
	char path[1024];

	strcpy(root, "/tmp/vmon-unit-XXXXXX");
	if (!mkdtemp(root))
		return 1;
	snprintf(path, sizeof(path), "%s/etc:%s/run:%s/usr", root, root, root);
	setenv("VMON_GUESTS_PATH", path, 1);
	tap_plan(53);
	tap_ok(!guest_dirs_init(&dirs) && dirs.n == 3, "directories of the environment");
	values();
	mistakes();
	precedence();
	odd_files();
	storing();
	digest();
	clear();
	guest_dirs_free(&dirs);
	snprintf(path, sizeof(path), "rm -rf '%s'", root);
	(void)!system(path);
	return tap_done();
}
