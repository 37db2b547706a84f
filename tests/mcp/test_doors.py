from __future__ import annotations

import pytest

from toolkit import DefinitionError, ServerUnavailable
from toolkit.mcp.doors import Command, Url, door_of

NONE = {"env": None, "cwd": None, "headers": None, "auth": None}


def test_a_url_and_a_command() -> None:
    assert door_of("https://a.example/mcp", (), **NONE) == Url("https://a.example/mcp", {}, None)  # type: ignore[arg-type]
    assert door_of("uvx", ("server",), **NONE) == Command("uvx", ("server",), {}, None)  # type: ignore[arg-type]


def test_options_of_the_other() -> None:
    for arguments, options in ((("a",), NONE), ((), {**NONE, "env": {}}), ((), {**NONE, "cwd": "."})):
        with pytest.raises(DefinitionError, match="are of a command"):
            door_of("https://a.example/mcp", arguments, **options)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="are of a URL"):
        door_of("uvx", (), **{**NONE, "headers": {}})  # type: ignore[arg-type]


def test_names_hold_no_keys() -> None:
    assert Url("https://user:key@a.example:8080/mcp?key=secret", {"x": "secret"}, None).name == "a.example:8080/mcp"
    assert Command("/usr/bin/python3", ("-m", "server.py", "--key", "secret"), {}, None).name == "python3 server.py"
    assert Command("server", ("--a",), {}, None).name == "server"
    for arguments in (
        ["--key", "secret"],
        ["-k", "secret"],
        ["k=secret"],
        ["db://me:secret@there"],
        ["-c", "secret()"],
    ):
        assert Command("server", tuple(arguments), {}, None).name == "server"
    assert Command("npx", ("-y", "@example/server", "db://me:secret@there"), {}, None).name == "npx server"


def test_what_kept_it_from_starting() -> None:
    door = Command("server", (), {}, None)
    error = ExceptionGroup("group", [ExceptionGroup("group", [ValueError("no JSON")])])
    error.add_note("no key")
    assert str(door.failure(error)) == "server ended, or does not speak MCP (ValueError: no JSON). It wrote: no key"
    assert str(door.failure(PermissionError(13, "Permission denied"))) == (
        "server cannot be started as an MCP server: Permission denied."
    )
    assert str(Url("http://a/mcp", {}, None).failure(OSError())) == "No MCP server answers at a/mcp: OSError."
    for passed in (KeyboardInterrupt(), ServerUnavailable("as it is")):
        assert door.failure(passed) is passed
