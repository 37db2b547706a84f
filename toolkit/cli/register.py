"""`toolkit tools plan`, `apply`, `check`: a toolset on an assistant, in a store or at a server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit.assistants.wanted import OWNER
from toolkit.cli import remote, settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.target import TargetArgument, toolset_of
from toolkit.engine.store.address import default_url, parse
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from openai import OpenAI

    from toolkit.assistants.wanted import AssistantOptions

__all__ = ["apply", "check", "plan"]

Id = Annotated[str | None, typer.Option("--assistant", metavar="ID", help="The assistant; or give its --name.")]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="The one of this name, made if there is none.")]
ModelName = Annotated[str | None, typer.Option("--model", metavar="NAME", help="Its model; needed to make one.")]
Instructions = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is told.")]
InstructionsFile = Annotated[Path | None, typer.Option(metavar="FILE", help="File that holds what it is told.")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="What people read of it.")]
Owner = Annotated[str, typer.Option(metavar="NAME", help="Whose functions, where several programs have theirs on it.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write over what others did to these functions.")]


def plan(
    target: TargetArgument,
    assistant: Id = None,
    name: Name = None,
    model: ModelName = None,
    instructions: Instructions = None,
    instructions_file: InstructionsFile = None,
    description: Description = None,
    owner: Owner = "",
    overwrite: Overwrite = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    url: remote.Url = None,
    url_key: remote.Key = None,
    url_key_file: remote.KeyFile = None,
) -> None:
    """Show what would change on an assistant to have a module's tools.

    Nothing is changed.
    """
    tools = toolset_of(target)
    told = _told(instructions, instructions_file)
    options = _options(assistant, name, model, told, description, owner, overwrite)
    with _client(store, data_dir, url, url_key, url_key_file) as client:
        typer.echo(str(tools.plan(client, **options)))


def apply(
    target: TargetArgument,
    assistant: Id = None,
    name: Name = None,
    model: ModelName = None,
    instructions: Instructions = None,
    instructions_file: InstructionsFile = None,
    description: Description = None,
    owner: Owner = "",
    overwrite: Overwrite = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    url: remote.Url = None,
    url_key: remote.Key = None,
    url_key_file: remote.KeyFile = None,
) -> None:
    """Put a module's tools on an assistant, and show what changes.

    Tools of others stay. The exit code is 1, and nothing is changed, when others have changed ours.
    """
    tools = toolset_of(target)
    told = _told(instructions, instructions_file)
    options = _options(assistant, name, model, told, description, owner, overwrite)
    with _client(store, data_dir, url, url_key, url_key_file, makes_store=True) as client:
        planned = tools.plan(client, **options)
        typer.echo(str(planned))
        if planned.conflicts:
            raise ToolkitError("Nothing was changed. To write over what others did: --overwrite")
        if planned.changes:
            typer.echo(f"Done: {planned.apply(client).id}")


def check(
    target: TargetArgument,
    assistant: Id = None,
    name: Name = None,
    model: ModelName = None,
    instructions: Instructions = None,
    instructions_file: InstructionsFile = None,
    description: Description = None,
    owner: Owner = "",
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
    url: remote.Url = None,
    url_key: remote.Key = None,
    url_key_file: remote.KeyFile = None,
) -> None:
    """Say whether an assistant has a module's tools as they are now.

    The exit code is 1, and the difference is shown, when it has not.
    """
    tools = toolset_of(target)
    told = _told(instructions, instructions_file)
    options = _options(assistant, name, model, told, description, owner, overwrite=False)
    with _client(store, data_dir, url, url_key, url_key_file) as client:
        planned = tools.plan(client, **options)
    typer.echo(str(planned))
    if planned.changes:
        raise typer.Exit(1)


def _options(
    assistant: str | None,
    name: str | None,
    model: str | None,
    instructions: str | None,
    description: str | None,
    owner: str,
    overwrite: bool,
) -> AssistantOptions:
    if not (assistant or name):
        raise Mistake("Which assistant? Give --name NAME, or --assistant ID.")
    if owner and not OWNER.fullmatch(owner):
        raise Mistake(f"--owner {owner!r} cannot be: use 1 to 40 of A-Z a-z 0-9 _ - . and no -2 or -3 at the end")
    return {
        "assistant_id": assistant or None,
        "name": name or None,
        "model": model,
        "instructions": instructions,
        "description": description,
        "owner": owner,
        "overwrite": overwrite,
    }


def _told(instructions: str | None, file: Path | None) -> str | None:
    if file is None:
        return instructions
    if instructions is not None:
        raise Mistake("Give either --instructions or --instructions-file, not both.")
    return settings.text_in(file, "--instructions-file")


@contextmanager
def _client(
    store: str | None,
    data_dir: Path | None,
    url: str | None,
    url_key: str | None,
    url_key_file: Path | None,
    *,
    makes_store: bool = False,
) -> Generator[OpenAI]:
    """Reach a server, or a store; where there is no store and none is to be made, an empty one."""
    from toolkit.engine import Engine

    if url:
        with remote.client_of(url, url_key, url_key_file) as client:
            yield client
        return
    is_there = store or data_dir is None or data_dir.is_dir()
    place = settings.store_url(store, data_dir) if makes_store or is_there else "sqlite:///:memory:"
    path = parse(place or default_url()).path
    if not makes_store and path is not None and not path.is_file():
        place = "sqlite:///:memory:"
    with Engine(place) as engine:
        yield engine.client()
