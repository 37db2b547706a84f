from __future__ import annotations

import pytest

from toolkit import Call, CallFinished, CallStarted, FinishedCall, Output, ServerEvent, TextDelta
from toolkit.cli.screen import Filler, Screen


def shown(capsys: pytest.CaptureFixture[str], *events: object, steps: bool = False) -> str:
    screen = Screen(steps=steps)
    for event in events:
        screen.show(event)  # type: ignore[arg-type]  # the events are of several types
    screen.end_line()
    return capsys.readouterr().out


def finished(content: str, error: BaseException | None = None) -> CallFinished:
    return CallFinished(FinishedCall(Call("call_1", "f", "{}"), Output(content, ok=error is None), error))


def test_text_streams_and_calls_have_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    call = Call("call_1", "f", '{"city": "Seoul", "days": null}')
    events = [
        TextDelta("One ", "m"),
        TextDelta("moment.", "m"),
        CallStarted(call),
        finished("done"),
        TextDelta("So.", "m"),
    ]
    assert shown(capsys, *events) == ('One moment.\ncall       f(city="Seoul", days=null)\nresult     f: done\nSo.\n')


def test_arguments_that_are_no_object_are_shown_as_they_came(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, CallStarted(Call("c", "f", '{"a": '))) == 'call       f({"a": )\n'
    assert shown(capsys, CallStarted(Call("c", "f", "[1]"))) == "call       f([1])\n"


def test_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    printed = shown(capsys, TextDelta("a\x1b[2Jb\rc\x9b", "m"), finished("\x1b]0;title\x07[bold]x[/bold]"))
    assert printed == "a\ufffd[2Jb\ufffdc\ufffd\nresult     f: \ufffd]0;title\ufffd[bold]x[/bold]\n"


def test_long_results_are_cut_on_the_screen_only(capsys: pytest.CaptureFixture[str]) -> None:
    printed = shown(capsys, finished("x" * 5_000))
    assert len(printed) < 700
    assert printed.endswith("... (5,003 characters)\n")


def test_lines_of_a_result_are_aligned_and_hidden_errors_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, finished("one\ntwo", ValueError("why"))) == (
        "result     f: one\n           two\n           (what the model is not told: ValueError: why)\n"
    )


def test_steps(capsys: pytest.CaptureFixture[str]) -> None:
    created = ServerEvent("thread.run.created", b'{"id": "run_1"}')
    assert shown(capsys, created) == ""
    assert shown(capsys, created, steps=True) == "run        run_1\n"


@pytest.mark.parametrize(
    ("width", "pieces", "written"),
    [
        (10, ["one two ", "three", " four"], "one two \nthree four"),
        (10, ["one tw", "o thr", "ee"], "one two \nthree"),
        (10, ["a word_that_is_longer x"], "a \nword_that_is_longer \nx"),
        (10, ["12345 6789\n", "\n12345 678"], "12345 6789\n\n12345 678"),
        (10, ["\u6f22\u5b57 \u6f22\u5b57 \u6f22\u5b57"], "\u6f22\u5b57 \u6f22\u5b57 \n\u6f22\u5b57"),
        (None, ["one two three four"], "one two three four"),
    ],
)
def test_lines_break_between_words(width: int | None, pieces: list[str], written: str) -> None:
    filler = Filler(width)
    assert "".join(map(filler.feed, pieces)) + filler.rest() == written


def test_further_lines_are_indented() -> None:
    filler = Filler(12, indent=4)
    assert filler.feed("one two three\nfour") + filler.rest() == "one two \n    three\n    four"
    filler = Filler(12, indent=4)
    assert filler.feed("a 12345678901 b") + filler.rest() == "a \n    12345678\n    901 b"


def test_all_but_the_last_word_is_written_at_once() -> None:
    assert Filler(80).feed("How are yo") == "How are "
