from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.code.transcript import Transcript

_TERMINAL = st.sampled_from(["\x1b[31m", "\x1b[", "\x1b]0;title\x07", "\x1b", "\x00", "\r", "m", "\n", "\ud83d", "é"])


@given(st.lists(st.one_of(st.text(), _TERMINAL)))
def test_what_is_printed_joins_and_controls_no_terminal(pieces: list[str]) -> None:
    transcript = Transcript()
    deltas = [delta for piece in pieces if (delta := transcript.write(piece))]
    assert "".join(delta["logs"] for delta in deltas) == transcript.logs
    assert {delta["index"] for delta in deltas} <= {0}
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", transcript.logs)
    transcript.logs.encode()
    whole = Transcript()
    whole.write("".join(pieces))
    assert [each for each in whole.logs if each.isalnum() and each.isascii()] == [
        each for each in transcript.logs if each.isalnum() and each.isascii()
    ]


def test_a_sequence_that_comes_in_pieces_is_left_out() -> None:
    transcript = Transcript()
    for piece in ("a\x1b", "[3", "1mred\x1b[0", "m\x1b]8;;http://x", "\x1b\\link"):
        transcript.write(piece)
    assert transcript.logs == "aredlink"


def test_a_sequence_without_end_does_not_hold_the_rest_back() -> None:
    transcript = Transcript()
    transcript.write("\x1b]" + "x" * 5000)
    assert len(transcript.logs) > 4000


def test_lines_and_images_in_their_order() -> None:
    transcript, told = Transcript(), list[Any]()
    told += [transcript.write("a"), transcript.line("21"), transcript.image("file-1"), transcript.line("22")]
    told += [transcript.write("b\n"), transcript.line("23"), transcript.write("")]
    assert transcript.outputs == [
        {"type": "logs", "logs": "a\n21\n"},
        {"type": "image", "image": {"file_id": "file-1"}},
        {"type": "logs", "logs": "22\nb\n23\n"},
    ]
    assert [each and each["index"] for each in told] == [0, 0, 1, 2, 2, 2, None]
    json.dumps(told)
