/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The least of a client of the family "vmon" for tests: requests are built
 * attribute by attribute and sent, and the answer's attributes are looked up. It
 * checks nothing for the tester, so that wrong requests can be made.
 */
#ifndef VMON_TEST_VMONNL_H
#define VMON_TEST_VMONNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "uapi/vmon.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct vnl {
	int fd;
	uint16_t family;
	uint32_t events;	/* multicast group's id */
	uint32_t seq;
	uint32_t vm;		/* vnl_recv() shows this VM's messages, 0: all */
	char tx[4096];
	size_t tx_len;
	char rx[32768];		/* the last reply or message */
	size_t rx_len;
	int error;		/* of the last request: 0 or -errno */
	char msg[256];		/* extended acknowledgment's message, or "" */
	bool overrun;		/* an answer may be lost for want of memory */
	struct {
		size_t len;
		char data[1024];
	} queue[256];		/* messages that came while waiting for an answer */
	unsigned int queue_in, queue_out;
};

/* A socket with the family resolved; NULL when the module is not there. */
struct vnl *vnl_open(void);
void vnl_close(struct vnl *v);
/* Listen to the events on this socket. */
int vnl_join_events(struct vnl *v);

void vnl_begin(struct vnl *v, int cmd);
void vnl_put(struct vnl *v, int attr, const void *data, size_t len);
void vnl_u8(struct vnl *v, int attr, uint8_t val);
void vnl_u32(struct vnl *v, int attr, uint32_t val);
void vnl_u64(struct vnl *v, int attr, uint64_t val);
void vnl_str(struct vnl *v, int attr, const char *s);

/* Send and wait for reply and acknowledgment. Return: 0 or -errno. */
int vnl_call(struct vnl *v);
/* Send without asking for an acknowledgment. */
void vnl_post(struct vnl *v);

/*
 * The next message from the module that is no answer, in v->rx. Return: its
 * command, 0 when none comes in @ms.
 */
int vnl_recv(struct vnl *v, int ms);

/* Attributes of v->rx; 0 or NULL when missing. */
const void *vnl_attr(struct vnl *v, int attr, size_t *len);
uint64_t vnl_get(struct vnl *v, int attr);
const char *vnl_get_str(struct vnl *v, int attr);
/* Value of a counter in the answer to STAT_GET, -1 when there is none. */
int64_t vnl_stat(struct vnl *v, const char *name);

#endif /* VMON_TEST_VMONNL_H */
