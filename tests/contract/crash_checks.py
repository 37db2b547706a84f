"""What must hold after any death and recovery: nothing lost, nothing doubled, nothing stuck."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from openai import NotFoundError

from tests.contract.crash_client import Client, Object
from tests.contract.crash_kinds import Kind

__all__ = ["problems"]

Chats = Sequence[Object]
_LOST = "run_failed"
"""Why a message is incomplete whose worker died or whose model broke off."""


def problems(client: Client, kind: Kind, log: Sequence[Chats], *, died: int) -> list[str]:
    """List what is wrong in a store where the client has come to its end.

    `log` is what the model was asked, `died` how often engine and client were killed.
    """
    threads = sorted(client.all("/threads"), key=lambda thread: _steps_of(client).index(thread["id"]))
    found = list(_of_noted(client, deleted="delete" in client.notes.begun))
    found += _of_users(client, threads)
    runs = [run for thread in threads for run in client.all(f"/threads/{thread['id']}/runs")]
    if [run["status"] for run in runs] != list(kind.ends):
        found.append(f"runs ended {[run['status'] for run in runs]}, not {list(kind.ends)}")
    for run in runs:
        messages = [one for one in _messages(client, run["thread_id"]) if one["run_id"] == run["id"]]
        steps = client.all(f"/threads/{run['thread_id']}/runs/{run['id']}/steps")
        found += _of_run(run, steps)
        found += _of_messages(kind, run, messages, steps)
        found += _of_calls(kind, run, steps, client)
        broken = sum(step["status"] == "failed" for step in steps)
        if broken > 2 * (died + len(kind.first)):  # a message and its calls break off together
            found.append(f"{broken} failed steps")
        found += _of_heard(client, messages, steps)
    found += _of_code(client, runs)
    for thread in threads:
        messages = _messages(client, thread["id"])
        for number, chats in enumerate(log):
            found += (f"request {number}: {problem}" for problem in _of_request(chats, messages))
    return found


def follow_up(client: Client, thread: Object, assistant: Object, read_log: Any) -> Iterator[str]:
    """Ask once more in a thread: it is free, and the model reads the whole of it, once."""
    before = _messages(client, thread["id"])
    outputs = [
        _output(call)
        for run in client.all(f"/threads/{thread['id']}/runs")
        for step in client.all(f"/threads/{thread['id']}/runs/{run['id']}/steps")
        if step["type"] == "tool_calls" and step["status"] == "completed"
        for call in step["step_details"]["tool_calls"]
    ]
    step = f"after {thread['id']}"
    client.message(f"{step}, message", thread, "And now?")
    run = client.run(step, thread, {"assistant_id": assistant["id"]})
    if run["status"] != "completed":
        yield f"a run after it ended {run['status']}"
        return
    chats: Chats = read_log()[-1]
    users = [chat["content"] for chat in chats if chat["role"] == "user"]
    if users != [*(_text(message) for message in before if message["role"] == "user"), "And now?"]:
        yield f"the model then read {users}"
    said = [chat["content"] for chat in chats if chat["role"] == "assistant" and chat["content"]]
    if said != [_text(one) for one in before if one["role"] == "assistant" and _is_kept(one) and _text(one)]:
        yield f"the model then read its own {said}, of {[(_text(one), one['status']) for one in before]}"
    given = [chat["content"] for chat in chats if chat["role"] == "tool"]
    if [text.partition("\n")[0] for text in given] != outputs:
        yield f"the model then read the outputs {given}, not {outputs}"


def _of_noted(client: Client, *, deleted: bool) -> Iterator[str]:
    """Nothing that was answered is lost."""
    for step, noted in client.notes.answers.items():
        path = {
            "assistant": f"/assistants/{noted.get('id')}",
            "thread": f"/threads/{noted.get('id')}",
            "thread.message": f"/threads/{noted.get('thread_id')}/messages/{noted.get('id')}",
            "thread.run": f"/threads/{noted.get('thread_id')}/runs/{noted.get('id')}",
        }.get(noted.get("object", ""))
        if path is None:
            continue
        try:
            now = client.get(path)
        except NotFoundError:
            if not deleted or noted["object"] == "assistant":
                yield f"what {step!r} made is lost"
            continue
        if deleted and noted["object"] != "assistant":
            yield f"{step!r} is there though deleted"
        if step in ("of run", "of thread") and now["metadata"] != {"seen": "yes"}:
            yield f"the metadata of {step!r} are lost"
        if now["created_at"] != noted["created_at"]:
            yield f"what {step!r} made is of another time"


def _of_users(client: Client, threads: Sequence[Object]) -> Iterator[str]:
    """Each message of the user's is there once."""
    if "delete" in client.notes.begun:
        return
    bodies = [body.get("thread", body) for body in client.notes.begun.values()]
    sent = [message["content"] for body in bodies for message in body.get("messages", [])]
    sent += [body["content"] for body in bodies if "content" in body]
    there = [_text(one) for thread in threads for one in _messages(client, thread["id"]) if one["role"] == "user"]
    if there != sent:
        yield f"the user's messages are {there}, not {sent}"


