"""The commands, put together."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from toolkit import __version__
from toolkit.cli import keys as key_commands
from toolkit.cli.backup import backup
from toolkit.cli.call import call
from toolkit.cli.doctor import doctor
from toolkit.cli.export import export
from toolkit.cli.import_ import import_
from toolkit.cli.lint import lint
from toolkit.cli.mistakes import STOPPED, guarded
from toolkit.cli.prune import prune
from toolkit.cli.register import apply, check, plan
from toolkit.cli.run import run
from toolkit.cli.runs import list_, unlock
from toolkit.cli.runs import show as show_run
from toolkit.cli.serve import serve
from toolkit.cli.show import show

__all__ = ["app", "go"]

app = typer.Typer(
    name="toolkit", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
app.command()(serve)
app.command()(run)
app.command()(call)
app.command()(doctor)

tools = typer.Typer(no_args_is_help=True, help="Look at a module's tools, and put them on assistants.")
tools.command("show")(show)
tools.command("lint")(lint)
tools.command("plan")(plan)
tools.command("apply")(apply)
tools.command("check")(check)
app.add_typer(tools, name="tools")

runs = typer.Typer(no_args_is_help=True, help="Look at runs, and end a stuck one.")
runs.command("list")(list_)
runs.command("show")(show_run)
runs.command("unlock")(unlock)
app.add_typer(runs, name="runs")

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
keys.command("create")(key_commands.create)
keys.command("list")(key_commands.list_)
keys.command("revoke")(key_commands.revoke)
app.add_typer(keys, name="keys")

app.command()(backup)
app.command()(prune)
app.command()(export)
app.command("import")(import_)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"assistants-toolkit {__version__}")
        raise typer.Exit


@app.callback()
def toolkit(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Your Python functions as assistant tools, and the Assistants API itself."""


def go(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. Text the terminal cannot show is replaced, never fatal."""
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    code: int | None = app(list(arguments), prog_name="toolkit", standalone_mode=False)
    if code == STOPPED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return code or 0
