"""The commands, put together: where each is, and what is imported for a command line."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from toolkit import __version__
from toolkit.cli.mistakes import STOPPED, guarded

__all__ = ["app_of", "go"]

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "serve:serve",
    "run": "run:run",
    "call": "call:call",
    "mcp": "mcp:mcp",
    "doctor": "doctor:doctor",
    "tools show": "show:show",
    "tools lint": "lint:lint",
    "tools plan": "register:plan",
    "tools apply": "register:apply",
    "tools check": "register:check",
    "files add": "files:add",
    "runs list": "runs:list_",
    "runs show": "runs:show",
    "runs unlock": "runs:unlock",
    "keys create": "keys:create",
    "keys list": "keys:list_",
    "keys revoke": "keys:revoke",
    "backup": "backup:backup",
    "prune": "prune:prune",
    "export": "export:export",
    "import": "import_:import_",
}
"""Words of the command line -> the module beside this one and the function in it."""
GROUPS: Final[Mapping[str, str]] = {
    "tools": "Look at a module's tools, and put them on assistants.",
    "files": "Put files into vector stores, to be searched.",
    "runs": "Look at runs, and end a stuck one.",
    "keys": "Make, list and revoke API keys.",
}


def app_of(names: Collection[str]) -> typer.Typer:
    """Make the application with some of the commands, importing what they need alone."""
    app = typer.Typer(
        name="toolkit",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(toolkit)
    groups: dict[str, typer.Typer] = {}
    for name in names:
        group, _, verb = name.rpartition(" ")
        if group and group not in groups:
            groups[group] = typer.Typer(no_args_is_help=True, help=GROUPS[group])
            app.add_typer(groups[group], name=group)
        (groups[group] if group else app).command(verb)(_function(COMMANDS[name]))
    return app


def _function(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"toolkit.cli.{module}"), name)
    return function


def _named(arguments: Sequence[str]) -> Collection[str]:
    """Give the command that a line names; all of them where it names none, to say what there is."""
    for words in (1, 2):
        if (name := " ".join(arguments[:words])) in COMMANDS:
            return (name,)
    return COMMANDS


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"assistants-toolkit {__version__}")
        raise typer.Exit


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
    code: int | None = app_of(_named(arguments))(list(arguments), prog_name="toolkit", standalone_mode=False)
    if code == STOPPED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return code or 0
