"""What published clients of the API send and lean on; the numbers are those of the list they were collected in.

behaviours.py lists all of them, with the tests that show each.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from openai import OpenAI

from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, Talk, until
from tests.engine.scripted import answer, ask
from toolkit.engine.model import ModelCall, ModelError, Text

INCLUDE = "step_details.tool_calls[*].file_search.results[*].content"


def frames(talk: Talk, path: str, body: Any) -> list[tuple[str, Any]]:
    """Read a stream as a parser of one's own does: an event line, one data line, an empty line."""
    text = talk.http.post(path, json=body).text
    assert text.endswith("event: done\ndata: [DONE]\n\n")
    blocks = [block.split("\n") for block in text.split("\n\n")[:-2]]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


@pytest.mark.parametrize("beta", [None, "assistants=v2", "assistants=v2,prompt-caching=1"])
def test_the_beta_header_is_not_asked_for(begin: Any, beta: str | None) -> None:
    """3, and 36, 37 of the programs. It may say more than that; v1 is in test_v1.py."""
    headers = {"OpenAI-Beta": beta} if beta else {}
    assert begin().sent("POST", "/v1/assistants", headers=headers, json={"model": "m"})["model"] == "m"


def test_headers_that_say_nothing(begin: Any) -> None:
    """4. langroid sends an empty OpenAI-Organization, and lists the models when it is imported."""
    headers = {"OpenAI-Organization": "", "Authorization": "Bearer anything", "X-Stainless-Lang": "js"}
    assert begin().sent("GET", "/v1/models", headers=headers)["object"] == "list"


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_programs_that_only_read_the_environment(begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """5. OPENAI_BASE_URL and a key are all that reaches some of them."""
    talk = begin()
    monkeypatch.setenv("OPENAI_BASE_URL", f"{talk.http.base_url.join('/v1')}")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with OpenAI() as client:
        assert client.beta.threads.create().object == "thread"


def test_explicit_nulls_mean_not_given(begin: Any) -> None:
    """6. agency-swarm, litellm, llama-index, marvin and langchain send them everywhere."""
    talk = begin(answer("Hi"))
    names = ("tool_resources", "reasoning_effort", "top_p", "temperature", "metadata", "description", "name", "tools")
    nulls = dict.fromkeys((*names, "instructions", "response_format"))
    assistant = talk.sent("POST", "/v1/assistants", json={"model": "m", **nulls})
    assert assistant == {**assistant, "tools": [], "top_p": 1.0, "temperature": 1.0, "metadata": {}}
    thread = talk.sent("POST", "/v1/threads", json={"messages": None, "metadata": None, "tool_resources": None})
    body = {"role": "user", "content": "hello", "metadata": None, "attachments": None}
    talk.sent("POST", f"/v1/threads/{thread['id']}/messages", json=body)
    names = (
        "additional_instructions additional_messages max_completion_tokens max_prompt_tokens response_format "
        "temperature top_p tool_choice truncation_strategy instructions model tools metadata stream "
        "parallel_tool_calls reasoning_effort tool_resources"
    ).split()
    body = {"assistant_id": assistant["id"], **dict.fromkeys(names)}
    run = talk.sent("POST", f"/v1/threads/{thread['id']}/runs", json=body)
    assert (run["model"], run["tool_choice"], run["parallel_tool_calls"]) == ("m", "auto", True)
    del body["additional_instructions"], body["additional_messages"], body["reasoning_effort"]
    assert talk.sent("POST", "/v1/threads/runs", json={**body, "thread": None})["status"] == "queued"


def test_empty_containers_are_taken(begin: Any) -> None:
    """7. Among them a run's `tool_resources: {}`, which the reference does not know."""
    talk = begin(answer("Hi"))
    empty: dict[str, Any] = {"tools": [], "tool_resources": {}, "metadata": {}}
    assistant = talk.sent("POST", "/v1/assistants", json={"model": "m", **empty})
    resources = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
    changed = talk.sent("POST", f"/v1/assistants/{assistant['id']}", json={"tool_resources": resources})
    assert changed["tool_resources"] == resources
    thread = talk.sent("POST", "/v1/threads", json={"messages": [], "tool_resources": {}, "metadata": {}})
    body: dict[str, Any] = {"role": "user", "content": "hello", "attachments": [], "metadata": {}}
    assert talk.sent("POST", f"/v1/threads/{thread['id']}/messages", json=body)["attachments"] == []
    body = {"assistant_id": assistant["id"], "additional_messages": [], **empty}
    run = talk.sent("POST", f"/v1/threads/{thread['id']}/runs", json=body)
    assert run["tool_resources"] == {}


@pytest.mark.parametrize("headers", [{"content-type": "application/json"}, {}])
def test_cancel_has_no_body(begin: Any, headers: Any) -> None:
    """8. With a content-type (python, node 4) or without (node 6, 7)."""
    talk = begin(ask(WEATHER))
    run = talk.poll()
    path = f"/v1/threads/{run.thread_id}/runs/{run.id}/cancel"
    assert talk.sent("POST", path, headers=headers)["status"] == "cancelled"


def test_gets_and_deletes_may_come_with_a_content_type(begin: Any) -> None:
    """9. node 4 and early SDKs send `application/json` and no body, or even one."""
    talk = begin()
    headers = {"content-type": "application/json"}
    path = f"/v1/threads/{talk.thread_id}"
    assert talk.sent("GET", path, headers=headers)["object"] == "thread"
    assert talk.sent("GET", path, headers=headers, content=b"not json")["object"] == "thread"
    assert talk.sent("DELETE", path, headers=headers)["deleted"] is True


def test_stream_false_is_said_everywhere(begin: Any) -> None:
    """10. azure-ai-agents and agency-swarm do, also when they submit."""
    talk = begin(ask(WEATHER), answer("Done."))
    body: dict[str, Any] = {"assistant_id": talk.assistant_id, "stream": False}
    run = talk.sent("POST", f"/v1/threads/{talk.thread_id}/runs", json=body)
    path = f"/v1/threads/{talk.thread_id}/runs/{run['id']}"
    until(lambda: talk.sent("GET", path)["status"] == "requires_action")
    body = {"tool_outputs": BOTH[:1], "stream": False}
    assert talk.sent("POST", f"{path}/submit_tool_outputs", json=body)["status"] == "queued"
    body = {"assistant_id": talk.assistant_id, "stream": False, "thread": {}}
    assert talk.sent("POST", "/v1/threads/runs", json=body)["object"] == "thread.run"


def test_content_is_text_or_a_list_of_parts(begin: Any) -> None:
    """11. The same is kept."""
    talk = begin()
    path = f"/v1/threads/{talk.thread_id}/messages"
    one = talk.sent("POST", path, json={"role": "user", "content": "hi"})
    two = talk.sent("POST", path, json={"role": "user", "content": [{"type": "text", "text": "hi"}]})
    assert one["content"] == two["content"] == [{"type": "text", "text": {"value": "hi", "annotations": []}}]


def test_tools_of_each_run_replace_the_assistants(begin: Any) -> None:
    """13. semantic-kernel, marvin and azure-ai-agents send them with every run, with a dash in their names."""
    talk = begin(answer("Hi"))
    tool: Any = {"type": "function", "function": {"name": "Plugin-get_weather", "parameters": {"type": "object"}}}
    run = talk.poll(tools=[tool])
    assert [one.function.name for one in run.tools] == ["Plugin-get_weather"]
    assert talk.poll(tools=[]).tools == [], "none is not the assistant's"


def test_what_was_read_is_taken_as_input(begin: Any) -> None:
    """14. agency-swarm and langroid send parts of what they read back, old and new mixed."""
    talk = begin()
    options = {"ranker": "auto", "score_threshold": 0.0}
    tools = [{"type": "file_search", "file_search": {"max_num_results": 8, "ranking_options": options}}, *TOOLS]
    made = talk.beta.assistants.create(model="m", tools=tools)
    changed = talk.beta.assistants.update(made.id, tools=[*made.tools, {"type": "code_interpreter"}])
    assert [tool.type for tool in changed.tools] == ["file_search", "function", "function", "code_interpreter"]
    body = {name: value for name, value in changed.to_dict().items() if name not in ("id", "object", "created_at")}
    assert talk.sent("POST", f"/v1/assistants/{made.id}", json=body) == changed.to_dict()


@pytest.mark.parametrize(
    "query", ["include[]={0}", "include%5B%5D={0}", "include[]={0}&include[]={0}", "include[]={0},{0}", "include={0}"]
)
def test_include_in_every_spelling(begin: Any, query: str) -> None:
    """16. Encoded, repeated, or joined by commas; and a wrong one is refused."""
    talk = begin(answer("Hi"))
    run = talk.poll()
    path = f"/v1/threads/{run.thread_id}/runs/{run.id}/steps?{query.format(INCLUDE)}"
    assert len(talk.sent("GET", path)["data"]) == 1
    assert talk.http.get(path.replace("file_search", "nothing")).status_code == 400


def test_a_cursor_from_the_other_side(begin: Any) -> None:
    """18. marvin walks a newest-first list with `before`."""
    talk = begin()
    made = [talk.threads.messages.create(talk.thread_id, role="user", content=str(n)).id for n in range(4)]
    page = talk.threads.messages.list(talk.thread_id, before=made[1], limit=1)
    assert ([message.id for message in page.data], page.has_more) == ([made[2]], True), "the nearest to the cursor"
    page = talk.threads.messages.list(talk.thread_id, before=made[1], limit=5)
    assert ([message.id for message in page.data], page.has_more) == ([made[3], made[2]], False)


def test_error_texts_that_are_matched(begin: Any) -> None:
    """19. The regular expressions of agency-swarm."""
    talk = begin(ask(WEATHER), [ModelError("Rate limit: try again in 2 seconds.", code="rate_limit_exceeded")])
    run = talk.poll()

    def said(path: str, body: Any) -> str:
        return talk.http.post(f"/v1/threads/{talk.thread_id}/{path}", json=body).json()["error"]["message"]

    text = said("runs", {"assistant_id": talk.assistant_id})
    assert re.findall(r"Thread (\w+) already has an active run (\w+)", text) == [(talk.thread_id, run.id)]
    text = said("messages", {"role": "user", "content": "x"})
    assert re.search(r"Can't add messages to (\w+) while a run (\w+) is active", text)
    talk.runs.cancel(run.id, thread_id=run.thread_id)
    text = said(f"runs/{run.id}/submit_tool_outputs", {"tool_outputs": BOTH[:1]})
    assert re.search(r'Runs in status "(expired|cancelled)"', text)
    assert re.search(r"Cannot cancel run with status 'cancelled'", said(f"runs/{run.id}/cancel", {}))
    assert re.search(r"try again in (\d+) second", talk.poll().last_error.message)


def test_ids_have_one_underscore_and_settings_come_back_exactly(begin: Any) -> None:
    """20. agency-swarm splits ids at underscores and compares what it sent with what it reads."""
    talk = begin(answer("Hi"))
    run = talk.poll()
    [message, *_] = talk.threads.messages.list(run.thread_id)
    [step] = talk.steps(run)
    for prefix, id_ in {
        "asst": talk.assistant_id,
        "thread": run.thread_id,
        "msg": message.id,
        "run": run.id,
        "step": step.id,
    }.items():
        assert re.fullmatch(rf"{prefix}_[A-Za-z0-9]{{24}}", id_)
    parameters = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"type": "number"}}, "required": ["b"]}
    tool: Any = {"type": "function", "function": {"name": "f", "parameters": parameters, "strict": False}}
    made = talk.beta.assistants.create(model="m", tools=[tool], top_p=0.3, metadata={"z": "1", "a": "2"})
    read: Any = talk.client.get(f"/assistants/{made.id}", cast_to=object)
    assert json.dumps(read["tools"]) == json.dumps([tool]), "in the order it was sent"
    assert json.dumps(read["metadata"]) == '{"z": "1", "a": "2"}'
    assert (read["temperature"], read["top_p"], read["response_format"]) == (1.0, 0.3, "auto")


