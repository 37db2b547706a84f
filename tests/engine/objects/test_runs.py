"""What a run is made of, and how it is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.official import assert_official
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import assistants, runs, steps, threads
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.objects.runs import ModifyRun, Run, SubmitToolOutputs, Tokens
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.store import Tx
from toolkit.errors import Refused

Do = Callable[[Callable[[Tx], Any]], Any]
NOW = 1_800_000_000


def _created(do: Do, **asked: Any) -> Run:
    def work(tx: Tx) -> Run:
        request = assistants.CreateAssistant.model_validate({"model": "m"})
        assistant_id = id_of(assistants.create(tx, "p", request, NOW))
        thread_id = id_of(threads.create(tx, "p", threads.CreateThread(), NOW))
        run = CreateRun.model_validate({"assistant_id": assistant_id, **asked})
        return runs.create(tx, "p", thread_id, run, NOW, expires_s=600, owner="me")

    created: Run = do(work)
    return created


@pytest.mark.parametrize(
    ("sent", "taken"),
    [('"text"', "text"), ("null", ""), ("3", "3"), ('{"a": [1, null]}', '{"a":[1,null]}'), ("true", "true")],
)
def test_outputs_are_text_whatever_programs_send(sent: str, taken: str) -> None:
    body = f'{{"tool_outputs": [{{"tool_call_id": "c", "output": {sent}}}]}}'
    assert runs.outputs_of(SubmitToolOutputs.model_validate_json(body)) == [("c", taken)]


def test_an_output_that_is_missing_is_empty() -> None:
    request = SubmitToolOutputs.model_validate_json('{"tool_outputs": [{"tool_call_id": "c"}]}')
    assert runs.outputs_of(request) == [("c", "")]


def test_no_run_starts_where_its_answer_has_no_room(do: Do) -> None:
    assistant = id_of(do(lambda tx: assistants.create(tx, "p", assistants.CreateAssistant(model="m"), NOW)))
    thread = id_of(do(lambda tx: threads.create(tx, "p", threads.CreateThread(), NOW)))
    do(lambda tx: tx.run("thread.advance", id=thread, last_at=NOW, new=99_999))
    more = [{"role": "user", "content": "x"}]
    full = CreateRun.model_validate({"assistant_id": assistant, "additional_messages": more})
    with pytest.raises(Refused, match="it has 99999 messages and would have 100001"):
        do(lambda tx: runs.create(tx, "p", thread, full, NOW, expires_s=600, owner="me"))
    fits = CreateRun(assistant_id=assistant)
    assert do(lambda tx: runs.create(tx, "p", thread, fits, NOW, expires_s=600, owner="me")).status == "queued"


def test_a_run_is_found_under_its_thread_and_project_alone(do: Do) -> None:
    run = _created(do)
    assert json.loads(do(lambda tx: runs.get(tx, "p", run.thread, run.id)))["id"] == run.id
    for project, thread, run_id in (("q", run.thread, run.id), ("p", "thread_x", run.id), ("p", run.thread, "run_x")):
        with pytest.raises(Refused) as refused:
            do(lambda tx, where=(project, thread, run_id): runs.get(tx, *where))
        assert refused.value.status == 404
        with pytest.raises(Refused):
            do(lambda tx, where=(project, thread, run_id): steps.list_(tx, *where, PageQuery()))
    with pytest.raises(Refused, match="No run step found"):
        do(lambda tx: steps.get(tx, "p", run.thread, run.id, "step_x"))


def test_metadata_is_replaced_cleared_or_left(do: Do) -> None:
    run = _created(do, metadata={"a": "1"})

    def modify(**fields: Any) -> Any:
        request = ModifyRun.model_validate(fields)
        return json.loads(do(lambda tx: runs.modify(tx, "p", run.thread, run.id, request)))["metadata"]

    assert modify() == {"a": "1"}
    assert modify(metadata={"b": "2"}) == {"b": "2"}
    assert modify(metadata=None) == {}


def test_runs_are_listed_newest_first(do: Do) -> None:
    run = _created(do)
    page = json.loads(do(lambda tx: runs.list_(tx, "p", run.thread, PageQuery())))
    assert_official("ListRunsResponse", page)
    assert [found["id"] for found in page["data"]] == [run.id]
    with pytest.raises(Refused, match="No thread found"):
        do(lambda tx: runs.list_(tx, "p", "thread_x", PageQuery()))


def test_tokens_add_up() -> None:
    total = Tokens(1, 2, 3, 4).plus(Tokens(10, 20, 30, 40))
    assert total == Tokens(11, 22, 33, 44)
    assert runs.usage_object(total) == {
        "prompt_tokens": 11,
        "completion_tokens": 22,
        "total_tokens": 33,
        "prompt_token_details": {"cached_tokens": 33},
        "completion_tokens_details": {"reasoning_tokens": 44},
    }
