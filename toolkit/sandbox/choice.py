"""Which sandbox is used, from what the user has asked for: a wall of ours when nothing is said, and never less."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.containers import Containers, contained
from toolkit.sandbox.packages import extra, parts
from toolkit.sandbox.unconfined import Unconfined
from toolkit.sandbox.walls import Walled, available

__all__ = ["Chosen", "chosen"]

Chosen = Walled | Containers | Unconfined


async def chosen(*, unsafe: bool = False, image: str | None = None, packages: Iterable[str] | None = None) -> Chosen:
    """Give a sandbox that works here. Raises SandboxUnavailable, which says what to do.

    `image` asks for containers of that image; `unsafe` for no wall at all, which is never used for want of one.
    `packages` are those that sessions can import; the `[sandbox]` extra's when not given, the image's in containers.
    """
    if os.name != "posix":
        raise SandboxUnavailable("code_interpreter needs Linux or macOS: on Windows, run the engine in WSL 2.")
    if unsafe and image is not None:
        raise SandboxUnavailable("Ask for containers (--sandbox-image) or for no wall (--unsafe-code-interpreter).")
    if image is not None:
        return await contained(image)
    if unsafe:
        return Unconfined(await asyncio.to_thread(parts, extra() if packages is None else packages))
    return await available(packages)
