"""The kinds of runs that are killed at every write: what the client does in each, and what the model says."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.contract.crash_client import Client, Object
from tests.engine.scripted import Script, Scripted, answer, ask, asked
from toolkit.engine.model import Delta, ModelCall, ModelError, ModelRequest, Text

__all__ = ["KINDS", "TOOLS", "Kind", "Logged"]

Drive = Callable[[Client], None]
Turn = Callable[[int, str], Script]
"""What the model says before it answers, of the number of its call (unique in all it says) and the question."""

TOOLS = [{"type": "function", "function": {"name": "look_up"}}]


@dataclass(frozen=True)
class Kind:
    """One kind of run."""

    drive: Drive
    ends: Sequence[str] = ("completed",)
    """How the runs end, in the order in which they are made."""
    calls: Sequence[int] = ()
    """How many calls the model makes in each of its turns before it answers."""
    first: Mapping[int, Turn] = field(default_factory=dict[int, Turn])
    """What the model says instead, by the number of its call."""
    stalls: bool = False
    """Whether the model says nothing but a beginning, for as long as anybody listens."""
    says: Sequence[str] = ()
    """What the model says before it calls."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the engine."""
    files: Mapping[str, Sequence[str]] | None = None
    """What may be said of each file of the vector store in the end; None where there is no store."""
    code: bool = False
    """Whether the calls are of code_interpreter: each prints, shows a picture and writes a file."""
    waits: bool = False
    """Whether the kind takes its time, so that nobody asks how long it takes."""

    def script(self, request: ModelRequest, number: int) -> Script:
        """Say something: texts bear the number of the call, arguments of calls the turn and their place in it."""
        chats = asked(request)
        last = max(index for index, chat in enumerate(chats) if chat["role"] == "user")
        question, turn = chats[last]["content"], sum("tool_calls" in chat for chat in chats[last:])
        if question == "And now?":
            return answer(f"({number}) All is well.")
        if number in self.first:
            return self.first[number](number, question)
        if turn < len(self.calls):
            return ask(
                *((_code if self.code else _call)(number, turn, place) for place in range(self.calls[turn])),
                say=[f"({number}) {piece}" for piece in self.says],
            )
        if self.stalls:
            return [Text(f"({number}) Half an answer"), 60.0]
        begun, *rest = answer(f"({number}) ", "answers ", question)
        return [begun, 0.06, *rest]  # long enough for what is said to be stored on its way


def _call(number: int, turn: int, place: int) -> ModelCall:
    return ModelCall(f"call_{number}_{place}", "look_up", json.dumps({"turn": turn, "place": place}))


def _code(number: int, turn: int, place: int) -> ModelCall:
    call_id = f"call_{number}_{place}"
    code = _CODE.format(call_id=call_id)
    return ModelCall(call_id, "code_interpreter", json.dumps({"code": code}))


_CODE = """print('of {call_id}')
class Picture:
    def _repr_png_(self): return b'\\x89PNG\\r\\n\\x1a\\n'
display(Picture())
open('/mnt/data/{call_id}.txt', 'w').write('x');"""


class Logged:
    """A `Model` that notes on disk what it is asked; its calls are numbered over all processes, from 0."""

    def __init__(self, log: Path, kind: Kind) -> None:
        self._log, self._kind = log, kind

    async def complete(self, request: ModelRequest) -> AsyncGenerator[Delta, None]:
        with self._log.open("a+", encoding="utf-8") as log:
            log.seek(0)
            number = len(log.readlines())
            log.write(json.dumps(asked(request)) + "\n")
        model = Scripted(lambda asked: self._kind.script(asked, number)).complete(request)
        try:
            async for delta in model:
                yield delta
        finally:
            await model.aclose()

    async def names(self) -> Sequence[str]:
        return ["m"]

    async def aclose(self) -> None:
        pass


def _assistant(client: Client, tools: Sequence[Object] = TOOLS) -> Object:
    return client.post("assistant", "/assistants", {"model": "m", "tools": tools})


def _thread(client: Client, name: str = "thread", *texts: str) -> Object:
    messages = [{"role": "user", "content": text} for text in texts or ("hello",)]
    return client.post(name, "/threads", {"messages": messages})


def _body(client: Client, tools: Sequence[Object] = TOOLS) -> Object:
    return {"assistant_id": _assistant(client, tools)["id"]}


def _outputs(run: Object) -> list[Object]:
    calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    return [{"tool_call_id": call["id"], "output": f"of {call['id']}"} for call in calls]


def talk(
    client: Client,
    *,
    streamed: bool = False,
    together: bool = False,
    texts: Sequence[str] = ("hello",),
    code: bool = False,
) -> None:
    """Ask, and hand in outputs as long as some are wanted."""
    body = _body(client, [*TOOLS, {"type": "code_interpreter"}] if code else TOOLS)
    if together:
        thread = {"messages": [{"role": "user", "content": text} for text in texts]}
        run = client.run_with_thread("run", {**body, "thread": thread}, streamed=streamed)
    else:
        thread = _thread(client, "thread", texts[0])
        for number, text in enumerate(texts[1:]):
            client.message(f"message {number}", thread, text)
        run = client.run("run", thread, body, streamed=streamed)
    turns = 0
    while run["status"] == "requires_action":
        run = client.submit(f"outputs {turns}", run, _outputs(run), streamed=streamed)
        turns += 1


def cancel_waiting(client: Client) -> None:
    """Cancel instead of handing in outputs."""
    client.cancel("cancel", client.run("run", _thread(client), _body(client)))


def cancel_under_way(client: Client) -> None:
    """Cancel a run that is being answered."""
    thread = _thread(client)
    run = client.start("run", thread, _body(client))
    if "cancel" not in client.notes.begun:
        client.until(run, "in_progress")
    client.settled("end", client.cancel("cancel", run))