def test_a_tool_named_without_its_list_keeps_it(begin: Any) -> None:
    """20. agency-swarm sends `file_search: {}` when it finds its assistant again, and the files must be there then."""
    talk = begin()
    store = talk.client.vector_stores.create()
    resources: Any = {"file_search": {"vector_store_ids": [store.id]}}
    made = talk.beta.assistants.create(model="m", tool_resources=resources)
    changed = talk.beta.assistants.update(made.id, tool_resources={"file_search": {}})
    assert changed.tool_resources.to_dict() == talk.beta.assistants.retrieve(made.id).tool_resources.to_dict()
    assert changed.tool_resources.to_dict() == resources


def test_metadata_is_read_back_at_once_and_the_answer_is_the_newest(start: Any) -> None:
    """21. langroid asserts the first, and reads `messages.list(limit=1)` for the second."""
    talk = start(answer("Hi"))
    talk.threads.update(talk.thread_id, metadata={"hash": "abc"})
    assert talk.threads.retrieve(talk.thread_id).metadata["hash"] == "abc"
    for _ in range(3):
        run = talk.poll()
        [newest] = talk.threads.messages.list(talk.thread_id, limit=1).data
        assert (newest.role, newest.run_id) == ("assistant", run.id)
        talk.threads.messages.create(talk.thread_id, role="user", content="and?")


