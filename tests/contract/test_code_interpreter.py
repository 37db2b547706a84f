"""code_interpreter in runs: what the model is offered and told, what steps and messages show, files in and out."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError

from tests.contract.talk import BOTH, TOOLS, WEATHER, Talk
from tests.contract.test_moving import toolkit
from tests.engine.scripted import answer, ask, asked
from tests.started.command import started_often
from tests.test_examples import run as run_program
from toolkit.engine.model import ModelCall, ModelRequest
from toolkit.errors import SandboxUnavailable
from toolkit.sandbox.choice import chosen

CODE: Any = {"type": "code_interpreter"}
SEARCH: Any = {"type": "file_search"}
CHART = """class Chart:
    def _repr_png_(self): return b"\\x89PNG\\r\\n\\x1a\\n, say"
display(Chart())
"""


@pytest.fixture(autouse=True)
def nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.engine.code.sessions.PRELUDE", "")


@cache
def found() -> Any:
    """The sandbox that an engine would find: looking for it is half a second's work each time."""
    return asyncio.run(chosen())


@pytest.fixture
def talks(talks: Any) -> Any:
    """Start talks whose engines are given the sandbox; with `sandbox=None` one looks for it itself."""
    return lambda door, *scripts, **settings: talks(door, *scripts, **{"sandbox": found(), **settings})


def code(text: str, id: str = "call_c", name: str = "code_interpreter") -> ModelCall:
    return ModelCall(id, name, json.dumps({"code": text}))


def thread(talk: Talk, *file_ids: str, **more: Any) -> Any:
    attachments = [{"file_id": file_id, "tools": [CODE]} for file_id in file_ids]
    return talk.threads.create(messages=[{"role": "user", "content": "Go.", "attachments": attachments}], **more)


def go(talk: Talk, *tools: Any, made: Any = None, **options: Any) -> Any:
    assistant = talk.beta.assistants.create(model="m", tools=[CODE, *tools])
    made = made or thread(talk)
    return talk.runs.create_and_poll(thread_id=made.id, assistant_id=assistant.id, **options)


def file(talk: Talk, name: str, data: bytes) -> str:
    return str(talk.client.files.create(file=(name, data), purpose="assistants").id)


def steps(talk: Talk, run: Any) -> list[Any]:
    return list(talk.runs.steps.list(run.id, thread_id=run.thread_id, order="asc"))


def output(request: ModelRequest) -> str:
    said: str = [chat for chat in asked(request) if chat["role"] == "tool"][-1]["content"]
    return said


def test_code_runs_and_the_step_shows_it(start: Any) -> None:
    scripts = ask(code("x = 20\nprint('hi')\nx + 1")), ask(code("x * 2", "call_d")), answer("Done.")
    talk: Talk = start(*scripts, sandbox=None)
    run = go(talk)
    assert run.status == "completed", run.last_error
    one, two, message = steps(talk, run)
    assert (one.type, one.status, message.type) == ("tool_calls", "completed", "message_creation")
    [call] = one.step_details.tool_calls
    assert (call.id, call.type) == ("call_c", "code_interpreter")
    assert call.code_interpreter.input == "x = 20\nprint('hi')\nx + 1"
    assert [each.to_dict() for each in call.code_interpreter.outputs] == [{"type": "logs", "logs": "hi\n21\n"}]
    [call] = two.step_details.tool_calls
    assert call.code_interpreter.outputs[0].logs == "40\n"
    first, second, third = talk.model.requests
    [offered] = json.loads(first.tools or "")
    assert offered["function"]["name"] == "code_interpreter"
    assert (output(second), output(third)) == ("hi\n21", "40")
    assert run.usage.total_tokens == 45


def test_variables_stay_from_run_to_run_of_a_thread(begin: Any) -> None:
    talk: Talk = begin(ask(code("x = 5")), answer("One."), ask(code("x")), answer("Two."))
    made = thread(talk)
    go(talk, made=made)
    run = go(talk, made=made)
    assert steps(talk, run)[0].step_details.tool_calls[0].code_interpreter.outputs[0].logs == "5\n"
    other = talk.model.requests[-1]
    assert output(other) == "5"


