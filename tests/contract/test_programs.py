"""What programs in the wild lean on; the numbers are those of the list they were collected in.

behaviours.py lists all of them, with the tests that show each.
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from openai import AssistantEventHandler, BadRequestError, NotFoundError

from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, Talk, until
from tests.engine.scripted import answer, ask, asked
from toolkit.engine.model import ModelCall, ModelError, Text

HELLO: Any = {"role": "user", "content": "hello"}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
V1_TEXT = (
    "The v1 Assistants API has been deprecated. Please try again by setting the header 'OpenAI-Beta: assistants=v2'."
)


@pytest.mark.parametrize("id_", ["asst_abcdefghijklmnopqrstuvwx", "asst_x", "asst_" + "A1" * 40, "no-prefix"])
def test_an_unknown_id_of_any_form_is_not_found(begin: Any, id_: str) -> None:
    """1. Programs go on from NotFoundError; ids of other services have other lengths."""
    with pytest.raises(NotFoundError):
        begin().beta.assistants.retrieve(id_)


@pytest.mark.parametrize(
    "name", ["gpt-4-1106-preview", "gpt-3.5-turbo-0125", "my-azure-deployment", "deepseek/deepseek-coder", "模型"]
)
def test_model_names_are_kept_as_sent_and_mapped_when_used(begin: Any, name: str) -> None:
    """2. Nearly every program names a model that nobody serves any more."""
    talk = begin(answer("Hi"), models={"*": "llama3"})
    assistant = talk.beta.assistants.create(model=name)
    run = talk.runs.create_and_poll(thread_id=talk.thread_id, assistant_id=assistant.id)
    assert (assistant.model, run.model, run.status) == (name, name, "completed")
    assert talk.model.requests[0].model == "llama3"


def test_threads_outlive_the_process(talks: Any, tmp_path: Path) -> None:
    """3. A thread is found by its id, whenever."""
    store = f"sqlite:///{tmp_path}/a.db"
    first = talks("in process", answer("Hi"), store=store)
    first.poll()
    first.engine.close()
    again = talks("in process", answer("Again"), store=store)
    messages = again.threads.messages.list(first.thread_id, order="asc")
    assert [message.content[0].text.value for message in messages] == ["hello", "Hi"]
    assert again.runs.create_and_poll(thread_id=first.thread_id, assistant_id=first.assistant_id).status == "completed"


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_is_younger_than_its_run_and_its_question(begin: Any, streamed: bool) -> None:
    """4. Programs drop an answer whose created_at is not greater."""
    talk = begin(answer("Hi"))
    question = talk.threads.messages.create(talk.thread_id, role="user", content="?")
    if streamed:
        with talk.stream() as stream:
            run = stream.get_final_run()
    else:
        run = talk.poll()
    newest = talk.threads.messages.list(talk.thread_id).data[0]
    assert newest.created_at > run.created_at >= question.created_at
    times = [message.created_at for message in talk.threads.messages.list(talk.thread_id, order="asc")]
    assert times == sorted(set(times))


def test_runs_do_not_wait_for_each_other(begin: Any) -> None:
    """5. Programs have patience of their own: a run that waits in a queue for long is a failed program."""
    talk = begin([30.0, *answer("never")])
    for _ in range(40):
        talk.threads.create_and_run(assistant_id=talk.assistant_id, thread={"messages": [HELLO]})
    until(lambda: len(talk.model.requests) == 40)


def test_after_submit_a_run_is_soon_under_way(begin: Any) -> None:
    """6. A program reads `queued` a second after as the end."""
    talk = begin(ask(WEATHER), [30.0, *answer("never")])
    run = talk.submit(talk.poll(), BOTH[:1])
    until(lambda: talk.runs.retrieve(run.id, thread_id=run.thread_id).status == "in_progress")


def test_a_client_may_poll_at_its_own_pace(begin: Any) -> None:
    """7. The client's own interval wins; without one it looks when it is told to."""
    talk = begin([0.6, *answer("Hi")])
    talk.poll()
    seen = []
    for pace in ({"poll_interval_ms": 2000}, {}):
        before = talk.inspector.answers
        assert talk.poll(**pace).status == "completed"
        seen.append(talk.inspector.answers - before)
    assert seen[0] <= 3 < seen[1], "create, look, look again"


