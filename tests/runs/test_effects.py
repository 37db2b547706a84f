from __future__ import annotations

import pytest

from toolkit.runs.effects import Reply


@pytest.mark.parametrize(
    ("status", "headers", "refused"),
    [
        (None, {}, False),
        (200, {}, True),  # an answer that is not what was asked for
        (400, {}, True),
        (404, {}, True),
        (408, {}, False),
        (409, {}, False),
        (429, {}, False),
        (429, {"x-should-retry": "false"}, True),
        (400, {"x-should-retry": "true"}, False),
        (500, {}, False),
        (503, {}, False),
    ],
)
def test_what_is_refused(status: int | None, headers: dict[str, str], refused: bool) -> None:
    assert Reply(status, headers=headers).refused is refused


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after-ms": "20", "retry-after": "2"}, 0.02),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "3600"}, None),
        ({"retry-after": "-1"}, None),
    ],
)
def test_how_long_the_server_asks_us_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert Reply(429, headers=headers).wait_s == wait_s


def test_how_soon_to_poll() -> None:
    assert Reply(200, headers={"openai-poll-after-ms": "250"}).poll_after_s == 0.25
    assert Reply(200).poll_after_s is None
