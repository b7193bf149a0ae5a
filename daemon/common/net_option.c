// SPDX-License-Identifier: GPL-2.0
/* Parse one network card of a guest, see net_option.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/net_option.h"

static int take_id(const char *value, struct net_option *o, struct error *err)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t n = strlen(value);

	if (!n || n > NET_OPTION_ID_MAX || value[strspn(value, letters)])
		return fail(err, EINVAL, "net: id '%s': use 1 to %u letters, digits, '_' and '-'",
			    value, NET_OPTION_ID_MAX);
	memcpy(o->id, value, n + 1);
	return 0;
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return p ? p - digits : -1;
}

/* Six bytes with colons between; of one card, and not nobody's. */
static int take_mac(const char *value, struct net_option *o, struct error *err)
{
	static const u8 nobody[6];
	const char *p = value;
	unsigned int i;
	int high, low;

	for (i = 0; i < 6; i++) {
		high = hex(p[0]);
		low = high < 0 ? -1 : hex(p[1]);
		if (low < 0 || p[2] != (i < 5 ? ':' : 0))
			break;
		o->mac[i] = high * 16 + low;
		p += 3;
	}
	if (i < 6)
		return fail(err, EINVAL, "net: mac '%s': give one like 02:00:00:12:34:56", value);
	if ((o->mac[0] & 1) || !memcmp(o->mac, nobody, 6))
		return fail(err, EINVAL,
			    "net: mac '%s' is not the address of one card: give one like 02:00:00:12:34:56",
			    value);
	return 0;
}

/* A port and what follows it, or NULL. */
static const char *take_port(const char *p, u16 *port)
{
	unsigned long n;
	char *end;

	if (*p < '0' || *p > '9')
		return NULL;
	n = strtoul(p, &end, 10);
	if (!n || n > 65535)
		return NULL;
	*port = n;
	return end;
}

static const char *take_address(const char *p, char *address)
{
	static const char letters[] = "0123456789abcdefABCDEF.:";
	const char *slash = strchr(p, '/');
	size_t n = slash ? slash - p : 0;

	if (!slash)
		return p;
	if (!n || n > NET_OPTION_ADDRESS_MAX || strspn(p, letters) != n)
		return NULL;
	memcpy(address, p, n);
	return slash + 1;
}

static int take_forward(const char *value, struct net_option *o, struct error *err)
{
	struct net_forward f = { .udp = !strncmp(value, "udp:", 4) };
	const char *p = NULL;

	if (f.udp || !strncmp(value, "tcp:", 4))
		p = take_address(value + 4, f.address);
	if (p)
		p = take_port(p, &f.host);
	f.guest = f.host;
	if (p && *p == ':')
		p = take_port(p + 1, &f.guest);
	if (!p || *p)
		return fail(err, EINVAL,
			    "net: forward '%s': give one like tcp:8080:80 or udp:127.0.0.1/5353:53",
			    value);
	if (o->n_forwards == NET_FORWARDS_MAX)
		return fail(err, EINVAL, "net: more than %u forwards", NET_FORWARDS_MAX);
	o->forwards[o->n_forwards++] = f;
	return 0;
}

/* What comes first. */
static int take_kind(const char *word, struct net_option *o, struct error *err)
{
	size_t n;

	if (!strcmp(word, "none")) {
		o->kind = NET_OPTION_NONE;
	} else if (!strcmp(word, "nat")) {
		o->kind = NET_OPTION_NAT;
	} else if (!strncmp(word, "tap=", 4)) {
		o->kind = NET_OPTION_TAP;
		n = strlen(word + 4);
		if (!n || n > NET_OPTION_TAP_MAX || strchr(word, '/') || strchr(word, '%'))
			return fail(err, EINVAL,
				    "net: tap '%s' is no name of a device: give one of 1 to %u letters",
				    word + 4, NET_OPTION_TAP_MAX);
		memcpy(o->tap, word + 4, n + 1);
	} else {
		return fail(err, EINVAL, "net '%s': use nat, tap=DEVICE or none", word);
	}
	return 0;
}

static int take_word(const char *word, struct net_option *o, struct error *err)
{
	bool nat = o->kind == NET_OPTION_NAT;

	if (o->kind == NET_OPTION_NONE)
		return fail(err, EINVAL, "net: '%s' goes with nat or tap, not with none", word);
	if (!strncmp(word, "mac=", 4))
		return take_mac(word + 4, o, err);
	if (!strncmp(word, "id=", 3))
		return take_id(word + 3, o, err);
	if (nat && !strncmp(word, "forward=", 8))
		return take_forward(word + 8, o, err);
	if (nat && !strcmp(word, "host")) {
		o->host = true;
		return 0;
	}
	return fail(err, EINVAL, "net: '%s' is none of mac=ADDRESS, id=NAME%s", word,
		    nat ? ", forward=PROTOCOL:PORT:PORT, host" : "");
}

/**
 * net_option_parse() - what a user has written about a network card
 * @text: KIND[,WORD]...
 * @ret: filled in on success
 * @err: what is wrong with it
 *
 * Return: 0 or -EINVAL.
 */
int net_option_parse(const char *text, struct net_option *ret, struct error *err)
{
	struct net_option o = { 0 };
	bool first = true;
	char word[96];
	size_t n;
	int r;

	do {
		n = strcspn(text, ",");
		if (n >= sizeof(word))
			return fail(err, EINVAL, "net: '%.20s...' is too long", text);
		memcpy(word, text, n);
		word[n] = 0;
		r = first ? take_kind(word, &o, err) : take_word(word, &o, err);
		if (r < 0)
			return r;
		first = false;
		text += n;
	} while (*text++);
	*ret = o;
	return 0;
}
