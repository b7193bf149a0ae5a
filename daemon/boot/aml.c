// SPDX-License-Identifier: GPL-2.0
/*
 * Writing ACPI Machine Language (ACPI Specification 6.4, chapter 20), the few terms that
 * describe a PC: named objects, packages, devices and their resources (6.4).
 *
 * A term that contains others begins with its length, which takes the more bytes the
 * longer it is: aml_close() moves what was written since aml_open() to make room for it.
 */
#include <string.h>

#include "boot/aml.h"

#define OP_ZERO		0x00
#define OP_ONE		0x01
#define OP_NAME		0x08
#define OP_BYTE		0x0a
#define OP_WORD		0x0b
#define OP_DWORD	0x0c

/* Resource descriptors. */
#define RES_IRQ		0x22	/* edge triggered, active high */
#define RES_PORTS	0x47
#define RES_DECODE16	0x01
#define RES_DWORD	0x87
#define RES_WORD	0x88
#define RES_FIXED	0x0c	/* both ends of the range */
#define RES_WRITABLE	0x01	/* memory */
#define RES_ENTIRE	0x03	/* ports, whether ISA's or not */
#define RES_END		0x79

void aml_bytes(struct aml *a, const void *data, size_t n)
{
	if (a->n + n <= a->size)
		memcpy(a->data + a->n, data, n);
	a->n += n;
}

void aml_byte(struct aml *a, u8 value)
{
	aml_bytes(a, &value, 1);
}

/* The low @n bytes of a value, the lowest first. */
static void little_endian(struct aml *a, u32 value, unsigned int n)
{
	for (; n; n--, value >>= 8)
		aml_byte(a, value);
}

/* A constant, in its shortest form. */
void aml_integer(struct aml *a, u32 value)
{
	if (value <= 1) {
		aml_byte(a, value ? OP_ONE : OP_ZERO);
	} else if (value <= 0xff) {
		aml_byte(a, OP_BYTE);
		little_endian(a, value, 1);
	} else if (value <= 0xffff) {
		aml_byte(a, OP_WORD);
		little_endian(a, value, 2);
	} else {
		aml_byte(a, OP_DWORD);
		little_endian(a, value, 4);
	}
}

static unsigned int hex(char digit)
{
	return digit <= '9' ? digit - '0' : digit - 'A' + 10;
}

/**
 * aml_eisa_id() - a device identification, as the integer that it is compressed to
 * @a: to write to
 * @id: three letters and four upper case hexadecimal digits (6.1.5, 19.3.4)
 */
void aml_eisa_id(struct aml *a, const char *id)
{
	u16 vendor = (id[0] - '@') << 10 | (id[1] - '@') << 5 | (id[2] - '@');

	aml_byte(a, OP_DWORD);
	aml_byte(a, vendor >> 8);
	aml_byte(a, vendor);
	aml_byte(a, hex(id[3]) << 4 | hex(id[4]));
	aml_byte(a, hex(id[5]) << 4 | hex(id[6]));
}

/* The object that follows has this name of four characters. */
void aml_name(struct aml *a, const char *name)
{
	aml_byte(a, OP_NAME);
	aml_bytes(a, name, 4);
}

/**
 * aml_open() - begin a term that contains others
 * @a: to write to
 * @op: AML_SCOPE and so on; what it requires follows: a name, a number of elements
 *
 * Return: for aml_close().
 */
size_t aml_open(struct aml *a, unsigned int op)
{
	if (op > 0xff)
		aml_byte(a, op >> 8);
	aml_byte(a, op);
	return a->n;
}

/**
 * aml_close() - end a term: write its length, which counts itself, too (20.2.4)
 * @a: to write to
 * @at: from aml_open()
 */
void aml_close(struct aml *a, size_t at)
{
	size_t body = a->n - at;
	unsigned int n = body + 1 < 0x40 ? 1 : body + 2 < 0x1000 ? 2 : 3;
	size_t length = body + n, i;

	a->n += n;
	if (a->n > a->size)
		return;
	memmove(a->data + at + n, a->data + at, body);
	if (n == 1) {
		a->data[at] = length;
		return;
	}
	a->data[at] = (n - 1) << 6 | (length & 0x0f);
	for (i = 1; i < n; i++)
		a->data[at + i] = length >> (8 * i - 4);
}

/* Resource: ports that do not move (6.4.2.5). */
void aml_ports(struct aml *a, u16 first, u8 count)
{
	aml_byte(a, RES_PORTS);
	aml_byte(a, RES_DECODE16);
	little_endian(a, first, 2);
	little_endian(a, first, 2);
	aml_byte(a, 1);		/* alignment */
	aml_byte(a, count);
}

/* Resource: a line of the 8259s as ISA has it (6.4.2.1). */
void aml_irq(struct aml *a, unsigned int line)
{
	aml_byte(a, RES_IRQ);
	little_endian(a, 1u << line, 2);
}

/**
 * aml_range() - resource: what a bridge passes on (6.4.3.5)
 * @a: to write to
 * @space: of what; buses and ports have 16 bits, memory 32
 * @first: first address
 * @size: how many
 */
void aml_range(struct aml *a, enum aml_space space, u32 first, u32 size)
{
	static const u8 flags[] = {
		[AML_MEMORY] = RES_WRITABLE, [AML_PORTS] = RES_ENTIRE, [AML_BUSES] = 0,
	};
	unsigned int width = space == AML_MEMORY ? 4 : 2;

	aml_byte(a, space == AML_MEMORY ? RES_DWORD : RES_WORD);
	little_endian(a, 3 + 5 * width, 2);
	aml_byte(a, space);
	aml_byte(a, RES_FIXED);
	aml_byte(a, flags[space]);
	little_endian(a, 0, width);		/* granularity */
	little_endian(a, first, width);
	little_endian(a, first + size - 1, width);
	little_endian(a, 0, width);		/* translation */
	little_endian(a, size, width);
}

/**
 * aml_resources() - the resources that a device has, _CRS (6.2.2)
 * @a: to write to, in a device
 * @list: one after the other, without the end tag
 */
void aml_resources(struct aml *a, const struct aml *list)
{
	size_t at;

	aml_name(a, "_CRS");
	at = aml_open(a, AML_BUFFER);
	aml_integer(a, list->n + 2);
	aml_bytes(a, list->data, list->n);
	aml_byte(a, RES_END);
	aml_byte(a, 0);		/* no checksum */
	aml_close(a, at);
}