def test_a_failure_is_a_failed_run(begin: Any) -> None:
    """22. autogen knows `completed`, `failed` and `requires_action` alone: what can be `failed` is."""
    run = begin(answer("Bad", reason="content_filter")).poll()
    assert (run.status, run.last_error.code) == ("failed", "invalid_prompt")


def test_results_are_read_from_the_steps(begin: Any) -> None:
    """23. semantic-kernel: completed steps sorted by time, messages fetched by id, the same ids of calls."""
    talk = begin(ask(WEATHER, FLIGHTS), answer("Done."))
    run = talk.poll()
    asked = [call.id for call in run.required_action.submit_tool_outputs.tool_calls]
    talk.wait(talk.submit(run))
    steps = talk.steps(run)
    assert all(step.completed_at for step in steps)
    calls, said = sorted(steps, key=lambda step: step.completed_at)
    assert [call.id for call in calls.step_details.tool_calls] == asked
    message_id = said.step_details.message_creation.message_id
    assert talk.threads.messages.retrieve(message_id, thread_id=run.thread_id).run_id == run.id


def test_attachments_are_a_list(begin: Any) -> None:
    """24. langchain iterates them, and finds the answer by its run's id."""
    talk = begin(answer("Hi"))
    run = talk.poll()
    messages = list(talk.threads.messages.list(run.thread_id))
    assert [message.attachments for message in messages] == [[], []]
    assert [message.run_id for message in messages] == [run.id, None]


