// SPDX-License-Identifier: GPL-2.0
/*
 * Fork and execute this program again many times; every child reports a different
 * exit status, and a pipe brings back what it was told on its command line.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void one_child(const char *self, int number)
{
	char argument[16], answer[16] = "";
	int ends[2], status;
	pid_t child;

	snprintf(argument, sizeof(argument), "%d", number);
	check(!pipe(ends));
	child = fork();
	check(child >= 0);
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(self, self, "child", argument, NULL);
		_exit(127);
	}
	close(ends[1]);
	check(read(ends[0], answer, sizeof(answer) - 1) > 0);
	close(ends[0]);
	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == number % 100);
	check(!strcmp(answer, argument));
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 200;
	int i;

	if (argc > 2 && !strcmp(argv[1], "child")) {
		size_t length = strlen(argv[2]);

		check(write(STDOUT_FILENO, argv[2], length) == (ssize_t)length);
		return atoi(argv[2]) % 100;
	}
	for (i = 0; i < count; i++)
		one_child("/proc/self/exe", i);
	return 0;
}
