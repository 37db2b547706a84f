"""What is told of a failure: the model hears what it can act on, the log gets ids and no arguments."""

import pytest

from toolkit.errors import ArgumentsInvalid, Retry, ToolError
from toolkit.tools.failures import failure, late, passes_through, unknown_tool
from toolkit.tools.output import NoJsonForm


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("/srv/secret"), "The tool look_up failed."),
        (ToolError("No such table."), "No such table."),
        (ToolError(), "The tool look_up failed."),
        (ArgumentsInvalid("city: missing"), "city: missing"),
        (Retry("Say which."), "Say which.\nCall it again."),
        (Retry(), "Call it again."),
        (NoJsonForm("returned a socket"), "The tool look_up ran, but what it returned cannot be shown as text."),
    ],
)
def test_what_the_model_hears(error: Exception, told: str) -> None:
    output = failure("look_up", error, tries_left=1)
    assert (output.content, output.ok) == (told, False)


def test_without_tries_it_is_to_go_on() -> None:
    assert failure("look_up", Retry("Say which.")).content.endswith("go on without it.")


def test_it_keeps_the_cap() -> None:
    assert len(failure("look_up", ToolError("x" * 1000), max_bytes=300).content) <= 300


def test_time_and_names() -> None:
    assert "within 2.5 s" in late("look_up", 2.5).content
    assert unknown_tool("x", []).content == "There is no tool 'x'. The tools are: none."
    assert unknown_tool("x" * 99, ["a", "b"]).content == f"There is no tool '{'x' * 64}...'. The tools are: a, b."


def test_what_ends_the_program_is_not_ours() -> None:
    assert all(passes_through(each) for each in (KeyboardInterrupt(), SystemExit()))
    assert not any(passes_through(each) for each in (ValueError(), BaseException(), GeneratorExit()))