def test_citations_are_followed(begin: Any) -> None:
    """25, and 31 of the programs. Marks are replaced in the text, the files they name retrieved, the passage quoted."""
    search = ModelCall("call_s", "file_search", '{"queries":["cold in winter"]}')
    talk = begin(ask(search), answer("Oslo is 【0:0†source】."))
    file = talk.client.files.create(file=("oslo.md", b"Oslo is cold in winter."), purpose="assistants")
    tools: Any = [{"type": "file_search"}]
    question: Any = {"role": "user", "content": "Where?", "attachments": [{"file_id": file.id, "tools": tools}]}
    assistant = talk.beta.assistants.create(model="m", tools=tools)
    thread = talk.threads.create(messages=[question])
    run = talk.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    [answered, _] = talk.threads.messages.list(run.thread_id)
    text = answered.content[0].text
    [cited] = text.annotations
    assert text.value.replace(cited.text, "[0]") == "Oslo is [0]."
    assert talk.client.files.retrieve(cited.file_citation.file_id).filename == "oslo.md"
    assert cited.file_citation.quote == "Oslo is cold in winter."


def test_messages_are_deleted_one_by_one(begin: Any) -> None:
    """27. autogen's reset."""
    talk = begin(answer("Hi"))
    talk.poll()
    for message in talk.threads.messages.list(talk.thread_id):
        assert talk.threads.messages.delete(message.id, thread_id=talk.thread_id).deleted is True
    assert list(talk.threads.messages.list(talk.thread_id)) == []


def test_after_submit_no_read_says_requires_action(start: Any) -> None:
    """28, and 14 of the programs. A client that sees the old state runs its tools twice."""
    talk = start(ask(WEATHER), [0.1, *answer("Done.")])
    run = talk.poll()
    assert talk.submit(run, BOTH[:1]).status == "queued"
    states = []
    while not states or states[-1] != "completed":
        states.append(talk.runs.retrieve(run.id, thread_id=run.thread_id).status)
    assert set(states) <= {"queued", "in_progress", "completed"}


