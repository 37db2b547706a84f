"""Programs of API v1 with the clients they were written for; they ask the model `offline`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_serve import serve
from tests.clients.catalogue import Client, each
from tests.clients.conftest import KEY, Facts


@pytest.fixture
def offline(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Serve without a model endpoint; what programs are told of it."""
    with serve("--store", f"sqlite:///{tmp_path}/store.db", "--model", "offline", TOOLKIT_API_KEYS=KEY) as serving:
        yield {"OPENAI_BASE_URL": serving.url, "OPENAI_API_KEY": KEY}


@pytest.mark.parametrize("client", each("openai_v1_overview"))
def test_the_overview(client: Client, offline: dict[str, str], tell: Callable[..., Facts]) -> None:
    saw = tell(client, **offline)
    assert saw == {
        "tutor": [[], []],
        "statuses": ["completed"] * 3,
        "said": [["user", "assistant"]] * 3,
        "run": [[], []],
        "code": [["code_interpreter"], ["first"], "processed"],
        "retrieval": [["code_interpreter", "retrieval"], ["first", "second"]],
        "files": ["first", "second"],
        "file": ["assistant.file", True, True],
        "gone": ["assistant.file.deleted", True, ["second"]],
        "back": ["assistant.file", ["second", "first"]],
        "listed": [["second", "first"]],
        "messages": [["second"], ["first", "second"]],
        "message files": ["second", "first"],
        "message file": ["thread.message.file", True, True],
        "ran": ["completed", "42\n"],
        "search": ["completed", ["retrieval"]],
        "searched": ["retrieval"],
        "cited": ["second", "The tutor likes primes.", True],
        "quiz": ["requires_action", ["display_quiz"], True],
        "steps": ["completed", ["tool_calls", "message_creation"]],
        "at once": ["completed", 1],
        "deleted": [True, True],
    }


@pytest.mark.parametrize("client", each("openai_v1_streamed"))
def test_a_program_that_streams(client: Client, offline: dict[str, str], tell: Callable[..., Facts]) -> None:
    saw = tell(client, **offline)
    assert (saw["calls"], saw["file_ids"]) == (["get_temperature"], [])
    assert saw["ends"] == ["completed", [], "completed"]
    assert any("21 degrees" in text for text in saw["texts"])
    assert [event for event in saw["events"] if event.startswith("thread.run.") and "step" not in event] == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.requires_action",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.completed",
    ]