def _of_run(run: Object, steps: Sequence[Object]) -> Iterator[str]:
    """A run is over as a whole, and its usage is that of its steps."""
    if run["required_action"] is not None:
        yield "a run that is over wants something"
    if run["usage"] is None or run["usage"]["total_tokens"] != sum(_tokens(step) for step in steps):
        yield f"usage {run['usage']}, of steps {[step['usage'] for step in steps]}"
    turns = len({step["id"] for step in steps if _tokens(step)})
    if run["usage"] and run["usage"]["total_tokens"] != 15 * turns:
        yield f"usage {run['usage']} of {turns} turns"
    for step in steps:
        if step["status"] == "in_progress":
            yield "a step is open"
        if (step["status"] == "failed") != (step["last_error"] is not None):
            yield f"a step is {step['status']} with {step['last_error']}"


def _of_messages(kind: Kind, run: Object, messages: Sequence[Object], steps: Sequence[Object]) -> Iterator[str]:
    """Each answer is there once and whole; each message has its step, and each step its message."""
    of_steps = [
        step["step_details"]["message_creation"]["message_id"] for step in steps if step["type"] == "message_creation"
    ]
    if of_steps != [message["id"] for message in messages]:
        yield f"messages {[message['id'] for message in messages]}, by steps {of_steps}"
    if any(message["status"] == "in_progress" for message in messages):
        yield "a message is open"
    whole = [message for message in messages if message["status"] == "completed"]
    said = Counter(_text(message).partition(" ")[0] for message in messages)
    if any(count > 1 for count in said.values()):
        yield f"one answer is there twice: {said}"
    wanted = 1 + len(kind.says) * len(kind.calls)
    if run["status"] == "completed" and len(whole) != wanted:
        yield f"answers {[_text(message) for message in messages]}, and {wanted} wanted"
    if run["status"] == "completed" and "answers" not in _text(messages[-1]):
        yield f"the last answer is {_text(messages[-1])!r}"


def _of_calls(kind: Kind, run: Object, steps: Sequence[Object], client: Client) -> Iterator[str]:
    """Each turn's calls were asked once, answered once, and kept their ids."""
    turns = [step["step_details"]["tool_calls"] for step in steps if step["type"] == "tool_calls"]
    taken = [
        step["step_details"]["tool_calls"]
        for step in steps
        if step["type"] == "tool_calls" and step["status"] == "completed"
    ]
    if run["status"] == "completed" and [len(calls) for calls in taken] != list(kind.calls):
        yield f"turns of {[len(calls) for calls in taken]} calls, not {list(kind.calls)}"
    for turn, calls in enumerate(taken):
        for place, call in enumerate(calls):
            if call["type"] == "function" and json.loads(call["function"]["arguments"]) != {
                "turn": turn,
                "place": place,
            }:
                yield f"call {call} in turn {turn}"
            if _output(call) != f"of {call['id']}":
                yield f"call {call['id']} got {_output(call)}"
    ids = [call["id"] for calls in turns for call in calls]
    if len(ids) != len(set(ids)):
        yield f"call ids {ids}"
    asked = [data for _, data in client.notes.heard if data.get("object") == "thread.run"]
    for noted in (*asked, *client.notes.answers.values()):
        if noted.get("object") == "thread.run" and noted["id"] == run["id"] and noted["required_action"]:
            for call in noted["required_action"]["submit_tool_outputs"]["tool_calls"]:
                if call["id"] not in ids:
                    yield f"call {call['id']} was asked and is gone; there are {ids}"


