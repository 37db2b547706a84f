"""`toolkit tools lint`: what a model may stumble over."""

from __future__ import annotations

import textwrap
from typing import Annotated

import typer

from toolkit.cli.mistakes import Mistake
from toolkit.cli.target import TargetArgument, toolset_of
from toolkit.tools.lint import RULES

__all__ = ["lint"]


def lint(
    target: TargetArgument,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="Leave out what this rule finds; repeatable.")
    ] = None,
) -> None:
    """Say what a model may stumble over: missing texts, names, sizes, tools alike.

    The exit code is 1 when there is something. The rule that found it stands behind it.
    """
    if unknown := sorted({*(ignore or ())} - {*RULES}):
        raise Mistake(f"There is no rule {unknown[0]!r}. The rules are {', '.join(RULES)}.")
    tools = toolset_of(target)
    found = [each for each in tools.lint() if each.rule not in (ignore or ())]
    for each in found:
        typer.echo(textwrap.fill(f"{each} [{each.rule}]", 80, subsequent_indent="  ", break_on_hyphens=False))
    if found:
        raise typer.Exit(1)
    typer.echo(f"{len(tools)} {'tool' if len(tools) == 1 else 'tools'}, nothing to remark.")
