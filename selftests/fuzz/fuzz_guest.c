// SPDX-License-Identifier: GPL-2.0
/*
 * Guest definitions that nobody has checked: a main file and a drop-in. Every problem is one
 * line that begins with the file's name. What is accepted, is written and read again, says
 * the same; what cannot be written has a reason.
 */
#include "fuzz.h"
#include "guest/config.h"

static void read_part(struct guest_config *c, const char *path, const uint8_t *data, size_t size,
		      struct guest_problems *p)
{
	char *copy = malloc(size ? size : 1);	/* of exactly its size */

	memcpy(copy, data, size);
	guest_parse(c, path, copy, size, p);
	free(copy);
}

static void check_problems(const struct guest_problems *p)
{
	unsigned int i;

	for (i = 0; i < p->n && i < GUEST_PROBLEMS_MAX; i++) {
		fuzz_check(p->text[i], "no text");
		fuzz_check(!strncmp(p->text[i], "main.conf:", 10) ||
			   !strncmp(p->text[i], "drop.conf:", 10), "%s", p->text[i]);
		fuzz_check(!strchr(p->text[i], '\n'), "%s", p->text[i]);
	}
}

static void check_round(const struct guest_config *c)
{
	struct guest_problems p = { 0 };
	struct guest_config again;
	struct error err = { 0 };
	char *text = guest_format(c, &err);

	if (!text) {
		fuzz_check(err.code && *err.text, "refused without a word");
		return;
	}
	guest_config_init(&again);
	again.path = strdup("main.conf");
	guest_parse(&again, "main.conf", text, strlen(text), &p);
	guest_complete(&again, &p);
	fuzz_check(!p.n, "written, but: %s\n%s", p.text[0], text);
	fuzz_check(guest_digest(&again) == guest_digest(c), "another one is read back:\n%s", text);
	fuzz_check(again.autostart == c->autostart, "autostart");
	free(text);
	guest_problems_clear(&p);
	guest_config_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size ? memchr(data, 0xff, size) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	struct guest_problems p = { 0 };
	struct guest_config c;

	guest_config_init(&c);
	c.path = strdup("main.conf");
	c.name = strdup("fuzz");
	read_part(&c, "main.conf", data, first, &p);
	if (cut)
		read_part(&c, "drop.conf", cut + 1, size - first - 1, &p);
	if (!p.n)
		guest_complete(&c, &p);
	check_problems(&p);
	if (!p.n)
		check_round(&c);
	guest_problems_clear(&p);
	guest_config_free(&c);
	return 0;
}
