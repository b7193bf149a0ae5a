/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest definitions: what a guest is, as files say it (vmon-guest(5)).
 *
 * guest_keys[] is the list of all there is to say. A row names section, key, type and
 * the field of struct guest_config that it fills, and everything else follows from
 * the rows: parsing, messages, the options of "vmonctl create", and what is shown. A key that
 * can be given again, as [boot] module= can, fills a struct guest_list.
 *
 * Only clients read definitions; vmond gets what they say, and files as descriptors.
 */
#ifndef VMON_GUEST_CONFIG_H
#define VMON_GUEST_CONFIG_H

#include "common/error.h"
#include "common/types.h"

#define GUEST_MEMORY_DEFAULT	(128ull << 20)
#define GUEST_FILE_MAX		(64u << 10)	/* bytes of one file */
#define GUEST_LIST_MAX		64		/* values of one key */
#define GUEST_PROBLEMS_MAX	16
#define GUEST_DIRS_MAX		8

enum guest_exec {
	GUEST_EXEC_DEFAULT,
	GUEST_EXEC_TRANSLATE,
	GUEST_EXEC_EMULATE,
};

enum guest_action {
	GUEST_STOP,
	GUEST_RESTART,
};

/**
 * struct guest_list - values of a key that can be given again, in order
 * @text: each as it was written
 * @n: how many
 */
struct guest_list {
	char **text;
	unsigned int n;
};

/**
 * struct guest_config - a definition, and where it comes from
 * @name: of the guest
 * @path: main file
 * @dropins: further files, in the order they were read
 * @description: for people
 * @autostart: started at boot, without being enabled
 * @on_reboot: enum guest_action, when the guest resets itself
 * @on_crash: enum guest_action, after a triple fault or something unsupported
 * @kernel: absolute path
 * @initrd: absolute path, or NULL
 * @append: command line, or NULL
 * @modules: Multiboot modules, each "PATH [ARGS]"
 * @memory: bytes
 * @exec: enum guest_exec
 * @disks: virtio disks, each as common/disk_option.h has it
 * @nets: virtio network cards, each as common/net_option.h has it
 * @rng: with a virtio source of randomness
 * @log: file that gets the console's output, or NULL
 */
struct guest_config {
	char *name;
	char *path;
	struct guest_list dropins;
	char *description;
	bool autostart;
	unsigned int on_reboot;
	unsigned int on_crash;
	char *kernel;
	char *initrd;
	char *append;
	struct guest_list modules;
	u64 memory;
	unsigned int exec;
	struct guest_list disks;
	struct guest_list nets;
	bool rng;
	char *log;
};

/**
 * struct guest_problems - what is wrong with a definition, a sentence each
 * @n: how many were found
 * @text: the first of them
 */
struct guest_problems {
	unsigned int n;
	char *text[GUEST_PROBLEMS_MAX];
};

/**
 * struct guest_dirs - where definitions are, those that win first
 * @n: how many
 * @dir: paths; new definitions go to the first
 */
struct guest_dirs {
	unsigned int n;
	char *dir[GUEST_DIRS_MAX];
};

struct guest_key;

/**
 * struct guest_type - how values of a kind are written
 * @expect: what would have been right, for messages
 * @repeated: a further value is added, it does not replace
 * @path: values begin with a path
 * @set: take over a value that is not empty; -EINVAL: it is none, -ENOMEM, -E2BIG
 * @clear: back to where it was before anything was set
 * @text: value number i as it would be written, to be freed; NULL: there is none
 * @max: how many values a list takes
 */
struct guest_type {
	const char *expect;
	bool repeated;
	bool path;
	int (*set)(const struct guest_key *key, void *field, const char *value);
	void (*clear)(void *field);
	char *(*text)(const struct guest_key *key, const void *field, unsigned int i);
	unsigned int max;
};

/**
 * struct guest_key - a row of the table
 * @section: without brackets
 * @name: key
 * @type: of the value
 * @words: for words: those there are, the first the default
 * @offset: of the field in struct guest_config
 * @running: a running guest that had another value has to be started anew
 * @help: half a line for "vmonctl create --help"
 */
struct guest_key {
	const char *section;
	const char *name;
	const struct guest_type *type;
	const char *const *words;
	size_t offset;
	bool running;
	const char *help;
};

extern const struct guest_key guest_keys[];
extern const unsigned int guest_n_keys;

/* key.c */
void guest_config_init(struct guest_config *c);
void guest_config_free(struct guest_config *c);
int guest_list_add(struct guest_list *list, const char *text);
void guest_list_clear(struct guest_list *list);
const struct guest_key *guest_key_find(const char *section, const char *name);
int guest_key_set(const struct guest_key *key, struct guest_config *c, const char *value,
		  struct error *err);
char *guest_key_text(const struct guest_key *key, const struct guest_config *c,
		     unsigned int i);
const char *guest_word(const char *key, unsigned int value);
u64 guest_digest(const struct guest_config *c);

/* parse.c */
void guest_problem(struct guest_problems *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void guest_problems_clear(struct guest_problems *p);
void guest_parse(struct guest_config *c, const char *path, const char *data, size_t size,
		 struct guest_problems *p);
void guest_complete(struct guest_config *c, struct guest_problems *p);

/* load.c */
int guest_dirs_init(struct guest_dirs *dirs);
void guest_dirs_free(struct guest_dirs *dirs);
int guest_load(const struct guest_dirs *dirs, const char *name, const char *instead,
	       struct guest_config *ret, struct guest_problems *p);
int guest_names(const struct guest_dirs *dirs, struct guest_list *ret);
int guest_read_file(const char *path, char **ret, size_t *size, struct guest_problems *p);

/* store.c */
char *guest_format(const struct guest_config *c, struct error *err);
int guest_store(const char *dir, const char *file, const char *text, bool replace,
		struct error *err);

#endif /* VMON_GUEST_CONFIG_H */
