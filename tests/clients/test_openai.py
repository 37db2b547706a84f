"""The official clients, from the first that knew version 2 of the API to today's, in Python and in JavaScript.

All of them make the same tour, each in its own words, and must be told the same.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.clients.catalogue import Client, each
from tests.clients.conftest import KEY, Facts

AZURE = "2024-05-01-preview"
TOUR: Facts = {
    "thread made": ["thread", {"user": "ada"}],
    "thread read": {"user": "bob"},
    "messages": ["one", "two", "three", "four", "five"],
    "messages, newest": ["five", "four"],
    "messages, next page": ["three", "two"],
    "messages before": ["five"],
    "message changed": [{"seen": "yes"}, True],
    "message of parts": ["text", "image_url"],
    "message deleted": True,
    "messages left": ["five", "four", "three", "two", "one"],
    "messages, awaited": ["one", "two", "three", "four", "five"],
    "streamed, awaited": ["You said: five", "completed"],
    "polled, awaited": "completed",
    "thread deleted": True,
    "assistant made": ["assistant", "gpt-4o", "Weather", "Knows the weather.", "Be brief.", 0.5],
    "assistant tools": ["function", "code_interpreter", "file_search"],
    "assistant changed": ["Skies", 1, {"team": "sea"}, "Be brief."],
    "assistant read": True,
    "assistants": ["Other 3", "Other 2", "Other 1", "Other 0", "Skies"],
    "assistants, next page": ["Other 1", "Other 2", "Other 3"],
    "assistants left": ["Skies"],
    "run": ["completed", "gpt-4o", "Be brief.\n\nBe kind.", 0.1, {"round": "1"}, 25],
    "answer": ["You said: Hello there", "assistant", True, True],
    "run changed": {"round": "one"},
    "runs": [True],
    "run waits": ["requires_action", [["get_weather", {"city": "Seoul"}], ["get_weather", {"city": "Oslo"}]]],
    "outputs missing": ["BadRequestError", 400],
    "message refused": ["BadRequestError", 400],
    "run done": ["completed", 50, "It is 21 degrees and 9 degrees."],
    "outputs twice": ["BadRequestError", 400],
    "steps": [["tool_calls", "completed", True], ["message_creation", "completed", True]],
    "outputs kept": ["21 degrees", "9 degrees"],
    "message of step": True,
    "events": [
        "run.created",
        "run.queued",
        "run.in_progress",
        "run.step.created",
        "run.step.in_progress",
        "message.created",
        "message.in_progress",
        "message.delta",
        "message.completed",
        "run.step.completed",
        "run.completed",
        "end",
    ],
    "streamed": ["You said: Hello there", ["You said: Hello there"], "completed"],
    "final steps": ["message_creation"],
    "events of calls": [
        "run.created",
        "run.queued",
        "run.in_progress",
        "run.step.created",
        "run.step.in_progress",
        "run.step.delta",
        "run.requires_action",
        "--",
        "run.step.completed",
        "run.queued",
        "run.in_progress",
        "run.step.created",
        "run.step.in_progress",
        "message.created",
        "message.in_progress",
        "message.delta",
        "message.completed",
        "run.step.completed",
        "run.completed",
        "end",
        "end",
    ],
    "streamed with calls": ["It is 21 degrees and 9 degrees.", "It is 21 degrees and 9 degrees."],
    "arguments streamed": '{"city": "Seoul"}{"city": "Oslo"}',
    "raw events": ["thread.run.created", "thread.run.requires_action"],
    "raw events at last": ["thread.run.completed", "completed"],
    "thread made along": ["You said: Hi", "completed"],
    "cancelled": [True, "cancelled"],
    "cancelled twice": ["BadRequestError", 400, "Cannot cancel run with status 'cancelled'."],
    "free again": ["completed", "You said: Hello again"],
    "file": ["file", "notes.txt", 11, "assistants", "processed"],
    "file processed": True,
    "files": ["notes.txt"],
    "content": "Some notes.",
    "content, streamed": "Some notes.",
    "attachments": [True],
    "files of thread": True,
    "picture seen": "I see 1: data:image/png;base64.",
    "file deleted": True,
    "file gone": ["NotFoundError", 404],
    "upload": ["pending", "completed", "ten.txt", 100],
    "upload content": True,
    "upload cancelled": "cancelled",
    "upload in chunks": ["completed", True],
    "store": ["vector_store", "Notes", {"kind": "notes"}, 0, 7],
    "store file": ["completed", True, None],
    "batch": ["completed", 2, 2],
    "batch files": 2,
    "store file from before": ["completed", True],
    "batch from before": ["completed", 2],
    "store files": [2, 5],
    "store read": ["completed", 5, True],
    "found": ["oslo.md", "Oslo is cold in winter.", True],
    "found by attribute": ["seoul.txt"],
    "file content": ["Seoul is warm in summer."],
    "store changed": "Cities",
    "stores": ["Cities"],
    "store of assistant": True,
    "store of thread": [True],
    "searched": ["completed", "My notes say so [1]."],
    "cited": ["oslo.md", "# Oslo\n\nOslo is cold in winter."],
    "search in steps": ["tool_calls", ["file_search"]],
    "results in steps": ["oslo.md", "Oslo is cold in winter."],
    "searched, streamed": [True, 1],
    "store file deleted": True,
    "store deleted": True,
    "store of assistant, deleted": [],
    "searched without a store": ["completed", "Nothing was found."],
    "store gone": ["NotFoundError", 404],
    "no such assistant": ["NotFoundError", 404, "No assistant found with id 'asst_none'.", None, True],
    "no such thread": ["NotFoundError", 404, "No thread found with id 'thread_none'.", None, True],
    "wrong value": [
        "BadRequestError",
        400,
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 5 instead.",
        "temperature",
        True,
    ],
    "unknown field": ["BadRequestError", 400, "Unknown parameter: 'colour'.", "colour", True],
    "metadata too long": [
        "BadRequestError",
        400,
        "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, "
        "but got a string with length 513 instead.",
        "metadata.k",
        True,
    ],
    "headers": ["2020-10-01", "req_", "thread"],
    "models": ["offline"],
    "assistant deleted": True,
}

NOT_IN_NODE = {"messages, awaited", "streamed, awaited", "polled, awaited", "upload in chunks"}
"""Everything is awaited there; and there is no helper for uploads."""
NOT_IN_1_21 = {fact for fact in TOUR if fact.startswith("upload")} | {
    "message of parts",
    "message deleted",
    "messages left",
    "found",
    "found by attribute",
    "file content",
    "results in steps",
}
"""What the API did not have then."""


def expected(client: Client) -> Facts:
    missing: set[str] = NOT_IN_NODE if client.is_node else NOT_IN_1_21 if client.version == "1.21.0" else set()
    return {fact: value for fact, value in TOUR.items() if fact not in missing}


@pytest.mark.parametrize("client", each("openai_tour"))
def test_the_tour_of_the_official_clients(client: Client, server: str, tell: Callable[..., Facts]) -> None:
    if client.face == "AzureOpenAI":
        environment = {"AZURE_OPENAI_ENDPOINT": server, "AZURE_OPENAI_API_KEY": KEY, "OPENAI_API_VERSION": AZURE}
    else:
        environment = {"OPENAI_BASE_URL": f"{server}/v1", "OPENAI_API_KEY": KEY}
    assert tell(client, **environment) == expected(client)
