"""The commands against stores and servers, as people and CI call them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.contract.doors import served
from toolkit.engine import Engine

ARGUMENTS = ("sky.py", "--name", "Weather", "--model", "offline", "--instructions", "Be brief.")

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


class Place:
    """Where an assistant is, as the commands are told of it, and a look at it from within."""

    def __init__(self, engine: Engine, *options: str) -> None:
        self.assistants = engine.client().beta.assistants
        self.options = options

    def change(self, **fields: Any) -> None:
        [assistant] = self.assistants.list().data
        self.assistants.update(assistant.id, **fields)


@pytest.fixture(params=["store", "server"])
def place(request: pytest.FixtureRequest, store: str) -> Iterator[Place]:
    if request.param == "store":
        with Engine(store) as engine:
            yield Place(engine, "--store", store)
        return
    with Engine("sqlite:///:memory:", api_keys={"sk-1": "sky"}) as engine, served(engine.app) as address:
        place = Place(engine, "--url", f"{address}/v1", "--url-key", "sk-1")
        place.assistants = engine.client(project="sky").beta.assistants
        yield place


def test_the_three_words(cli: Cli, place: Place) -> None:
    planned = cli("tools", "plan", *ARGUMENTS, *place.options)
    assert (planned.code, planned.err) == (0, "")
    assert planned.out == (
        'Assistant "Weather" would be made:\n'
        '  + name: "Weather"\n'
        '  + model: "offline"\n'
        '  + instructions: "Be brief."\n'
        "  + weather: Current weather in a city.\n"
        "  + rain: Probability of rain.\n"
        "Functions: 2 to add, 0 to change, 0 to remove.\n"
    )
    assert place.assistants.list().data == []
    assert cli("tools", "check", *ARGUMENTS, *place.options).code == 1

    applied = cli("tools", "apply", *ARGUMENTS, *place.options)
    [assistant] = place.assistants.list().data
    assert (applied.code, applied.err) == (0, "")
    assert applied.out == f"{planned.out}Done: {assistant.id}\n"
    assert (assistant.instructions, len(assistant.tools)) == ("Be brief.", 2)

    fine = f'Assistant "Weather" ({assistant.id}) is as it should be.\n'
    for word in ("check", "plan", "apply"):
        said = cli("tools", word, "sky.py", "--assistant", assistant.id, *place.options)
        assert (said.code, said.out, said.err) == (0, fine, "")


def test_what_others_did_is_told_and_left_alone(cli: Cli, place: Place) -> None:
    cli("tools", "apply", *ARGUMENTS, *place.options)
    place.change(tools=[{"type": "function", "function": {"name": "rain", "description": "Theirs."}}])
    said = cli("tools", "apply", *ARGUMENTS, *place.options)
    assert (said.code, said.err) == (1, "Nothing was changed. To write over what others did: --overwrite\n")
    assert "  ! weather: somebody else took it off\n  ! rain: somebody else changed it\n" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    checked = cli("tools", "check", *ARGUMENTS, *place.options)
    assert (checked.code, checked.out, checked.err) == (1, said.out, "")
    over = cli("tools", "apply", *ARGUMENTS, "--overwrite", *place.options)
    assert (over.code, over.err) == (0, "")
    assert cli("tools", "check", *ARGUMENTS, *place.options).code == 0


def test_a_function_taken_out_is_removed(cli: Cli, place: Place) -> None:
    cli("tools", "apply", *ARGUMENTS, *place.options)
    said = cli("tools", "apply", "sky.py:rain", "--name", "Weather", *place.options)
    assert "  - weather\n" in said.out
    [assistant] = place.assistants.list().data
    assert len(assistant.tools) == 1


def test_two_owners(cli: Cli, place: Place) -> None:
    cli("tools", "apply", "sky.py:rain", "--name", "Weather", "--model", "offline", *place.options)
    said = cli("tools", "apply", "sky.py:weather", "--name", "Weather", "--owner", "sky", *place.options)
    assert "Functions: 1 to add, 0 to change, 0 to remove. Tools of others stay: rain.\n" in said.out


def test_instructions_and_description_from_a_file_and_a_flag(cli: Cli, place: Place, tmp_path: Path) -> None:
    (tmp_path / "told.md").write_text("Be brief.\nBe kind.\n")
    files = ("--instructions-file", "told.md", "--description", "Tells the weather.")
    said = cli("tools", "apply", "sky.py", "--name", "Weather", "--model", "offline", *files, *place.options)
    assert said.code == 0
    [assistant] = place.assistants.list().data
    assert (assistant.instructions, assistant.description) == ("Be brief.\nBe kind.\n", "Tells the weather.")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 2, "Which assistant? Give --name NAME, or --assistant ID."),
        (("--name", ""), 2, "Which assistant?"),
        (("--name", "A", "--instructions", "x", "--instructions-file", "y"), 2, "Give either --instructions or"),
        (("--name", "A", "--instructions-file", "none.md"), 2, "--instructions-file: none.md cannot be read"),
        (("--name", "A", "--model", "m", "--owner", "a b"), 2, "use 1 to 40 of"),
        (("--name", "A"), 1, "There is no assistant called 'A'. To make one, say its model."),
        (("--assistant", "asst_none"), 1, "No assistant found with id 'asst_none'"),
    ],
)
def test_mistakes_are_one_line(cli: Cli, store: str, arguments: tuple[str, ...], code: int, told: str) -> None:
    for word in ("plan", "apply", "check"):
        said = cli("tools", word, "sky.py", *arguments, "--store", store)
        assert (said.code, said.out, len(said.err.splitlines())) == (code, "", 1)
        assert told in said.err


def test_looking_makes_no_store(cli: Cli, tmp_path: Path, store: str) -> None:
    for word in ("plan", "check"):
        assert "would be made" in cli("tools", word, *ARGUMENTS, "--store", store).out
        assert "would be made" in cli("tools", word, *ARGUMENTS, "--data-dir", "data").out
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["sky.py"]
    assert cli("tools", "apply", *ARGUMENTS, "--data-dir", "data").code == 0
    assert (tmp_path / "data" / "assistants.db").is_file()


def test_a_server_that_is_not_there(cli: Cli) -> None:
    said = cli("tools", "check", *ARGUMENTS, "--url", "http://127.0.0.1:9/v1")
    assert (said.code, said.out) == (1, "")
    assert "No server answers at http://127.0.0.1:9/v1" in said.err
