from __future__ import annotations

import dataclasses

import pytest

from toolkit import ServerEvent, TextDelta


def test_events_match_by_position() -> None:
    match TextDelta("Hello", "msg_1"):
        case TextDelta(text, message_id):
            assert (text, message_id) == ("Hello", "msg_1")


def test_an_event_of_the_server_is_read_when_it_is_asked_for() -> None:
    event = ServerEvent("thread.created", b'{"id": "thread_1"}')
    assert event.data == {"id": "thread_1"}
    assert event.data is event.data
    assert repr(event) == "ServerEvent(name='thread.created')"


def test_events_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TextDelta("Hello", "msg_1").text = "other"  # type: ignore[misc]
