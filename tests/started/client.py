"""Stand in for a started `toolkit`, with nothing but a little of the standard library.

Hands its arguments, environment, folder and streams to `server.py`, passes signals on, and ends as the command did.
Where the server says so, or there is none, it becomes the installed command. It is copied to a place of its own as
`bin/toolkit`, beside `socket`, the server's, and `installed`, a link to the command.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

home, arguments = os.path.dirname(os.path.dirname(os.path.abspath(__file__))), sys.argv[1:]
PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is a command it would end this process alone
umask = os.umask(0)
os.umask(umask)
asked = json.dumps({"arguments": arguments, "environment": dict(os.environ), "umask": umask}).encode()
folder = os.open(".", os.O_RDONLY)
with socket.socket(socket.AF_UNIX) as connection:
    try:
        connection.connect(os.path.join(home, "socket"))
        socket.send_fds(connection, [len(asked).to_bytes(8, "big")], [0, 1, 2, folder])
        connection.sendall(asked)
        answers = connection.makefile("r")
        process = int(answers.readline() or 0)
    except OSError:
        process = 0
    if not process:
        installed = os.readlink(os.path.join(home, "installed"))
        os.execv(installed, [installed, *arguments])
    for number in PASSED:
        signal.signal(number, lambda number, _: os.kill(process, number))
    code = int(answers.readline())
if code < 0:
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
