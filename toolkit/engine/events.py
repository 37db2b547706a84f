"""The stream's events: how one looks, how deltas are made, how a leg is told again from what is stored.

The order of events is the one of the worked examples in the API reference (streaming events): a step before its
deltas, a message before its deltas, and every object committed before its event is sent. An event is made into its
bytes once, however many listen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from toolkit.engine.jsontext import dump, quote
from toolkit.engine.objects.runs import Event
from toolkit.errors import Refused

__all__ = [
    "DONE",
    "broken_off",
    "call_delta",
    "call_started",
    "closing",
    "code_delta",
    "frame",
    "image_delta",
    "own_call",
    "own_call_started",
    "replay",
    "text_delta",
]

DONE = b"event: done\ndata: [DONE]\n\n"


_LINE_ENDS: Final = ("\x85", "\u2028", "\u2029")
"""Characters at which many readers end a line (those that use `str.splitlines`), though they may stand in JSON."""


def frame(event: Event) -> bytes:
    """Make the bytes of one event: a line with its name, a line with its JSON, whatever its reader takes for a line."""
    name, data = event
    if not data.isascii():
        for end in _LINE_ENDS:
            data = data.replace(end, f"\\u{ord(end):04x}")
    return f"event: {name}\ndata: {data}\n\n".encode()


def text_delta(
    message_id: str,
    value: str,
    *,
    first: bool,
    annotations: Sequence[Mapping[str, Any]] = (),
    earlier: int = 0,
    at: int = 0,
) -> Event:
    """Make a `thread.message.delta`; the first one of a text part carries its list of annotations, empty or not.

    `earlier` is how many annotations the part has had before, `at` the part's place among the message's.
    """
    numbered = [{"index": earlier + number, **annotation} for number, annotation in enumerate(annotations)]
    annotated = f',"annotations":{dump(numbered)}' if first or numbered else ""
    return _message_delta(message_id, f'{{"index":{at},"type":"text","text":{{"value":{quote(value)}{annotated}}}}}')


def image_delta(message_id: str, at: int, image_file: Mapping[str, Any]) -> Event:
    """Make the `thread.message.delta` of an image, which comes whole."""
    return _message_delta(message_id, f'{{"index":{at},"type":"image_file","image_file":{dump(image_file)}}}')


def _message_delta(message_id: str, part: str) -> Event:
    return (
        "thread.message.delta",
        f'{{"id":"{message_id}","object":"thread.message.delta","delta":{{"content":[{part}]}}}}',
    )


def call_started(step_id: str, index: int, call_id: str, name: str) -> Event:
    """Make the first `thread.run.step.delta` of a call. Handlers get arguments from later ones only, so it has none."""
    return _step_delta(
        step_id,
        f'{{"index":{index},"id":{quote(call_id)},"type":"function",'
        f'"function":{{"name":{quote(name)},"arguments":"","output":null}}}}',
    )


def own_call(step_id: str, index: int, call: Mapping[str, Any]) -> Iterator[Event]:
    """Tell of a call of a tool that the engine runs itself, as its step does: file_search, code_interpreter."""
    kind = call["type"]
    yield own_call_started(step_id, index, call["id"], kind)
    if kind == "code_interpreter":
        said: Mapping[str, Any] = call[kind]
        if said["input"]:
            yield code_delta(step_id, index, {"input": said["input"]})
        if said["outputs"]:
            numbered = [{"index": at, **each} for at, each in enumerate(said["outputs"])]
            yield code_delta(step_id, index, {"outputs": numbered})


def own_call_started(step_id: str, index: int, call_id: str, kind: str) -> Event:
    """Make the first `thread.run.step.delta` of a call of a tool that the engine runs itself."""
    empty = '{"input":"","outputs":[]}' if kind == "code_interpreter" else "{}"
    return _step_delta(step_id, f'{{"index":{index},"id":{quote(call_id)},"type":"{kind}","{kind}":{empty}}}')


def code_delta(step_id: str, index: int, more: Mapping[str, Any]) -> Event:
    """Make a later `thread.run.step.delta` of a call of code_interpreter: a piece of its `input`, or `outputs`.

    Outputs have an `index` each; logs with the index of logs there are go behind them.
    """
    return _step_delta(step_id, f'{{"index":{index},"type":"code_interpreter","code_interpreter":{dump(more)}}}')


def call_delta(step_id: str, index: int, arguments: str) -> Event:
    """Make a later `thread.run.step.delta` of a call: a piece of its arguments."""
    return _step_delta(step_id, f'{{"index":{index},"type":"function","function":{{"arguments":{quote(arguments)}}}}}')


def _step_delta(step_id: str, call: str) -> Event:
    return (
        "thread.run.step.delta",
        f'{{"id":"{step_id}","object":"thread.run.step.delta","delta":{{"step_details":'
        f'{{"type":"tool_calls","tool_calls":[{call}]}}}}}}',
    )


def replay(status: str, run: str, steps: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]]) -> bytes:
    """Tell a run from what is stored, after its beginning: its steps and messages as they came, the run as it is."""
    by_id = {answer["id"]: answer for answer in answers}
    told = (event for step in steps for event in _told_step(step, by_id))
    events: list[Event] = [("thread.run.in_progress", run), *told, (f"thread.run.{status}", run)]
    return b"".join(map(frame, events)) + DONE


def broken_off(why: Refused) -> Event:
    """Say in a stream why there is nothing more to tell: the `error` event of the reference."""
    error = {"code": why.code, "message": why.message, "param": why.param, "type": why.type}
    return "error", dump(error)


def closing(
    status: str,
    run: str,
    steps: Sequence[Mapping[str, Any]],
    answers: Sequence[Mapping[str, Any]],
    begun: Collection[str],
    new: Collection[str],
) -> list[Event]:
    """Tell how a leg went on in another process, from what is stored.

    What was `begun` here (ids of messages and steps) ends, the steps that are `new` to listeners are told whole, and
    then how the run is.
    """
    ended = [(f"thread.message.{answer['status']}", answer) for answer in answers if answer["id"] in begun]
    ended += [(f"thread.run.step.{step['status']}", step) for step in steps if step["id"] in begun]
    events = [(name, dump(value)) for name, value in ended if value["status"] != "in_progress"]
    by_id = {answer["id"]: answer for answer in answers}
    told = (event for step in steps if step["id"] in new for event in _told_step(step, by_id))
    return [*events, *told, (f"thread.run.{status}", run)]


def _told_step(step: Mapping[str, Any], answers: Mapping[str, Mapping[str, Any]]) -> Iterator[Event]:
    details = step["step_details"]
    begun = dump({**step, "status": "in_progress", "step_details": {**details, **_emptied(details)}})
    yield "thread.run.step.created", begun
    yield "thread.run.step.in_progress", begun
    if details["type"] == "message_creation":
        yield from _told_answer(answers.get(details["message_creation"]["message_id"]))
    else:
        yield from _told_calls(step["id"], details["tool_calls"])
    if step["status"] != "in_progress":
        yield f"thread.run.step.{step['status']}", dump(step)


def _emptied(details: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"tool_calls": []} if "tool_calls" in details else {}


def _told_answer(answer: Mapping[str, Any] | None) -> Iterator[Event]:
    if answer is None:  # deleted since
        return
    begun = dump({**answer, "status": "in_progress", "content": []})
    yield "thread.message.created", begun
    yield "thread.message.in_progress", begun
    for at, part in enumerate(answer["content"]):
        if part["type"] == "image_file":
            yield image_delta(answer["id"], at, part["image_file"])
            continue
        text = part["text"]
        yield text_delta(answer["id"], text["value"], at=at, first=True, annotations=text["annotations"])
    if answer["status"] != "in_progress":
        yield f"thread.message.{answer['status']}", dump(answer)


def _told_calls(step_id: str, calls: Sequence[Mapping[str, Any]]) -> Iterator[Event]:
    for index, call in enumerate(calls):
        if call["type"] != "function":
            yield from own_call(step_id, index, call)
            continue
        yield call_started(step_id, index, call["id"], call["function"]["name"])
        yield call_delta(step_id, index, call["function"]["arguments"])