def test_a_model_that_fails_for_a_moment_fails_no_run(start: Any) -> None:
    """8. Programs that only know `completed` wait for ever on a failure."""
    busy = ModelError("busy", code="rate_limit_exceeded", retry=True, retry_after_s=0.01)
    talk = start([busy], [ModelError("reset", retry=True, retry_after_s=0.01)], answer("Hi"))
    assert talk.poll().status == "completed"
    assert talk.texts() == ["hello", "Hi"]


def test_completed_at_and_last_error_are_signals(begin: Any) -> None:
    """9. completed_at exactly with `completed`, last_error exactly with `failed`."""
    talk = begin(ask(WEATHER), answer("Hi"), answer("cut", reason="length"), [ModelError("no")])
    waiting = talk.poll()
    seen = [waiting, talk.wait(talk.submit(waiting, BOTH[:1])), talk.poll(), talk.poll()]
    assert [run.status for run in seen] == ["requires_action", "completed", "incomplete", "failed"]
    for run in seen:
        assert (run.completed_at is not None) == (run.status == "completed")
        assert (run.last_error is not None) == (run.status == "failed")
        assert (run.required_action is not None) == (run.status == "requires_action")
    assert seen[-1].last_error.code == "server_error", "rate_limit_exceeded is kept for real rate limits"


@pytest.mark.parametrize("busy", [False, True])
def test_cancel_frees_the_thread_at_once(start: Any, busy: bool) -> None:
    """10. Refused create, list, cancel, create: five times without a pause."""
    talk = start([30.0, *answer("never")] if busy else ask(WEATHER))
    talk.create() if busy else talk.poll()
    for _ in range(5):
        with pytest.raises(BadRequestError):
            talk.create()
        [active] = talk.runs.list(talk.thread_id, order="desc", limit=1).data
        assert talk.runs.cancel(active.id, thread_id=talk.thread_id).status == "cancelled"
        with pytest.raises(BadRequestError):
            talk.runs.cancel(active.id, thread_id=talk.thread_id)
        talk.create() if busy else talk.poll()


def test_single_outputs_are_refused_until_they_are_complete(start: Any) -> None:
    """12. 1 of n, 2 of n, ...: the run keeps waiting, and the same outputs sent twice have one effect."""
    talk = start(ask(WEATHER, FLIGHTS), answer("Done."))
    run = talk.poll()
    expected = r"Expected tool outputs for call_ids \['call_a', 'call_b'\]"
    for outputs in ([], BOTH[:1], BOTH[1:], [*BOTH, BOTH[0]], [{"tool_call_id": "call_x", "output": ""}, BOTH[0]]):
        with pytest.raises(BadRequestError, match=expected):
            talk.submit(run, outputs)
        assert talk.runs.retrieve(run.id, thread_id=run.thread_id).status == "requires_action"
    done = talk.wait(talk.submit(run, BOTH[::-1]))
    with pytest.raises(BadRequestError, match='Runs in status "completed"'):
        talk.submit(run)
    assert (done.status, len(talk.model.requests)) == ("completed", 2)
    tool = [chat["content"] for chat in asked(talk.model.requests[1]) if chat["role"] == "tool"]
    assert tool == ["sunny", "none"], "in the order of the calls"


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ({"error": "no"}, '{"error":"no"}'),
        (21.5, "21.5"),
        ([1, 2], "[1,2]"),
        (True, "true"),
        (None, ""),
        ("", ""),
        (7, "7"),
    ],
)
def test_outputs_that_are_no_strings(begin: Any, output: Any, told: str) -> None:
    """13. Serialised as the program would have done it."""
    talk = begin(ask(WEATHER), answer("Done."))
    run = talk.poll()
    talk.wait(talk.submit(run, [{"tool_call_id": "call_a", "output": output}]))
    assert asked(talk.model.requests[1])[-1]["content"] == told
    assert talk.steps(run)[0].step_details.tool_calls[0].function.output == told


def test_a_waiting_run_shows_its_calls_in_the_steps(start: Any) -> None:
    """15. One program works from the steps alone."""
    talk = start(ask(WEATHER, FLIGHTS))
    [step] = talk.steps(talk.poll())
    assert (step.type, step.status) == ("tool_calls", "in_progress")
    shown = [(call.id, call.function.name, call.function.arguments) for call in step.step_details.tool_calls]
    assert shown == [(call.id, call.name, call.arguments) for call in (WEATHER, FLIGHTS)]


