// SPDX-License-Identifier: GPL-2.0
/*
 * What guests of the fake engine do: a state machine that makes the accesses a guest would make,
 * as the words of its command line want it (obey()).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/acpi_pm.h"
#include "test/fake_guest.h"

#define COM1		0x3f8
#define BULK		(900u << 10)	/* fits into the console's ring */
#define LINE_USEC	300

static void stop(struct guest *g, u32 cause, const char *report)
{
	g->phase = DONE;
	g->state = VMON_STATE_STOPPED;
	g->cause = cause;
	if (report)
		snprintf(g->report, sizeof(g->report), "%s", report);
}

static void make(struct guest *g, u32 range, u64 addr, bool write, u32 data)
{
	struct engine_io *io = &g->window[++g->seq % VMON_IO_WINDOW];

	*io = (struct engine_io){
		.range = range, .seq = g->seq, .addr = addr, .size = 1,
		.data = data, .write = write,
	};
	if (!write) {
		g->reading = true;
		g->answered = false;
	}
}

static void obey(const struct fake_vm *f, struct guest *g)
{
	if ((g->reborn && !strstr(g->append, "again")) || strstr(g->append, "halt")) {
		stop(g, VMON_CAUSE_HALT, "");
	} else if (strstr(g->append, "fault")) {
		stop(g, VMON_CAUSE_SHUTDOWN, "triple fault at 00100000");
	} else if (strstr(g->append, "error")) {
		stop(g, VMON_CAUSE_ERROR, "unsupported: 0f ff at 00100000");
	} else if (strstr(g->append, "exit")) {
		make(g, f->range_exit, 0xf4, true, 42);
		g->phase = DONE;
	} else if (strstr(g->append, "button")) {
		/* PWRBTN_EN; then its interrupt */
		make(g, f->range_pm, ACPI_PM_EVENT + 3, true, 0x01);
		g->phase = BUTTON;
	} else if (strstr(g->append, "reset")) {
		make(g, f->range_i8042, 0x64, true, 0xfe);
		g->phase = DONE;
	} else if (strstr(g->append, "echo")) {
		/* DTR, RTS, OUT2; then interrupts on received data. */
		make(g, f->range_com1, COM1 + 4, true, 0x0b);
		make(g, f->range_com1, COM1 + 2, true, 0x01);
		make(g, f->range_com1, COM1 + 1, true, 0x01);
		g->phase = ECHO_POLL;
	} else {
		g->phase = DONE;	/* runs on, silently */
	}
}

/* The power button is pressed: clear its status and do what is wanted then. */
static void pressed(const struct fake_vm *f, struct guest *g)
{
	make(g, f->range_pm, ACPI_PM_EVENT + 1, true, 0x01);
	if (strstr(g->append, "deaf"))
		return;
	if (strstr(g->append, "reset"))
		make(g, f->range_i8042, 0x64, true, 0xfe);
	else
		make(g, f->range_pm, ACPI_PM_CONTROL + 1, true, 0x20 | ACPI_PM_S5 << 2);
	g->phase = DONE;
}

/* One byte of the line, or what the line asks for. */
static void play(const struct fake_vm *f, struct guest *g)
{
	switch (g->line.verb) {
	case SCRIPT_TEXT:
		make(g, f->range_com1, COM1, true, g->line.text[g->at]);
		if (++g->at < g->line.len)
			return;
		g->at = 0;
		g->line = fake_script_next(&g->script);
		return;
	case SCRIPT_EXIT:
		make(g, f->range_exit, 0xf4, true, g->line.value);
		break;
	case SCRIPT_HALT:
		stop(g, VMON_CAUSE_HALT, "");
		break;
	case SCRIPT_FAULT:
		stop(g, VMON_CAUSE_SHUTDOWN, "triple fault at 00100000");
		break;
	case SCRIPT_ERROR:
		snprintf(g->report, sizeof(g->report), "%.*s", (int)g->line.len, g->line.text);
		stop(g, VMON_CAUSE_ERROR, NULL);
		break;
	case SCRIPT_HANG:
		break;
	}
	g->phase = DONE;
}