def _of_code(client: Client, runs: Sequence[Object]) -> Iterator[str]:
    """Of each call of code_interpreter there is one picture and one file, and the answer begins with the pictures."""
    for run in runs:
        steps = client.all(f"/threads/{run['thread_id']}/runs/{run['id']}/steps")
        calls = [call for step in steps if step["type"] == "tool_calls" for call in step["step_details"]["tool_calls"]]
        code = [call["code_interpreter"]["outputs"] for call in calls if call["type"] == "code_interpreter"]
        pictures = [one["image"]["file_id"] for outputs in code for one in outputs if one["type"] == "image"]
        made = {file["id"]: file["filename"] for file in client.all("/files") if file["purpose"] == "assistants_output"}
        if [name for name in made.values() if name.startswith("image-")] != ["image-1.png"] * len(code):
            yield f"files {made}, of {len(code)} calls"
        if {name for name in made.values() if name.startswith("call_")} != {
            f"{call['id']}.txt" for call in calls if call["type"] == "code_interpreter"
        } or len(made) != 2 * len(code):
            yield f"files {made}, of {calls}"
        [*_, last] = _messages(client, run["thread_id"])
        shown = [part["image_file"]["file_id"] for part in last["content"] if part["type"] == "image_file"]
        if run["status"] == "completed" and shown != pictures:
            yield f"the answer shows {shown}, not {pictures}"


def _output(call: Object) -> str:
    """Give what a call has given, without what the engine says of it."""
    if call["type"] == "function":
        return call["function"]["output"]
    return "".join(one["logs"] for one in call["code_interpreter"]["outputs"] if one["type"] == "logs").strip()


def _of_heard(client: Client, messages: Sequence[Object], steps: Sequence[Object]) -> Iterator[str]:
    """What was heard is there, and says the same."""
    there = {one["id"]: one for one in (*messages, *steps)}
    heard: dict[str, str] = {}
    for name, data in client.notes.heard:
        if name in ("thread.message.created", "thread.run.step.created"):
            if data["id"] not in there:
                yield f"{name} was heard, and it is gone"
            heard[data["id"]] = ""  # it may be told from its start again
        elif name == "thread.message.delta":
            [part] = data["delta"]["content"]
            heard[data["id"]] += part["text"]["value"] if part["type"] == "text" else ""
        elif name == "thread.message.completed" and there.get(data["id"]) != data:
            yield "a message that was heard whole is not as it was heard"
    for message in messages:
        text = _text(message)
        told = heard.get(message["id"], "")
        if not (text.startswith(told) or (message["status"] == "incomplete" and told.startswith(text))):
            yield f"{told!r} was heard of {text!r}"


def _of_request(chats: Chats, messages: Sequence[Object]) -> Iterator[str]:
    """What the model was asked is in order, once, and none of it broken."""
    users = [chat["content"] for chat in chats if chat["role"] == "user"]
    if len(users) != len(set(users)):
        yield f"it read {users}"
    kept = {_text(message) for message in messages if _is_kept(message)}
    said = [chat["content"] for chat in chats if chat["role"] == "assistant" and chat["content"]]
    if len(said) != len(set(said)) or not set(said) <= kept:
        yield f"it read its own {said}"
    open_: list[str] = []
    for chat in chats:
        if chat["role"] == "tool":
            if not open_ or open_.pop(0) != chat["tool_call_id"]:
                yield f"it read the output of {chat['tool_call_id']} out of place"
        else:
            if open_:
                yield f"it did not read the outputs of {open_}"
            open_ = [call["id"] for call in chat.get("tool_calls", [])]


def _is_kept(message: Object) -> bool:
    """Whether models read a message: not when it broke off."""
    return not (message["status"] == "incomplete" and message["incomplete_details"]["reason"] == _LOST)


def _messages(client: Client, thread_id: str) -> list[Object]:
    return client.all(f"/threads/{thread_id}/messages")


def _text(message: Object) -> str:
    return "".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def _tokens(step: Object) -> int:
    return step["usage"]["total_tokens"] if step["usage"] else 0


def _steps_of(client: Client) -> list[str]:
    """Threads in the order in which they were made."""
    return [
        answer["thread_id"] if answer.get("object") == "thread.run" else answer.get("id", "")
        for answer in client.notes.answers.values()
    ]
