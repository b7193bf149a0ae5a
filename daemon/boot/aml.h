/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing ACPI Machine Language, see aml.c.
 */
#ifndef VMON_BOOT_AML_H
#define VMON_BOOT_AML_H

#include "common/types.h"

/* Opcodes of terms that contain others (ACPI Specification 6.4, 20.3). */
#define AML_BUFFER	0x11
#define AML_PACKAGE	0x12
#define AML_SCOPE	0x10
#define AML_DEVICE	0x5b82	/* with its prefix */

/* Kinds of address space in a resource (6.4.3.5). */
enum aml_space { AML_MEMORY, AML_PORTS, AML_BUSES };

/**
 * struct aml - bytes as they are written
 * @data: where to
 * @size: bytes there is room for
 * @n: bytes that were written, or would have been: more than @size if there was no room
 */
struct aml {
	u8 *data;
	size_t size;
	size_t n;
};

void aml_bytes(struct aml *a, const void *data, size_t n);
void aml_byte(struct aml *a, u8 value);
void aml_integer(struct aml *a, u32 value);
void aml_eisa_id(struct aml *a, const char *id);
void aml_name(struct aml *a, const char *name);
size_t aml_open(struct aml *a, unsigned int op);
void aml_close(struct aml *a, size_t at);

void aml_ports(struct aml *a, u16 first, u8 count);
void aml_irq(struct aml *a, unsigned int line);
void aml_range(struct aml *a, enum aml_space space, u32 first, u32 size);
void aml_resources(struct aml *a, const struct aml *list);

#endif /* VMON_BOOT_AML_H */
