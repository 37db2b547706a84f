"""The port that a server of ours takes."""

from __future__ import annotations

import errno
import socket

from toolkit.cli.mistakes import Mistake

__all__ = ["bound"]


def bound(host: str, port: int, option: str = "--port") -> socket.socket:
    """Take the port before anything is said, so that the first line printed is true. Raises Mistake."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio does this only for sockets it made itself; without it an event may wait 40 ms for the one before it
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Mistake(
                f"Port {port} is in use. Choose another with {option}, or {option} 0 for any free one."
            ) from error
        if error.errno == errno.EACCES:
            raise Mistake(f"Port {port} is not yours to take. Choose one above 1023 with {option}.") from error
        raise Mistake(f"{host} is no address of this machine. Leave --host out for 127.0.0.1.") from error