static u32 lines_wanted(const struct guest *g)
{
	const char *word = strstr(g->append, "count=");

	return word ? strtoul(word + 6, NULL, 10) : 0;
}

/*
 * Numbered lines. Before each the scratch register gets the number, after it is read
 * again, and so is the line status: a device that has lost its state is found out.
 */
static void count(const struct fake_vm *f, struct guest *g)
{
	char line[32];

	switch (g->phase) {
	case COUNT:
		snprintf(line, sizeof(line), "line %06u\n", g->count);
		if (!g->at)
			make(g, f->range_com1, COM1 + 7, true, g->count);
		make(g, f->range_com1, COM1, true, line[g->at]);
		if (line[++g->at])
			return;
		g->at = 0;
		usleep(LINE_USEC);
		make(g, f->range_com1, COM1 + 5, false, 0);
		g->phase = COUNT_LSR;
		return;
	case COUNT_LSR:
		if ((g->answer & 0x61) != 0x60)
			stop(g, VMON_CAUSE_ERROR, "the line status is not what it must be");
		make(g, f->range_com1, COM1 + 7, false, 0);
		g->phase = COUNT_SCR;
		return;
	default:
		if ((g->answer & 0xff) != (g->count & 0xff))
			stop(g, VMON_CAUSE_ERROR, "the scratch register is not what it must be");
		else
			g->phase = ++g->count < lines_wanted(g) ? COUNT : OBEY;
		return;
	}
}

static void echo(const struct fake_vm *f, struct guest *g)
{
	switch (g->phase) {
	case ECHO_POLL:
		make(g, f->range_com1, COM1 + 5, false, 0);
		g->phase = ECHO_LSR;
		break;
	case ECHO_LSR:
		if (!(g->answer & 1)) {
			g->phase = ECHO_IDLE;
			break;
		}
		make(g, f->range_com1, COM1, false, 0);
		g->phase = ECHO_BYTE;
		break;
	default:
		if (g->answer == 4) {
			stop(g, VMON_CAUSE_HALT, "");
			return;
		}
		make(g, f->range_com1, COM1, true, g->answer);
		g->phase = ECHO_POLL;
		break;
	}
}

static void greet(const struct fake_vm *f, struct guest *g)
{
	static const char greeting[] = "hello from the fake guest\n";

	make(g, f->range_com1, COM1, true, greeting[g->at]);
	if (greeting[++g->at])
		return;
	g->at = 0;
	g->phase = strstr(g->append, "bulk") ? BULK_OUT : lines_wanted(g) ? COUNT : OBEY;
}

void fake_guest_step(const struct fake_vm *f, struct guest *g, unsigned int max)
{
	u32 last = g->seq + max - 4;

	while ((s32)(g->seq - last) < 0 && g->state == VMON_STATE_RUNNING) {
		if (g->reading) {
			if (!g->answered)
				break;
			g->reading = false;
		}
		if (g->seq - g->done > VMON_IO_WINDOW - 4)
			break;
		switch (g->phase) {
		case GREET:
			greet(f, g);
			break;
		case BULK_OUT:
			make(g, f->range_com1, COM1, true,
			     g->at % 64 == 63 ? '\n' : '0' + g->at % 64);
			if (++g->at == BULK)
				g->phase = OBEY;
			break;
		case COUNT ... COUNT_SCR:
			count(f, g);
			break;
		case OBEY:
			obey(f, g);
			break;
		case SCRIPT:
			play(f, g);
			break;
		case ECHO_IDLE:
			if (!g->irq)
				return;
			g->phase = ECHO_POLL;
			break;
		case ECHO_POLL ... ECHO_BYTE:
			echo(f, g);
			break;
		case BUTTON:
			if (!g->sci)
				return;
			g->sci = false;
			pressed(f, g);
			break;
		case DONE:
			return;
		}
	}
}