@pytest.mark.parametrize("door", ["in process", "over a socket"], indirect=True)
def test_outputs_are_submitted_in_on_tool_call_done(start: Any) -> None:
    """16. The SDK calls it with `requires_action`, and only if it has seen a delta of the call."""
    talk = start(ask(WEATHER), answer("Sunny."))
    said: list[str] = []

    class Answering(AssistantEventHandler):
        def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            said.append(delta.value)

        def on_tool_call_done(self, tool_call: Any) -> None:
            run = self.current_run
            assert run is not None
            if run.status != "requires_action":
                return
            outputs: Any = [{"tool_call_id": tool_call.id, "output": "sunny"}]
            submit = talk.runs.submit_tool_outputs_stream
            with submit(
                run_id=run.id, thread_id=run.thread_id, tool_outputs=outputs, event_handler=Answering()
            ) as stream:
                stream.until_done()

    with talk.stream(event_handler=Answering()) as stream:
        stream.until_done()
    assert said == ["Sunny."]


def test_leaving_the_stream_at_requires_action(start: Any) -> None:
    """17. It cancels nothing; outputs are submitted with a new stream, and polls are answered meanwhile."""
    talk = start(ask(WEATHER), [Text("Sun"), 0.05, *answer("ny.")])
    with talk.stream() as stream:
        for event in stream:
            if event.event == "thread.run.requires_action":
                break
        run = event.data
    submit = talk.runs.submit_tool_outputs_stream
    with submit(run_id=run.id, thread_id=run.thread_id, tool_outputs=BOTH[:1]) as stream:
        states = [talk.runs.retrieve(run.id, thread_id=run.thread_id).status for _ in stream]
        assert stream.get_final_run().status == "completed"
    assert "requires_action" not in states


@pytest.mark.parametrize("streamed", [False, True])
def test_text_beside_calls_is_a_message_of_its_own(begin: Any, streamed: bool) -> None:
    """18. Complete before the tools run; and calls without text leave no empty message."""
    talk = begin(ask(WEATHER, say=["Let me ", "look."]), ask(FLIGHTS), answer("Done."))
    if streamed:
        with talk.stream() as stream:
            run = stream.get_final_run()
    else:
        run = talk.poll()
    [newest, _] = talk.threads.messages.list(talk.thread_id)
    assert (newest.content[0].text.value, newest.status) == ("Let me look.", "completed")
    run = talk.wait(talk.submit(run, BOTH[:1]))
    assert talk.texts() == ["hello", "Let me look."]
    talk.wait(talk.submit(run, BOTH[1:]))
    assert talk.texts() == ["hello", "Let me look.", "Done."]


def test_a_message_under_way_is_read_by_the_id_in_its_step(start: Any) -> None:
    """19. While the run is in progress; finished messages are seen at once."""
    talk = start(ask(WEATHER, say=["Let me look."]), [Text("Half"), 30.0, *answer("never")])
    run = talk.poll()
    [said, _] = talk.steps(run)
    message_id = said.step_details.message_creation.message_id
    message = talk.threads.messages.retrieve(message_id, thread_id=run.thread_id)
    assert message.content[0].text.value == "Let me look."
    submit = talk.runs.submit_tool_outputs_stream
    with submit(run_id=run.id, thread_id=run.thread_id, tool_outputs=BOTH[:1]) as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                *_, step = talk.steps(run)
                message_id = step.step_details.message_creation.message_id
                message = talk.threads.messages.retrieve(message_id, thread_id=run.thread_id)
                assert (message.status, step.status) == ("in_progress", "in_progress")
                talk.runs.cancel(run.id, thread_id=run.thread_id)


def test_several_questions_in_a_row(start: Any) -> None:
    """22. Also ones that are only an image."""
    talk = start(answer("A cat."))
    image: Any = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}}
    for content in ("look", [image], "what is it?"):
        talk.threads.messages.create(talk.thread_id, role="user", content=content)
    assert talk.poll().status == "completed"
    chats = asked(talk.model.requests[0])
    assert [chat["role"] for chat in chats] == ["user"] * 4
    assert chats[2]["content"] == [image]