def test_a_new_session_is_told_of(begin: Any) -> None:
    talk: Talk = begin(
        ask(code("x = 5")),
        answer("One."),
        ask(code("import os; os._exit(3)")),
        ask(code("x", "call_d")),
        answer("Two."),
    )
    made = thread(talk)
    go(talk, made=made)
    run = go(talk, made=made)
    assert run.status == "completed"
    assert "The Python process has ended" in output(talk.model.requests[3])
    told = output(talk.model.requests[4])
    assert told.startswith("NameError") or "NameError: name 'x' is not defined" in told
    assert "This is a new Python session" in told


def outputs(request: ModelRequest) -> list[str]:
    return [chat["content"] for chat in asked(request) if chat["role"] == "tool"]


def test_calls_of_a_turn_share_a_new_session(talks: Any, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/a.db"
    talk: Talk = talks("in process", ask(code("x = 5")), answer("One."), store=store)
    run = go(talk)
    talk.engine.close()
    again: Talk = talks("in process", ask(code("y = 7"), code("y", "call_d")), answer("Two."), store=store)
    made = again.runs.create_and_poll(thread_id=run.thread_id, assistant_id=run.assistant_id)
    assert made.status == "completed"
    _, first, second = outputs(again.model.requests[1])
    assert first.startswith("This is a new Python session")
    assert second == "7"


def test_a_call_is_told_that_the_one_before_it_has_ended_the_session(begin: Any) -> None:
    talk: Talk = begin(ask(code("x = 5\nimport os; os._exit(3)"), code("print(2)", "call_d")), answer("Done."))
    go(talk)
    first, second = outputs(talk.model.requests[1])
    assert "The Python process has ended" in first
    assert second.startswith("2\nThis is a new Python session")


def test_errors_and_mistakes_go_back_to_the_model(begin: Any) -> None:
    talk: Talk = begin(
        ask(code("1/0")),
        ask(ModelCall("call_d", "code_interpreter", '{"code": 5}')),
        ask(ModelCall("call_e", "code_interpreter", "print('bare')")),
        ask(code("```python\nprint('fenced')\n```", "call_f")),
        answer("Done."),
    )
    run = go(talk)
    assert run.status == "completed"
    _, first, second, third, fourth = talk.model.requests
    assert output(first).endswith("ZeroDivisionError: division by zero")
    assert "toolkit" not in output(first)
    assert output(second).startswith("code: give Python code as a string")
    assert (output(third), output(fourth)) == ("bare", "fenced")
    shown = [step.step_details.tool_calls[0].code_interpreter.input for step in steps(talk, run)[:4]]
    assert shown == ["1/0", "", "print('bare')", "```python\nprint('fenced')\n```"]


def test_files_go_in_under_name_and_id_and_come_out(start: Any) -> None:
    read = "print(open('/mnt/data/a.csv').read(), open('/mnt/data/{}').read(), open('/mnt/data/a-2.csv').read())\n"
    talk: Talk = start()
    ours, theirs = file(talk, "a.csv", b"1,2"), file(talk, "a.csv", b"3,4")
    write = "open('/mnt/data/out put.csv', 'w').write('5,6')"
    talk.model.scripts = [
        ask(code(read.format(ours) + write)),
        answer(
            "See [it](sandbox:/mnt/",
            "data/out put.csv) or sandbox:/mnt/data/out%20put.csv. ",
            "No sandbox:/mnt/data/x.",
        ),
    ]
    run = go(talk, made=thread(talk, ours, theirs))
    assert run.status == "completed", run.last_error
    assert output(talk.model.requests[1]).startswith("1,2 1,2 3,4\n")
    assert "'a.csv', 'a-2.csv'" in json.loads(talk.model.requests[0].tools or "")[0]["function"]["description"]
    [message] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    text = message.content[0].text
    first, second = text.annotations
    for each in (first, second):
        assert (each.type, text.value[each.start_index : each.end_index]) == ("file_path", each.text)
    assert first.text == "sandbox:/mnt/data/out put.csv"
    made = talk.client.files.retrieve(first.file_path.file_id)
    assert (made.filename, made.purpose, made.bytes) == ("out put.csv", "assistants_output", 3)
    assert talk.client.files.content(made.id).content == b"5,6"
    assert second.file_path.file_id == made.id


def test_a_character_that_comes_in_two_halves_is_one_before_a_link(begin: Any) -> None:
    link = "sandbox:/mnt/data/a.txt"
    talk: Talk = begin(ask(code("open('/mnt/data/a.txt', 'w').close()")), answer("\ud83d", f"\ude00 {link}."))
    run = go(talk)
    [message] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    text = message.content[0].text
    [found] = text.annotations
    assert (text.value, text.value[found.start_index : found.end_index]) == (f"\U0001f600 {link}.", link)


def test_an_assistant_has_files_too(begin: Any) -> None:
    talk: Talk = begin(ask(code("sorted(__import__('os').listdir('/mnt/data'))")), answer("Done."))
    ours, theirs = file(talk, "a.txt", b"a"), file(talk, "b.txt", b"b")
    resources: Any = {"code_interpreter": {"file_ids": [ours]}}
    assistant = talk.beta.assistants.create(model="m", tools=[CODE], tool_resources=resources)
    made = talk.threads.create(messages=[{"role": "user", "content": "Go."}])
    talk.threads.update(made.id, tool_resources={"code_interpreter": {"file_ids": [theirs]}})
    talk.runs.create_and_poll(thread_id=made.id, assistant_id=assistant.id)
    assert sorted([ours, theirs, "a.txt", "b.txt"]) == eval(output(talk.model.requests[1]))


def test_a_chart_and_its_text_are_one_message(start: Any) -> None:
    talk: Talk = start(ask(code("print('before')\n" + CHART + "print('after')")), answer("A chart."))
    run = go(talk)
    [message] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    image, text = message.content
    assert (image.type, text.text.value) == ("image_file", "A chart.")
    data = talk.client.files.content(image.image_file.file_id).content
    assert data.startswith(b"\x89PNG")
    outputs = steps(talk, run)[0].step_details.tool_calls[0].code_interpreter.outputs
    assert [each.type for each in outputs] == ["logs", "image", "logs"]
    assert outputs[1].image.file_id == image.image_file.file_id
    assert output(talk.model.requests[1]) == "before\nafter\n[1 image is shown to the user with your answer.]"


PACKAGES = ["matplotlib", "numpy", "openpyxl", "pandas", "PIL", "plotly", "pptx", "scipy"]


def test_the_packages_that_programs_expect_are_there(begin: Any) -> None:
    """Where a package is missing, the model reads that; to import them all takes as long as it does."""
    check = f"import importlib.util\n[name for name in {PACKAGES!r} if importlib.util.find_spec(name) is None]"
    ours = "[name for name in ('toolkit.engine', 'openai', 'pydantic') if importlib.util.find_spec(name)]"
    talk: Talk = begin(ask(code(check)), ask(code(ours, "call_d")), answer("Done."))
    go(talk)
    assert [output(request) for request in talk.model.requests[1:]] == ["[]", "[]"]


def test_a_figure_of_matplotlib_is_shown_by_itself(begin: Any) -> None:
    draw = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nNone"
    talk: Talk = begin(ask(code(draw)), answer("A chart."))
    run = go(talk)
    [message] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    data = talk.client.files.content(message.content[0].image_file.file_id).content
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    assert (data[:8], width > 300, height > 200) == (b"\x89PNG\r\n\x1a\n", True, True)


def test_code_that_says_nothing_has_no_outputs(begin: Any) -> None:
    talk: Talk = begin(ask(code("x = 1")), answer("Done."))
    [call] = steps(talk, go(talk))[0].step_details.tool_calls
    assert call.code_interpreter.outputs == []
    assert output(talk.model.requests[1]) == "The code ran, and printed nothing."


def test_long_output_is_shown_to_the_user_and_shortened_for_the_model(begin: Any) -> None:
    talk: Talk = begin(ask(code("print('a' * 50_000); print('\\x1b[31mred\\x1b[0m', chr(0) + 'end')")), answer("Done."))
    [call] = steps(talk, go(talk))[0].step_details.tool_calls
    assert call.code_interpreter.outputs[0].logs == "a" * 50_000 + "\nred end\n"
    told = output(talk.model.requests[1])
    assert "characters are left out here" in told
    assert (len(told) < 21_000, told[:5], told[-7:]) == (True, "aaaaa", "red end")


def test_what_calls_give_fits_into_a_small_window(begin: Any) -> None:
    long = "print('a' * 50_000)"
    calls = [ask(code(long)), ask(*(code(long, f"call_{number}") for number in range(5))), answer("Done.")]
    talk: Talk = begin(*calls, context_tokens=4096)
    go(talk)
    [one], [_, *five] = (outputs(request) for request in talk.model.requests[1:])
    assert 2000 < len(one) < 4096 * 3 // 4 + 100
    assert 4000 < sum(map(len, five)) < 4096 * 3 // 2 + 500


def test_the_model_is_told_of_a_file_whose_contents_are_not_there(talks: Any, tmp_path: Path) -> None:
    here, there = (f"sqlite:///{tmp_path}/{name}.db" for name in ("here", "there"))
    talk: Talk = talks("in process", answer("One."), store=here)
    run = go(talk, made=thread(talk, file(talk, "a.csv", b"1,2")))
    talk.engine.close()
    run_program(started_often(), "export", "dump.jsonl", "--no-files", "--store", here, folder=tmp_path)
    toolkit("import", "dump.jsonl", "--store", there, folder=tmp_path)
    again: Talk = talks("in process", ask(code("print(1)")), answer("Two."), store=there)
    made = again.runs.create_and_poll(thread_id=run.thread_id, assistant_id=run.assistant_id)
    assert made.status == "completed"
    assert "The file 'a.csv' could not be put into the session: it was deleted, its" in output(again.model.requests[1])


def test_a_deleted_thread_ends_its_session(begin: Any) -> None:
    talk: Talk = begin(ask(code("import os; os.getpid()")), answer("Done."))
    run = go(talk)
    pool = talk.engine._here[1]._execution._sessions._pool
    [session] = pool._sessions.values()
    assert session.ended is None
    talk.threads.delete(run.thread_id)
    assert session.ended.why == "closed"


def names(told: list[Any]) -> list[str]:
    return [event.event.removeprefix("thread.") for event in told]


def test_a_stream_tells_code_and_outputs_while_they_come(start: Any) -> None:
    talk: Talk = start(ask(code("print(1)\n" + CHART)), answer("A chart: sandbox:/mnt/data/none."))
    assistant = talk.beta.assistants.create(model="m", tools=[CODE])
    told = list(talk.runs.create(thread_id=thread(talk).id, assistant_id=assistant.id, stream=True))
    said = names(told)
    assert said[:5] == ["run.created", "run.queued", "run.in_progress", "run.step.created", "run.step.in_progress"]
    last = [i for i, name in enumerate(said) if name == "run.step.delta"][-1]
    assert said[last + 1 :][:6] == [
        "run.step.completed",
        "run.step.created",
        "run.step.in_progress",
        "message.created",
        "message.in_progress",
        "message.delta",
    ]
    begun, *more = [e.data.delta.step_details.tool_calls[0] for e in told if e.event == "thread.run.step.delta"]
    assert (begun.id, begun.type, begun.code_interpreter.input, begun.code_interpreter.outputs) == (
        "call_c",
        "code_interpreter",
        "",
        [],
    )
    assert "".join(each.code_interpreter.input or "" for each in more) == "print(1)\n" + CHART
    outputs = [output for each in more for output in each.code_interpreter.outputs or []]
    assert [(each.index, each.type) for each in outputs] == [(0, "logs"), (1, "image")]
    parts = [e.data.delta.content[0] for e in told if e.event == "thread.message.delta"]
    assert [(part.index, part.type) for part in parts][:2] == [(0, "image_file"), (1, "text")]
    completed = next(e.data for e in told if e.event == "thread.message.completed")
    assert [part.type for part in completed.content] == ["image_file", "text"]


def test_the_handlers_of_the_sdk_put_it_together(begin: Any) -> None:
    talk: Talk = begin(ask(code("print(1)\n" + CHART), say=["Let me see."]), answer("A chart."))
    assistant = talk.beta.assistants.create(model="m", tools=[CODE])
    with talk.runs.stream(thread_id=thread(talk).id, assistant_id=assistant.id) as stream:
        list(stream)
        steps_told, messages = stream.get_final_run_steps(), stream.get_final_messages()
    [call] = steps_told[1].step_details.tool_calls
    assert call.code_interpreter.input == "print(1)\n" + CHART
    assert [each.type for each in call.code_interpreter.outputs] == ["logs", "image"]
    assert [[part.type for part in message.content] for message in messages] == [["text"], ["image_file", "text"]]


def test_it_works_beside_functions_and_file_search_in_one_turn(start: Any) -> None:
    search = ModelCall("call_s", "file_search", json.dumps({"queries": ["cats"]}))
    talk: Talk = start(ask(search, code("40 + 2"), WEATHER, say=["Looking."]), answer("Cats purr 【0:0†source】."))
    notes = file(talk, "cats.md", b"# Cats\n\nCats purr.\n")
    assistant = talk.beta.assistants.create(model="m", tools=[SEARCH, CODE, *TOOLS])
    attachments: Any = [{"file_id": notes, "tools": [SEARCH, CODE]}]
    made = talk.threads.create(messages=[{"role": "user", "content": "Go.", "attachments": attachments}])
    run = talk.runs.create_and_poll(thread_id=made.id, assistant_id=assistant.id)
    assert run.status == "requires_action"
    assert [call.id for call in run.required_action.submit_tool_outputs.tool_calls] == ["call_a"]
    waiting = steps(talk, run)[1].step_details.tool_calls
    assert [call.type for call in waiting] == ["file_search", "code_interpreter", "function"]
    assert waiting[1].code_interpreter.outputs[0].logs == "42\n"
    run = talk.wait(talk.submit(run, BOTH[:1]))
    assert run.status == "completed"
    answers = [chat["content"] for chat in asked(talk.model.requests[1]) if chat["role"] == "tool"]
    assert [answers[0][:8], *answers[1:]] == ["Passages", "42", "sunny"]
    [message, _] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    assert message.content[0].text.annotations[0].file_citation.quote == "# Cats\n\nCats purr.\n"
    assert run.usage.total_tokens == 30


def test_tool_choice_forces_it(begin: Any) -> None:
    talk: Talk = begin(ask(code("1")), answer("Done."))
    go(talk, tool_choice={"type": "code_interpreter"})
    first, second = talk.model.requests
    assert first.options["tool_choice"] == {"type": "function", "function": {"name": "code_interpreter"}}
    assert "tool_choice" not in second.options


def test_a_cancel_ends_the_code_and_the_thread_is_free(start: Any) -> None:
    talk: Talk = start(
        ask(code("print('on', flush=True)\nwhile True: pass")), ask(code("1", "call_d")), answer("Done.")
    )
    assistant = talk.beta.assistants.create(model="m", tools=[CODE])
    made = thread(talk)
    with talk.runs.create(thread_id=made.id, assistant_id=assistant.id, stream=True) as told:
        for event in told:
            if event.event == "thread.run.step.delta" and "logs" in str(event.data):
                break
        [run] = talk.runs.list(made.id)
        run = talk.runs.cancel(run.id, thread_id=made.id)
        assert run.status == "cancelled"
    [step] = steps(talk, run)
    assert (step.status, step.step_details.tool_calls[0].type) == ("cancelled", "code_interpreter")
    run = talk.runs.create_and_poll(thread_id=made.id, assistant_id=assistant.id)
    assert run.status == "completed"


class SlowToLeave:
    """The sandbox of this machine, with sessions that take long to clear away, as containers do."""

    async def open(self, limits: Any) -> Any:
        session: Any = await (await chosen()).open(limits)
        before = session._leave

        async def leave() -> None:
            await asyncio.sleep(0.5)
            if before is not None:
                await before()

        session._leave = leave
        return session


def test_a_cancelled_run_leaves_the_session_of_the_next_one_alone(begin: Any) -> None:
    slow = code("import time\nfor _ in range(3): time.sleep(0.5)\n'there'", "call_d")
    talk: Talk = begin(
        ask(code("print('on', flush=True)\nwhile 1: 1")), ask(slow), answer("Two."), sandbox=SlowToLeave()
    )
    assistant = talk.beta.assistants.create(model="m", tools=[CODE])
    made = thread(talk)
    with talk.runs.create(thread_id=made.id, assistant_id=assistant.id, stream=True) as told:
        next(event for event in told if event.event == "thread.run.step.delta" and "logs" in str(event.data.to_dict()))
        [run] = talk.runs.list(made.id)
        talk.runs.cancel(run.id, thread_id=made.id)
    run = talk.runs.create_and_poll(thread_id=made.id, assistant_id=assistant.id)
    assert run.status == "completed"
    assert output(talk.model.requests[-1]) == "'there'"


def test_what_a_turn_has_done_that_is_not_written_is_nobodys(begin: Any) -> None:
    talk: Talk = begin(
        ask(code("x = 1")), answer("One."), ask(code("x += 1")), ask(code("'x' in globals()")), answer("2")
    )
    made = thread(talk)
    go(talk, made=made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.engine.moves.go_on", lambda *_, **__: 1 / 0)
        assert go(talk, made=made).status == "failed"
    run = go(talk, made=made)
    assert run.status == "completed"
    assert output(talk.model.requests[-1]).startswith("False\nThis is a new Python session")


def test_bytes_that_are_gone_are_told_to_the_model(begin: Any, tmp_path: Path) -> None:
    talk: Talk = begin(ask(code("1")), answer("Done."), store=f"sqlite:///{tmp_path}/a.db")
    made = thread(talk, file(talk, "a.csv", b"1,2"))
    for blob in tmp_path.rglob("??/*"):
        blob.unlink()
    assert go(talk, made=made).status == "completed"
    assert "its contents are not here" in output(talk.model.requests[1])


def test_a_picture_is_shown_though_the_run_is_cut(begin: Any) -> None:
    talk: Talk = begin(ask(code(CHART)), answer(reason="length"))
    run = go(talk)
    assert (run.status, run.incomplete_details.reason) == ("incomplete", "max_completion_tokens")
    [message] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    assert [part.type for part in message.content] == ["image_file"]


def test_names_of_files_are_data(begin: Any) -> None:
    talk: Talk = begin(
        ask(code("open('/mnt/data/a\\n[b].txt', 'w').close()")), answer("sandbox:/mnt/data/a%0A%5Bb%5D.txt")
    )
    run = go(talk)
    assert output(talk.model.requests[1]).splitlines() == [
        "[/mnt/data/a_[b].txt is kept for the user: sandbox:/mnt/data/a%0A%5Bb%5D.txt]"
    ]
    [message] = talk.threads.messages.list(run.thread_id, run_id=run.id)
    [link] = message.content[0].text.annotations
    assert talk.client.files.retrieve(link.file_path.file_id).filename == "a_[b].txt"


def test_where_there_is_no_wall_a_run_is_refused_and_an_assistant_is_not(start: Any) -> None:
    async def none(*_: Any) -> Any:
        raise SandboxUnavailable("Install bubblewrap.")

    talk: Talk = start(answer("Done."), sandbox=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.sandbox.choice.available", none)
        with pytest.raises(BadRequestError) as refused:
            go(talk)
        assert refused.value.body == {
            "message": "This engine cannot run the tool 'code_interpreter'. Install bubblewrap.",
            "type": "invalid_request_error",
            "param": "tools",
            "code": "unsupported_tool",
        }
        [assistant] = talk.beta.assistants.list()
        run = talk.runs.create_and_poll(thread_id=thread(talk).id, assistant_id=assistant.id, tools=[])
        assert run.status == "completed"


def test_a_thread_that_has_moved_is_told_that_its_session_has_not(talks: Any, tmp_path: Path) -> None:
    here, there = (f"sqlite:///{tmp_path}/{name}.db" for name in ("here", "there"))
    talk: Talk = talks("in process", ask(code("x = 5")), answer("One."), store=here)
    run = go(talk)
    talk.engine.close()
    toolkit("export", "dump.jsonl", "--store", here, folder=tmp_path)
    toolkit("import", "dump.jsonl", "--store", there, folder=tmp_path)
    again: Talk = talks("in process", ask(code("'x' in globals()")), answer("Two."), store=there)
    made = again.runs.create_and_poll(thread_id=run.thread_id, assistant_id=run.assistant_id)
    assert made.status == "completed"
    assert output(again.model.requests[1]).startswith("False\nThis is a new Python session")
