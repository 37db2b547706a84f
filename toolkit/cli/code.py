"""Where the code of code_interpreter runs: what flags and environment say."""

from __future__ import annotations

from typing import Annotated

import typer

from toolkit.cli.mistakes import Mistake

__all__ = ["SandboxImage", "SandboxMemory", "Unsafe", "check"]

SandboxImage = Annotated[
    str | None,
    typer.Option(
        envvar="TOOLKIT_SANDBOX_IMAGE",
        metavar="IMAGE",
        help="Run code in containers of this image, by Docker or Podman, and not behind the engine's own wall.",
    ),
]
SandboxMemory = Annotated[
    int | None,
    typer.Option(
        envvar="TOOLKIT_SANDBOX_MEMORY",
        metavar="MIB",
        min=64,
        help="Memory for all sessions of code_interpreter, else 4096 or half of the machine's; past it the least "
        "recently used end.",
    ),
]
Unsafe = Annotated[
    bool,
    typer.Option(
        "--unsafe-code-interpreter",
        envvar="TOOLKIT_UNSAFE_CODE_INTERPRETER",
        help="Run a model's code with no wall: it can do whatever you can.",
    ),
]


def check(unsafe: bool, image: str | None) -> None:
    """Raise Mistake when both a wall and none are asked for."""
    if unsafe and image:
        raise Mistake("Give either --sandbox-image or --unsafe-code-interpreter: a container is a wall.")
