from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from toolkit.engine.objects.assistants import CreateAssistant, ModifyAssistant
from toolkit.engine.objects.threads import CreateThread
from toolkit.server.v1.version import V1_REFUSAL, is_v1, refused, stray


@pytest.mark.parametrize(
    ("beta", "query", "is_so"),
    [
        (b"assistants=v1", b"", True),
        (b"assistants=v2", b"", False),
        (b"prompt-caching=1, assistants=v1", b"", True),
        (b"assistants=v2,prompt-caching=1", b"", False),
        (None, b"", False),
        (b"", b"limit=1", False),
        (b"prompt-caching=1", b"", False),
        (None, b"api-version=2024-02-15-preview", True),
        (None, b"limit=1&api-version=2024-02-15-preview&order=asc", True),
        (None, b"api-version=2024-05-01-preview", False),
        (None, b"api-version=v1", False),
        (b"assistants=v2", b"api-version=2024-02-15-preview", False),
        (b"prompt-caching=1", b"api-version=2024-02-15-preview", True),
    ],
)
def test_the_header_says_it_or_the_version_of_azure(beta: bytes | None, query: bytes, is_so: bool) -> None:
    headers = {} if beta is None else {b"openai-beta": beta}
    assert is_v1(headers, query) is is_so


def error_of(model: type[Any], body: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(body)
    return caught.value


@pytest.mark.parametrize(
    ("model", "body", "path"),
    [
        (CreateAssistant, {"model": "m", "file_ids": ["file-a"]}, "file_ids"),
        (CreateAssistant, {"temperature": 5, "file_ids": []}, "file_ids"),
        (ModifyAssistant, {"tools": [{"type": "code_interpreter"}, {"type": "retrieval"}]}, "tools[1]"),
        (CreateThread, {"messages": [{"role": "user", "content": "x", "file_ids": []}]}, "messages[0].file_ids"),
    ],
)
def test_a_part_of_v1_is_told_whatever_else_is_wrong(model: type[Any], body: Any, path: str) -> None:
    told = stray(error_of(model, body))
    assert told is not None
    assert told.message.startswith(f"{V1_REFUSAL} ('{path}' is not understood here.")
    assert (told.status, told.type, told.code) == (400, "invalid_request_error", "invalid_beta")


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (CreateAssistant, {"model": "m", "x": 1}),
        (CreateAssistant, {"model": "m", "tools": [{"type": "browser"}]}),
        (CreateAssistant, {"model": "m", "tool_resources": {"file_search": {"file_ids": ["file-a"]}}}),
        (CreateThread, {"messages": [{"role": "x", "file_ids": []}] * 1000}),
    ],
)
def test_other_mistakes_and_floods_of_them_are_not_about_v1(model: type[Any], body: Any) -> None:
    assert stray(error_of(model, body)) is None


def test_the_reported_text_comes_first() -> None:
    assert refused("why").message == f"{V1_REFUSAL} (why)"