def test_waiting_clients_are_told_when_to_look_again(begin: Any) -> None:
    """29. And only while there is something to wait for."""
    talk = begin([30.0, *answer("never")])
    run = talk.create()
    path = f"/v1/threads/{run.thread_id}/runs/{run.id}"
    after_ms = int(talk.http.get(path).headers["openai-poll-after-ms"])
    assert 0 < after_ms <= 250
    helper = {"X-Stainless-Poll-Helper": "true", "X-Stainless-Custom-Poll-Interval": "10"}
    assert talk.sent("GET", path, headers=helper)["status"] in ("queued", "in_progress")
    talk.runs.cancel(run.id, thread_id=run.thread_id)
    assert "openai-poll-after-ms" not in talk.http.get(path).headers


def test_who_waits_for_files_is_told_when_to_look_again(begin: Any) -> None:
    """29. Vector stores, their files and batches likewise."""
    talk = begin()
    file = talk.client.files.create(file=("notes.txt", b"Some notes."), purpose="assistants")
    made = talk.client.vector_stores.create(name="Notes")
    store = f"/v1/vector_stores/{made.id}"
    for path, body in (
        ("/v1/vector_stores", {"file_ids": [file.id]}),
        (f"{store}/files", {"file_id": file.id}),
        (f"{store}/file_batches", {"file_ids": [file.id]}),
    ):
        response = talk.http.post(path, json=body)
        waits, after_ms = response.json()["status"] == "in_progress", response.headers.get("openai-poll-after-ms")
        assert waits == (after_ms is not None)
        assert not waits or 0 < int(after_ms) <= 250
        until(lambda: talk.client.vector_stores.retrieve(made.id).status == "completed")
    assert "openai-poll-after-ms" not in talk.http.get(store).headers
    assert "openai-poll-after-ms" not in talk.http.get(f"{store}/files/{file.id}").headers


def test_the_first_delta_of_a_call_is_empty(begin: Any) -> None:
    """30, 31. Handlers get the arguments from later deltas only; every event has a name and one line of data."""
    talk = begin(ask(WEATHER, FLIGHTS))
    told = frames(talk, f"/v1/threads/{talk.thread_id}/runs", {"assistant_id": talk.assistant_id, "stream": True})
    deltas = [data["delta"]["step_details"]["tool_calls"] for name, data in told if name == "thread.run.step.delta"]
    assert all(len(calls) == 1 for calls in deltas)
    for index, call in enumerate((WEATHER, FLIGHTS)):
        first, *later = [one for [one] in deltas if one["index"] == index]
        begun = {"name": call.name, "arguments": "", "output": None}
        assert first == {"index": index, "id": call.id, "type": "function", "function": begun}
        assert "".join(one["function"]["arguments"] for one in later) == call.arguments


def test_what_a_stream_tells_is_committed(start: Any) -> None:
    """32. Every object can be read, as it was told, while the stream is still open."""
    talk = start(ask(WEATHER, say=["Let me look."]))
    checked = 0
    with talk.stream() as stream:
        for event in stream:
            kind = event.event.rpartition(".")[2]
            if event.event.startswith("thread.message.") and kind != "delta":
                read: Any = talk.threads.messages.retrieve(event.data.id, thread_id=talk.thread_id)
            elif event.event == "thread.run.requires_action":
                read = talk.runs.retrieve(event.data.id, thread_id=talk.thread_id)
            else:
                continue
            checked += 1
            if kind in ("completed", "requires_action"):
                assert read.to_dict() == event.data.to_dict()
    assert checked == 4


def test_only_a_thread_made_along_is_told(begin: Any) -> None:
    """33. `thread.created` stands first in streams of POST /threads/runs, and nowhere else."""
    talk = begin(answer("Hi"))
    body = {"assistant_id": talk.assistant_id, "stream": True}
    assert frames(talk, "/v1/threads/runs", body)[0][0] == "thread.created"
    names = [name for name, _ in frames(talk, f"/v1/threads/{talk.thread_id}/runs", body)]
    assert (names[0], "thread.created" in names) == ("thread.run.created", False)


def test_the_last_event_with_a_run_has_its_final_state(begin: Any) -> None:
    """34, 35. marvin and the Vercel SDK take the result from it."""
    talk = begin([Text("Hi "), *answer("there")])
    body = {"assistant_id": talk.assistant_id, "stream": True}
    told = frames(talk, f"/v1/threads/{talk.thread_id}/runs", body)
    name, run = told[-1]
    assert (name, run["status"], run["usage"]["total_tokens"]) == ("thread.run.completed", "completed", 15)
    assert run == talk.sent("GET", f"/v1/threads/{talk.thread_id}/runs/{run['id']}")
