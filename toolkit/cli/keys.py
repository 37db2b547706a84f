"""`toolkit keys`: the API keys in a store. Running servers follow within a second."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from toolkit.cli import settings
from toolkit.cli.mistakes import Mistake
from toolkit.cli.stored import file_of, opened
from toolkit.engine.objects import keys
from toolkit.engine.objects.keys import PROJECT, ApiKey
from toolkit.engine.store.address import SQLiteAddress, default_url, parse
from toolkit.errors import ToolkitError

__all__ = ["Held", "create", "held_in", "list_", "revoke"]

_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Held:
    """What a server needs to know of a store's keys before it starts."""

    ever: bool
    """Whether there ever was one; then nobody is let in without."""
    projects: Sequence[str]
    """Those that have a key."""


def create(
    project: Annotated[str, typer.Option(metavar="NAME", help="What the key opens: a project sees its own.")] = (
        "default"
    ),
    name: Annotated[str, typer.Option(metavar="TEXT", help="Whose it is, or what for.")] = "",
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """Make a key, and print it this once.

    The key alone goes to stdout. From then on nobody is let in without one.
    """
    if not PROJECT.fullmatch(project):
        raise Mistake(f"--project {project!r} is not understood. Take 1 to 64 letters, digits, dots, dashes.")
    if len(name) > _LONGEST_NAME or not (name.isprintable()):
        raise Mistake(f"--name takes at most {_LONGEST_NAME} characters, in one line.")
    with opened(_new_or_old(settings.store_url(store, data_dir) or default_url())) as stored:
        key, text = stored.write(lambda tx: keys.create(tx, project, name, int(time.time())))
    typer.echo(text)
    typer.echo(f"This is {key.id}, of project {key.project}. Keep it well: it cannot be shown again.", err=True)


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """List the keys, of all projects, by their last characters."""
    with opened(file_of(store, data_dir)) as stored:
        found = stored.read(keys.all_)
    if as_json:
        typer.echo(json.dumps([asdict(key) for key in found], indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_table(found)))


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="A key's, as toolkit keys list shows it.")],
    store: settings.Store = None,
    data_dir: settings.DataDir = None,
) -> None:
    """Let a key open nothing any more.

    Running servers refuse it within a second. What was made with it stays.
    """
    with opened(file_of(store, data_dir)) as stored:
        key = stored.write(lambda tx: keys.revoke(tx, key_id, int(time.time())))
        left = stored.read(lambda tx: keys.look(tx, None)).live
    if key is None:  # and what was given may be the key itself, which is not to be repeated
        raise ToolkitError("This store has no key with that id. See: toolkit keys list")
    if key.revoked_at is not None:
        typer.echo(f"Key {key.id} was revoked on {_day(key.revoked_at)}; there was nothing to do.")
    else:
        typer.echo(f"Key {key.id} (...{key.ending}, project {key.project}) is revoked.")
    if not left:
        typer.echo("No other is left, and nobody is let in without. For a new one: toolkit keys create", err=True)


def held_in(place: str) -> Held:
    """Look which keys the store has that is to be served, without making one. Raises EngineError."""
    address = parse(place)
    if address.path is None or not address.path.is_file():
        return Held(ever=False, projects=())
    with opened(address) as stored:
        found = stored.read(keys.all_)
    return Held(bool(found), sorted({key.project for key in found if key.revoked_at is None}))


def _new_or_old(place: str) -> SQLiteAddress:
    address = parse(place)
    if address.path is None:
        raise Mistake("A store in memory is gone with its program. Name one in a file: --store sqlite:///PATH")
    return address


def _table(found: Sequence[ApiKey]) -> list[str]:
    rows = [("ID", "PROJECT", "KEY", "MADE", "LAST USED", "NAME")]
    for key in found:
        used = _day(key.last_used_at) if key.last_used_at else "never"
        state = used if key.revoked_at is None else f"revoked {_day(key.revoked_at)}"
        rows.append((key.id, key.project, f"...{key.ending}", _day(key.created_at), state, key.name))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
