"""docs/compatibility.md, held to what the engine does and to what the checks of these tests let pass."""

from __future__ import annotations

import ast
import re
import typing
from pathlib import Path
from typing import Any

import pytest
from openai.types import file_create_params, upload_complete_params, upload_create_params
from openai.types.beta import (
    assistant_create_params,
    assistant_update_params,
    thread_create_and_run_params,
    thread_create_params,
    thread_update_params,
)
from openai.types.beta.threads import (
    message_create_params,
    message_update_params,
    run_create_params,
    run_submit_tool_outputs_params,
    run_update_params,
)
from openai.types.uploads import part_create_params

from tests.contract.official import (
    ANY_VALUE,
    BESIDES,
    MORE_ITEMS,
    MORE_LISTS,
    MORE_QUERY,
    MORE_VALUES,
    NULL_IS_NONE,
    NULLABLE,
    REFUSED,
    TAKEN,
    properties,
)
from tests.contract.talk import Talk
from tests.engine.scripted import answer
from toolkit.engine.objects import assistants, files, messages, runs, threads, uploads

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "compatibility.md").read_text()
BY_PATH = {"thread_id", "message_id"}
BY_QUERY = {"include"}
REQUESTS: dict[str, tuple[Any, Any]] = {
    "CreateAssistantRequest": (assistants.CreateAssistant, assistant_create_params.AssistantCreateParams),
    "ModifyAssistantRequest": (assistants.ModifyAssistant, assistant_update_params.AssistantUpdateParams),
    "CreateThreadRequest": (threads.CreateThread, thread_create_params.ThreadCreateParams),
    "ModifyThreadRequest": (threads.ModifyThread, thread_update_params.ThreadUpdateParams),
    "CreateMessageRequest": (messages.CreateMessage, message_create_params.MessageCreateParams),
    "ModifyMessageRequest": (messages.ModifyMessage, message_update_params.MessageUpdateParams),
    "CreateRunRequest": (runs.CreateRun, run_create_params.RunCreateParamsStreaming),
    "ModifyRunRequest": (runs.ModifyRun, run_update_params.RunUpdateParams),
    "CreateThreadAndRunRequest": (
        runs.CreateThreadAndRun,
        thread_create_and_run_params.ThreadCreateAndRunParamsStreaming,
    ),
    "SubmitToolOutputsRunRequest": (
        runs.SubmitToolOutputs,
        run_submit_tool_outputs_params.RunSubmitToolOutputsParamsStreaming,
    ),
    "CreateFileRequest": (files.CreateFile, file_create_params.FileCreateParams),
    "CreateUploadRequest": (uploads.CreateUpload, upload_create_params.UploadCreateParams),
    "AddUploadPartRequest": (uploads.AddPart, part_create_params.PartCreateParams),
    "CompleteUploadRequest": (uploads.CompleteUpload, upload_complete_params.UploadCompleteParams),
}


def table(heading: str) -> list[list[str]]:
    """Read the rows of the table below a heading of the page, without its head."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_page_tells_of_every_difference_that_the_checks_let_pass() -> None:
    told = {name for name, *_ in table("Deliberate differences")}
    answers = {*BESIDES, *MORE_ITEMS, *MORE_LISTS, *MORE_VALUES, *NULLABLE, *REFUSED}
    assert answers | {*ANY_VALUE, *MORE_QUERY, NULL_IS_NONE, *TAKEN} <= told


def test_every_difference_is_shown_by_a_test() -> None:
    tests = {
        node.name
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }
    shown = [re.fullmatch(r"`(\w+)`", by) for *_, by in table("Deliberate differences")]
    assert [by.group(1) for by in shown if by and by.group(1) not in tests] == []
    assert all(shown)


def test_the_page_lists_what_is_served(begin: Any) -> None:
    talk: Talk = begin()
    for path, methods in table("Served"):
        options = talk.http.options("/v1" + path.strip("`"))
        allowed = set(options.headers["allow"].split(", ")) - {"HEAD", "OPTIONS"}
        assert (options.status_code, ", ".join(sorted(allowed))) == (204, methods), path


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_have_the_fields_of_the_schema_and_of_the_sdk(name: str) -> None:
    ours, sdks = REQUESTS[name]
    more = {field for by_request in TAKEN.values() for field in by_request.get(name, ())}
    assert set(ours.model_fields) == properties(name) | more
    assert set(ours.model_fields) - more == set(typing.get_type_hints(sdks)) - BY_PATH - BY_QUERY


def test_a_request_sent_twice_with_one_key_happens_once(start: Any) -> None:
    talk = start(answer("Hi"))
    headers = {"Idempotency-Key": "once"}
    first = talk.create(extra_headers=headers)
    assert talk.create(extra_headers=headers).to_dict() == first.to_dict()
    assert talk.wait(first).status == "completed"
    assert len(list(talk.runs.list(talk.thread_id))) == 1