@pytest.mark.parametrize("purpose", ["vision", "assistants"])
def test_questions_that_are_only_an_image_file(begin: Any, purpose: str) -> None:
    """22. Whatever the file was uploaded for."""
    talk = begin(answer("A dot."))
    file = talk.client.files.create(file=("dot.png", PNG), purpose=purpose)
    picture: Any = [{"type": "image_file", "image_file": {"file_id": file.id}}]
    thread = talk.threads.create(messages=[{"role": "user", "content": picture}])
    talk.threads.messages.create(thread.id, role="user", content=picture)
    run = talk.runs.create_and_poll(thread_id=thread.id, assistant_id=talk.assistant_id)
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    shown = [chat["content"][0]["image_url"]["url"] for chat in asked(talk.model.requests[0])]
    assert (run.status, shown) == ("completed", [url, url])


def test_a_whole_history_is_posted_at_once(start: Any) -> None:
    """23. Concurrent creates on one thread all succeed."""
    talk = start()
    thread_id = talk.thread_id

    def post(number: int) -> str:
        return talk.threads.messages.create(thread_id, role="user", content=str(number)).content[0].text.value

    with ThreadPoolExecutor(6) as pool:
        posted = list(pool.map(post, range(12)))
    assert sorted(posted, key=int) == sorted(set(talk.texts()) - {"hello"}, key=int)


def test_one_file_attached_again_and_again(begin: Any) -> None:
    """24. Twice in one message and again in each later one: indexed once."""
    talk = begin()
    file = talk.client.files.create(file=("notes.txt", b"Some notes."), purpose="assistants")
    attached: Any = {"file_id": file.id, "tools": [{"type": "file_search"}]}
    thread = talk.threads.create(messages=[{**HELLO, "attachments": [attached, attached]}])
    [store] = thread.tool_resources.file_search.vector_store_ids
    for _ in range(2):
        message = talk.threads.messages.create(thread.id, role="user", content="x", attachments=[attached])
        assert [one.to_dict() for one in message.attachments] == [attached]
    until(lambda: talk.client.vector_stores.retrieve(store).status == "completed")
    assert [one.id for one in talk.client.vector_stores.files.list(store)] == [file.id]
    assert talk.client.vector_stores.retrieve(store).file_counts.total == 1
    assert len(talk.client.vector_stores.search(store, query="notes").data) == 1
    assert talk.threads.retrieve(thread.id).tool_resources == thread.tool_resources


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("days.csv", b"day,degrees\nMonday,21\n", "completed"),
        ("days.xlsx", b"PK\x03\x04 and so on", "failed"),
        ("dot.png", PNG, "failed"),
    ],
)
def test_a_table_attached_for_both_tools(begin: Any, name: str, data: bytes, status: str) -> None:
    """24. The message is taken, whatever search makes of the file; at most the file in the store fails."""
    talk = begin()
    file = talk.client.files.create(file=(name, data), purpose="assistants")
    tools: Any = [{"type": "file_search"}, {"type": "code_interpreter"}]
    message = talk.threads.messages.create(
        talk.thread_id, role="user", content="x", attachments=[{"file_id": file.id, "tools": tools}]
    )
    assert [tool.type for tool in message.attachments[0].tools] == ["file_search", "code_interpreter"]
    resources = talk.threads.retrieve(talk.thread_id).tool_resources
    assert resources.code_interpreter.file_ids == [file.id]
    [store] = resources.file_search.vector_store_ids
    done = talk.client.vector_stores.files.poll(file.id, vector_store_id=store)
    assert (done.status, done.last_error is None) == (status, status == "completed")


def test_an_attachment_without_tools_is_kept(begin: Any) -> None:
    """24. Stored, and nothing is indexed."""
    talk = begin()
    file = talk.client.files.create(file=("notes.txt", b"Some notes."), purpose="assistants")
    attached: Any = [{"file_id": file.id}]
    message = talk.threads.messages.create(talk.thread_id, role="user", content="x", attachments=attached)
    assert [one.to_dict() for one in message.attachments] == [{"file_id": file.id, "tools": []}]
    assert talk.threads.retrieve(talk.thread_id).to_dict()["tool_resources"] == {}


