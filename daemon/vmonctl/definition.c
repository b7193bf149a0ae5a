// SPDX-License-Identifier: GPL-2.0
/*
 * Reading definitions for verbs, and telling what is wrong with them: on standard error, and
 * in the journal when it is a unit that asks.
 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "common/messages.h"
#include "vmonctl/definition.h"
#include "vmonctl/vmonctl.h"

/* Return: 0, or EXIT_FAILED after a message. */
int definition_dirs(struct guest_dirs *dirs)
{
	int r = guest_dirs_init(dirs);

	if (r == -EINVAL)
		return complain(EXIT_FAILED, "VMON_GUESTS_PATH has no directory: unset it");
	return r < 0 ? complain(EXIT_FAILED, "out of memory") : 0;
}

void definition_tell(const struct guest_problems *p)
{
	unsigned int i;

	for (i = 0; i < p->n && i < GUEST_PROBLEMS_MAX; i++)
		complain(0, "%s", p->text[i] ? p->text[i] : "out of memory");
	if (p->n > GUEST_PROBLEMS_MAX)
		complain(0, "and %u more", p->n - GUEST_PROBLEMS_MAX);
}

/* The journal gets fields only from a unit; what a person asks for is his to read. */
static void record_refusal(const char *name, const struct guest_problems *p)
{
	if (!getenv("JOURNAL_STREAM") || !p->n || !p->text[0])
		return;
	(void)sd_journal_send("MESSAGE=guest '%s' is not started: %s", name, p->text[0],
			      "PRIORITY=3", "MESSAGE_ID=" MESSAGE_GUEST_REFUSED,
			      "VMON_GUEST=%s", name, "VMON_PROBLEMS=%u", p->n, NULL);
}

/**
 * definition_load() - read a definition, or say what is wrong with it
 * @name: of the guest
 * @instead: NULL, or a file to be read in place of the main file
 * @ret: to be freed, whatever is returned
 *
 * Return: 0, or EXIT_FAILED after a message.
 */
int definition_load(const char *name, const char *instead, struct guest_config *ret)
{
	struct guest_problems p = { 0 };
	struct guest_dirs dirs;
	int r;

	guest_config_init(ret);
	r = definition_dirs(&dirs);
	if (!r && guest_load(&dirs, name, instead, ret, &p) < 0) {
		definition_tell(&p);
		record_refusal(name, &p);
		r = EXIT_FAILED;
	}
	guest_problems_clear(&p);
	guest_dirs_free(&dirs);
	return r;
}

/* Does a guest that was started with @digest differ from what its definition says now? */
bool definition_is_changed(const struct guest_config *c, const char *digest)
{
	char now[32];

	snprintf(now, sizeof(now), "%016" PRIx64, (uint64_t)guest_digest(c));
	return *digest && strcmp(now, digest) != 0;
}
