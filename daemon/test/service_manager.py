#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# As much of a service manager as the store of descriptors needs (sd_pid_notify_with_fds(3)): keeps
# what its service puts there, and gives it to the next one when that has been killed.
#
# usage: service_manager.py NOTIFY-SOCKET PID-FILE PROGRAM [ARGUMENT...]
# Ends when the service has ended with status 0.

import array
import fcntl
import os
import select
import socket
import sys

HIGH = 500
path, pid_file, command = sys.argv[1], sys.argv[2], sys.argv[3:]
store = {}


def start():
    items = list(store.items())
    pid = os.fork()
    if pid:
        with open(pid_file, "w", encoding="ascii") as f:
            print(pid, file=f)
        return pid
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH) for _, fd in items]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i)
    os.closerange(3 + len(high), 2 * HIGH)
    env = dict(os.environ, NOTIFY_SOCKET=path)
    if items:
        env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(items)),
                   LISTEN_FDNAMES=":".join(name for name, _ in items))
    os.execve(command[0], command, env)


def receive(sock):
    data, ancillary, _, _ = sock.recvmsg(4096, 4096)
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
    words = dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
    name = words.get("FDNAME", "stored")
    if "FDSTOREREMOVE" in words and name in store:
        os.close(store.pop(name))
    for fd in fds:
        if words.get("FDSTORE") == "1" and words.get("FDPOLL") == "0" and name not in store:
            store[name] = fd
        else:
            os.close(fd)


def main():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(path)
    pid = start()
    while True:
        ready, _, _ = select.select([sock], [], [], 0.05)
        if ready:
            receive(sock)
            continue
        done, status = os.waitpid(pid, os.WNOHANG)
        if done and os.WIFEXITED(status) and not os.WEXITSTATUS(status):
            return 1 if store else 0
        if done:
            pid = start()


sys.exit(main())