def test_tools_of_an_attachment_given_as_words_are_refused_by_place(begin: Any) -> None:
    """24. A 400 that says where."""
    talk = begin()
    with pytest.raises(BadRequestError) as refused:
        attachment: Any = {"file_id": "file-x", "tools": ["code_interpreter"]}
        talk.threads.messages.create(talk.thread_id, role="user", content="x", attachments=[attachment])
    assert refused.value.param == "attachments[0].tools[0]"


def test_empty_texts_are_values(begin: Any) -> None:
    """25. `instructions: ""` on a run replaces the assistant's."""
    talk = begin(answer("Hi"))
    assistant = talk.beta.assistants.create(model="m", instructions="Be brief.", description="", name="")
    assert (assistant.description, assistant.name) == ("", "")
    run = talk.runs.create_and_poll(
        thread_id=talk.thread_id, assistant_id=assistant.id, instructions="", temperature=None
    )
    assert run.instructions == ""
    assert [chat["role"] for chat in asked(talk.model.requests[0])] == ["user"]


def test_answers_look_as_they_were_recorded(begin: Any) -> None:
    """26. attachments [], metadata {}, tool_resources {} on runs, details of usage; no usage before the end."""
    talk = begin(ask(WEATHER), answer("Hi"))
    run = talk.poll()
    assert run.usage is None
    done = talk.wait(talk.submit(run, BOTH[:1])).to_dict()
    assert (done["metadata"], done["tool_resources"]) == ({}, {})
    assert {"prompt_token_details", "completion_tokens_details"} < set(done["usage"])
    message = talk.threads.messages.list(talk.thread_id).data[0].to_dict()
    assert (message["attachments"], message["metadata"]) == ([], {})


def test_every_delta_of_a_message_has_text(start: Any) -> None:
    """27. Programs read content[0].text.value unchecked."""
    talk = start(answer("Hi ", "there"))
    with talk.stream() as stream:
        deltas = [event.data.delta.content for event in stream if event.event == "thread.message.delta"]
    assert all(isinstance(content[0].text.value, str) for content in deltas)
    assert "".join(content[0].text.value for content in deltas) == "Hi there"


def test_text_deltas_beside_a_handler(begin: Any) -> None:
    """28. Both see the stream, and get_final_messages after it."""
    talk = begin(answer("Hi ", "there"))
    seen: list[str] = []

    class Handler(AssistantEventHandler):
        def on_text_delta(self, delta: Any, snapshot: Any) -> None:
            seen.append(delta.value)

    with talk.stream(event_handler=Handler()) as stream:
        assert list(stream.text_deltas) == seen == ["Hi ", "there"]
        assert stream.get_final_messages()[0].content[0].text.value == "Hi there"


def test_defaults_that_the_service_adds(begin: Any) -> None:
    """29. An empty list of files for code_interpreter, strict for functions, nothing for file_search."""
    tools: list[Any] = [{"type": "file_search"}, {"type": "code_interpreter"}, TOOLS[0]]
    made = begin().beta.assistants.create(model="m", tools=tools).to_dict()
    assert made["tools"][:2] == tools[:2]
    assert made["tools"][2]["function"] == {"name": "get_weather", "strict": False}
    assert made["tool_resources"] == {"code_interpreter": {"file_ids": []}}


def test_a_deleted_vector_store_is_named_nowhere(begin: Any) -> None:
    """30. Assistants and threads that had it go on without: runs that search find nothing."""
    talk = begin(ask(ModelCall("call_s", "file_search", '{"queries":["notes"]}')), answer("Nothing."))
    store = talk.client.vector_stores.create(name="Notes")
    resources: Any = {"file_search": {"vector_store_ids": [store.id]}}
    assistant = talk.beta.assistants.create(model="m", tools=[{"type": "file_search"}], tool_resources=resources)
    thread = talk.threads.create(messages=[HELLO], tool_resources=resources)
    assert assistant.tool_resources.to_dict() == thread.tool_resources.to_dict() == resources
    assert talk.client.vector_stores.delete(store.id).deleted
    empty = {"file_search": {"vector_store_ids": []}}
    assert talk.beta.assistants.retrieve(assistant.id).tool_resources.to_dict() == empty
    assert talk.threads.retrieve(thread.id).tool_resources.to_dict() == empty
    run = talk.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    [step, _] = talk.steps(run)
    assert (run.status, step.step_details.tool_calls[0].file_search.results) == ("completed", [])


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("notes.txt", "Grüße\r\n".encode(), "text/plain"),
        ("days.csv", b"day,degrees\n", "text/csv"),
        ("dot.png", PNG, "image/png"),
        ("data.bin", bytes(range(256)), "application/octet-stream"),
    ],
)
def test_contents_come_with_their_type(begin: Any, name: str, data: bytes, kind: str) -> None:
    """32. Programs read the header, the text, and `.content` of the raw answer."""
    files = begin().client.files
    made = files.create(file=(name, data), purpose="assistants")
    content = files.content(made.id)
    assert content.response.headers["content-type"].partition(";")[0] == kind
    assert content.content == data
    assert files.with_raw_response.content(made.id).content == data
    if kind.startswith("text"):
        assert content.text == data.decode()


