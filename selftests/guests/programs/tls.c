// SPDX-License-Identifier: GPL-2.0
/*
 * Thread-local storage through the C library's dynamic loader.
 *
 * i386 glibc addresses it at negative offsets from %gs, in a segment whose base is the
 * thread's block and whose limit wraps around 4 GiB: linked dynamically on purpose.
 */
#include <pthread.h>
#include <stdint.h>

#include "check.h"

#define THREADS 4
#define ROUNDS 20000

static __thread uint32_t counter = 40;
static __thread uint32_t table[64];
static __thread char text[16] = "thread";

static uint32_t at_negative_offset(uint32_t offset)
{
	uint32_t value;

	asm volatile("movl %%gs:(%1), %0" : "=r"(value) : "r"(-offset) : "memory");
	return value;
}

static void *work(void *argument)
{
	uint32_t number = (uintptr_t)argument, self, i;

	check(counter == 40 && !strcmp(text, "thread"));
	for (i = 0; i < ROUNDS; i++) {
		counter += number;
		table[i % 64] ^= counter;
		errno = number;
		if (!(i % 1000))
			sched_yield();
		check(errno == (int)number);
	}
	check(counter == 40 + ROUNDS * number);

	/* %gs:0 holds the block's own address, so both ways must agree. */
	asm("movl %%gs:0, %0" : "=r"(self));
	check(at_negative_offset(self - (uint32_t)&counter) == counter);
	return (void *)(uintptr_t)counter;
}

int main(void)
{
	pthread_t thread[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		check(!pthread_create(&thread[i], NULL, work, (void *)(i + 1)));
	for (i = 0; i < THREADS; i++) {
		void *result;

		check(!pthread_join(thread[i], &result));
		check((uintptr_t)result == 40 + ROUNDS * (i + 1));
	}
	work((void *)9);
	return 0;
}