def cancel_streamed(client: Client) -> None:
    """Cancel a run when the first of its answer is heard; after a death, at once, and hear how it went."""
    path = f"/threads/{_thread(client)['id']}/runs"
    run: Object = {}
    if "run" in client.notes.begun and (runs := client.all(path)):
        [run] = runs
        client.cancel("cancel", run)
    for name, data in client.stream("run", path, _body(client)):
        if data.get("object") == "thread.run":
            run = data
        if name == "thread.message.delta":
            client.cancel("cancel", run)
    assert run["status"] == "cancelled"


def cancel_queued(client: Client) -> None:
    """Cancel a run that waits for room, and the one that takes it."""
    first, second = _thread(client, "thread", "first"), _thread(client, "other", "second")
    runs = [client.start(f"run {at}", thread, _body(client)) for at, thread in enumerate((first, second))]
    for run, step in ((runs[1], "cancel"), (runs[0], "cancel too")):
        client.settled(f"{step}, end", client.cancel(step, run))


def expire(client: Client, *, streamed: bool = False) -> None:
    """Wait until the time is up."""
    run = client.run("run", _thread(client), _body(client), streamed=streamed)
    if run["status"] == "requires_action":
        client.notes.answer("expired", client.until(run, "expired"))


def expire_queued(client: Client) -> None:
    """Wait until the time of a run that waits for room is up, and of the one that takes it."""
    threads = _thread(client, "thread", "first"), _thread(client, "other", "second")
    runs = [client.start(f"run {at}", thread, _body(client)) for at, thread in enumerate(threads)]
    for at, run in enumerate(runs):
        client.settled(f"run {at}", run)


def delete_thread(client: Client) -> None:
    """Delete a thread while its run is being answered."""
    thread = _thread(client)
    run = client.start("run", thread, _body(client))
    if "delete" not in client.notes.begun:
        client.until(run, "in_progress")
    client.delete("delete", f"/threads/{thread['id']}")


def modify(client: Client) -> None:
    """Change the metadata of everything while a run waits; then go on."""
    body = {"metadata": {"seen": "yes"}}
    thread = _thread(client)
    run = client.run("run", thread, _body(client))
    client.post("of run", f"/threads/{thread['id']}/runs/{run['id']}", body)
    client.post("of thread", f"/threads/{thread['id']}", body)
    client.submit("outputs", run, _outputs(run))


def _fails(number: int, _: str) -> Script:
    return [ModelError("busy", retry=True, retry_after_s=0.01)]


def _breaks(number: int, _: str) -> Script:
    return [Text(f"({number}) Broken"), 0.06, ModelError("broken", retry=True, retry_after_s=0.01)]


def _breaks_in_calls(number: int, _: str) -> Script:
    return [*ask(_call(number, 0, 0), _call(number, 0, 1))[:3], ModelError("broken", retry=True, retry_after_s=0.01)]


_STREAMED = partial(talk, streamed=True)
_SHORT = {"run_expires_s": 1}

KINDS: Mapping[str, Kind] = {
    "plain": Kind(talk),
    "plain, streamed": Kind(_STREAMED),
    "with tools": Kind(talk, calls=(1,)),
    "with tools, streamed": Kind(_STREAMED, calls=(1,)),
    "text before calls": Kind(talk, calls=(1,), says=("I look.",)),
    "text before calls, streamed": Kind(_STREAMED, calls=(1,), says=("I look.",)),
    "calls at once": Kind(talk, calls=(3,)),
    "calls at once, streamed": Kind(_STREAMED, calls=(3,)),
    "resumed twice": Kind(talk, calls=(1, 2)),
    "resumed twice, streamed": Kind(_STREAMED, calls=(1, 2)),
    "with code": Kind(partial(talk, code=True), calls=(2, 1), code=True),
    "with code, streamed": Kind(partial(talk, code=True, streamed=True), calls=(1,), code=True, says=("I look.",)),
    "thread made with the run": Kind(partial(talk, together=True), calls=(1,)),
    "thread made with the run, streamed": Kind(partial(talk, together=True, streamed=True)),
    "several messages": Kind(partial(talk, texts=("hello", "are you there?", "well?"))),
    "metadata changed": Kind(modify, calls=(1,)),
    "cancelled in the queue": Kind(cancel_queued, ("cancelled", "cancelled"), stalls=True, settings={"concurrency": 1}),
    "cancelled under way": Kind(cancel_under_way, ("cancelled",), stalls=True),
    "cancelled under way, streamed": Kind(cancel_streamed, ("cancelled",), stalls=True),
    "cancelled instead of outputs": Kind(cancel_waiting, ("cancelled",), calls=(1,)),
    "expired under way": Kind(expire, ("expired",), stalls=True, settings=_SHORT, waits=True),
    "expired under way, streamed": Kind(
        partial(expire, streamed=True), ("expired",), stalls=True, settings=_SHORT, waits=True
    ),
    "expired instead of outputs": Kind(expire, ("expired",), calls=(1,), settings=_SHORT, waits=True),
    "expired in the queue": Kind(
        expire_queued, ("expired", "expired"), stalls=True, settings={"concurrency": 1, **_SHORT}, waits=True
    ),
    "model fails at first": Kind(talk, first={0: _fails}),
    "model fails after outputs": Kind(talk, calls=(1,), first={1: _fails}),
    "model breaks off at first": Kind(talk, first={0: _breaks}),
    "model breaks off at first, streamed": Kind(_STREAMED, first={0: _breaks}),
    "model breaks off in its calls, streamed": Kind(_STREAMED, calls=(2,), first={0: _breaks_in_calls}),
    "thread deleted under way": Kind(delete_thread, (), stalls=True),
}