def test_files_are_found_by_name_on_the_first_page(begin: Any) -> None:
    """35. By the exact name, as assistants are; a limit may be text."""
    talk = begin()
    for number in range(3):
        talk.client.files.create(file=(f"Näme {number}.txt", b"x"), purpose="assistants")
    assert [file.filename for file in talk.client.files.list()] == [f"Näme {number}.txt" for number in (2, 1, 0)]
    assert len(talk.sent("GET", "/v1/files?limit=2")["data"]) == 2


def test_assistants_are_found_by_name_on_the_first_page(begin: Any) -> None:
    """35, and 26 of the clients. Names come back unchanged, the newest 20 first; a limit may be text."""
    talk = begin()
    for number in range(25):
        talk.beta.assistants.create(model="m", name=f" Näme {number} ")
    first: Any = talk.client.get("/assistants", cast_to=object)
    assert [one["name"] for one in first["data"]] == [f" Näme {number} " for number in range(24, 4, -1)]
    assert len(talk.beta.assistants.list(limit="3", extra_query={"unknown": "x"}).data) == 3


def test_unknown_fields_are_named_or_let_pass(begin: Any) -> None:
    """36. `service_tier` on a run is sent in the wild."""
    talk = begin(answer("Hi"))
    with pytest.raises(BadRequestError, match="Unknown parameter: 'service_tier'") as refused:
        talk.create(extra_body={"service_tier": "flex"})
    assert (refused.value.param, refused.value.code) == ("service_tier", "unknown_parameter")
    lenient = begin(answer("Hi"), unknown_fields="warn")
    assert lenient.poll(extra_body={"service_tier": "flex"}).status == "completed"
    with pytest.raises(BadRequestError, match="temperature"):
        lenient.create(extra_body={"service_tier": "flex", "temperature": 5})


def test_what_cannot_be_changed_is_named(begin: Any) -> None:
    """36. `content` of a message is sent in updates."""
    talk = begin()
    message = talk.threads.messages.create(talk.thread_id, role="user", content="x")
    with pytest.raises(BadRequestError, match="Unknown parameter: 'content'") as refused:
        talk.threads.messages.update(message.id, thread_id=talk.thread_id, extra_body={"content": "y"})
    assert refused.value.param == "content"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("assistants", {"model": "m", "file_ids": ["file-1"]}),
        ("assistants", {"model": "m", "tools": [{"type": "retrieval"}]}),
        ("threads", {"messages": [{"role": "user", "content": "x", "file_ids": ["file-1"]}]}),
        ("assistants/asst_1/files", {"file_id": "file-1"}),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"OpenAI-Beta": "assistants=v2"}])
def test_a_part_of_v1_is_told_as_the_hosted_service_did(begin: Any, path: str, body: Any, headers: Any) -> None:
    """37. Programs that say that they are of v1 are served: test_v1.py."""
    talk: Talk = begin()
    response = talk.http.post(f"/v1/{path}", json=body, headers=headers)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["type"]) == (400, "invalid_beta", "invalid_request_error")
    assert error["message"].startswith(V1_TEXT)


def test_nested_metadata_is_refused_by_its_key(begin: Any) -> None:
    """38. With the key's name."""
    talk = begin()
    with pytest.raises(BadRequestError, match=r"metadata\.user") as refused:
        talk.client.post("/threads", cast_to=object, body={"metadata": {"user": {"id": 1}}})
    assert (refused.value.param, refused.value.code) == ("metadata.user", "invalid_type")
