"""Kill programs that run tools at every moment, one after the other: `python -m tests.runs.journal_walker`.

Reads a JSON object a line, {"kinds", "folder", "most", "twice"}, and answers each with a line, {KIND: {"moments",
"points", "problems"}}. `most` says how many moments are tried of each kind, evenly spread, 0 all; with `twice` the
program that goes on dies as well.

A trial takes some forks: one prepares the thread, each of the next is a life of the program, the last looks at what
came of it. All lives do the same: what the journal has is resumed, and what it does not have is begun.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from openai import AsyncOpenAI, OpenAI

from tests.contract.doors import served
from tests.contract.forks import HANGS_S, Object, Trial, fork, in_forks
from tests.engine.scripted import Script, Scripted, answer, ask, asked
from tests.runs.mortal import Effects, Mortal, MortalStore
from toolkit import Image, Journal, Pending, Result, RunContext, Toolset, resume_stream, run, stream, tool
from toolkit.engine import Engine
from toolkit.engine.model import ModelCall, ModelRequest
from toolkit.runs.journal import SQLiteStore
from toolkit.runs.kept import kept_calls

__all__ = ["KINDS"]


_UNKNOWN = "It is not known whether this call took effect: the program stopped while it was being made."


@dataclass(frozen=True)
class Kind:
    """One kind of program."""

    awaits: bool = False
    approved: bool = False
    """The run waits for an approval when the program comes to it, and the program has it."""
    late: bool = False
    """It has expired, too."""
    apart: bool = False
    """The server is another process, and lives on."""


KINDS = {
    "blocking": Kind(),
    "awaiting": Kind(awaits=True),
    "approved": Kind(approved=True),
    "late": Kind(approved=True, late=True),
    "late, awaiting": Kind(awaits=True, approved=True, late=True),
    "apart": Kind(apart=True),
    "apart, awaiting": Kind(awaits=True, approved=True, apart=True),
}


def main() -> None:
    with TemporaryDirectory() as folder:  # once here, so that no fork has to import and to prepare anything
        _prepare(Kind(approved=True), Path(folder))
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(15)  # of what is closed; forks are made of one thread
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(walk(task["kinds"], Path(task["folder"]), task["most"], twice=task["twice"])), flush=True)


def walk(kinds: Sequence[str], folder: Path, most: int, *, twice: bool) -> Mapping[str, Object]:
    """Let a program of each kind live undisturbed once, then die at its moments."""
    undisturbed = in_forks({kind: _trial(KINDS[kind], folder / kind, ()) for kind in kinds})
    trials: dict[tuple[str, str], Trial] = {}
    for kind in kinds:
        moments = undisturbed[kind]["moments"]
        for number, point in enumerate(_points(len(moments), most)):
            deaths = [point, 1 + 7 * number % max(len(moments) // 2, 1)] if twice else [point]
            name = f"{point} {moments[point - 1]}" + f", then {deaths[-1]}" * twice
            trials[kind, name] = _trial(KINDS[kind], folder / f"{kind} {'-'.join(map(str, deaths))}", deaths)
    done = in_forks(trials)
    return {
        kind: {
            "moments": undisturbed[kind]["moments"],
            "points": sum(of == kind for of, _ in done),
            "problems": [
                *undisturbed[kind]["problems"],
                *(
                    f"{name}: {problem}"
                    for (of, name), one in done.items()
                    if of == kind
                    for problem in one["problems"]
                ),
            ],
        }
        for kind in kinds
    }


def _points(moments: int, most: int) -> Sequence[int]:
    if not most:
        return range(1, moments + 1)
    return [1 + (2 * number + 1) * moments // (2 * most) for number in range(most)]


def _trial(kind: Kind, folder: Path, deaths: Sequence[int]) -> Trial:
    folder.mkdir()
    try:
        result = yield from _tried(kind, folder, deaths)
    finally:
        if (folder / "server").exists():
            os.kill(int((folder / "server").read_text("ascii").split()[0]), signal.SIGKILL)
    if not result["problems"]:
        shutil.rmtree(folder, ignore_errors=True)  # hundreds of databases
    return result


def _tried(kind: Kind, folder: Path, deaths: Sequence[int]) -> Trial:
    if ended := (yield partial(_prepare, kind, folder)):
        return _failed(f"the preparation ended with {ended}")
    for death in (*deaths, 0):
        status = yield partial(_live, kind, folder, death)
        if status == 0:
            break
        if status != -signal.SIGKILL:
            return _failed(f"the program ended with {status}")
        _keep_what_is_kept(folder)
    else:
        return _failed("the program came to no end")
    if ended := (yield partial(_look, kind, folder)):
        return _failed(f"the look ended with {ended}")
    result: Object = json.loads((folder / "result.json").read_text("utf-8"))
    return result


def _failed(problem: str) -> Object:
    return {"moments": [], "problems": [problem]}


# -- the program -------------------------------------------------------------------------------------------------------


def _script(request: ModelRequest) -> Script:
    """Ask for two turns of calls, then answer; what came too late for one run is not asked for in the next."""
    chats = asked(request)
    begun = max(index for index, chat in enumerate(chats) if chat["role"] == "user" and chat["content"] == "Go.")
    answered = json.dumps(chats[begun:])
    first = [
        ModelCall("call_send", "send", '{"to":"Ada"}'),
        ModelCall("call_order", "order", '{"what":"tea"}'),
        ModelCall("call_look", "look", "{}"),
    ]
    if "Call: order" not in answered and not any("tool_calls" in chat for chat in chats[begun:]):
        return ask(*first)
    if "Bob" not in answered:
        return ask(ModelCall("call_again", "send", '{"to":"Bob"}'))
    return answer("All done.")


def _engine(folder: Path) -> Engine:
    return Engine(f"sqlite:///{folder}/store.db", model=Scripted(_script))


@contextmanager
def _client(folder: Path) -> Iterator[OpenAI]:
    """Reach the server where it lives apart; else be it."""
    if (folder / "server").exists():
        url = (folder / "server").read_text("ascii").split()[1]
        with OpenAI(base_url=url, api_key="none", http_client=httpx2.Client(verify=False)) as client:
            yield client
    else:
        with _engine(folder) as engine:
            yield engine.client()


@asynccontextmanager
async def _aclient(folder: Path) -> AsyncIterator[AsyncOpenAI]:
    if (folder / "server").exists():
        url = (folder / "server").read_text("ascii").split()[1]
        async with AsyncOpenAI(base_url=url, api_key="none", http_client=httpx2.AsyncClient(verify=False)) as client:
            yield client
    else:
        with _engine(folder) as engine:
            yield engine.aclient()


def _serve(folder: Path) -> None:
    """Be the server, until killed."""
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(HANGS_S * 5)
    with _engine(folder) as engine, served(engine.app) as address:
        (folder / "server.new").write_text(f"{os.getpid()} {address}/v1", "ascii")
        (folder / "server.new").rename(folder / "server")
        while True:
            time.sleep(60)


def _tools(kind: Kind, effects: Effects) -> Toolset:
    @tool(approve=kind.approved)
    def send(to: str) -> str:
        """Send something."""
        effects.happen(f"send {to}", "")
        return f"sent to {to}"

    @tool(idempotent=True)
    async def order(ctx: RunContext[None], what: str) -> str:
        """Order something."""
        effects.happen("order", ctx.idempotency_key)
        return f"ordered {what}"

    @tool(read_only=True)
    def look() -> list[object]:
        """Look."""
        effects.happen("look", "")
        return ["seen", Image(b"\x89PNG")]

    return Toolset(send, order, look)


def _prepare(kind: Kind, folder: Path) -> None:
    """Make what was there before the program: an assistant, a thread; perhaps a run that waits, or has expired."""
    if kind.apart:
        faulthandler.cancel_dump_traceback_later()  # its thread is not to be forked; each fork gets one of its own
        fork(partial(_serve, folder))
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        while not (folder / "server").exists():
            time.sleep(0.01)
    tools = _tools(kind, Effects(folder / "effects"))
    with _client(folder) as client:
        assistant = client.beta.assistants.create(model="m", tools=tools.definitions)
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "Go."}])
        notes = {"assistant": assistant.id, "thread": thread.id, "pending": None}
        if kind.approved:
            waiting = run(client, tools, assistant_id=assistant.id, thread_id=thread.id).pending
            assert waiting is not None
            notes["pending"] = waiting.to_json()
    (folder / "notes.json").write_text(json.dumps(notes), "utf-8")
    if kind.late:
        with closing(sqlite3.connect(folder / "store.db")) as store, store:
            store.execute("UPDATE run SET expires_at = 1")


def _live(kind: Kind, folder: Path, death: int) -> None:
    """Be the program: resume what the journal has, or begin."""
    mortal, notes = Mortal(death), json.loads((folder / "notes.json").read_text("utf-8"))
    journal = Journal(MortalStore(SQLiteStore(f"{folder}/calls.db"), mortal))
    tools = _tools(kind, Effects(folder / "effects", mortal))
    asks = count()

    def approve(call: Any) -> bool:
        mortal.comes_by(f"asking about {call.id} for the {next(asks)}th time")
        return True

    how: Object = {"journal": journal, "approve": approve if kind.approved else None, "on_expiry": "new_run"}
    left = journal.unfinished()
    if notes["pending"] is not None and not left:
        left = [Pending.from_json(notes["pending"])]
    verbs: list[Any] = []
    for pending in left:
        approvals = {"call_send": True} if pending.calls else None
        verbs.append(partial(resume_stream, pending=pending, approvals=approvals, on_unknown="tell", **how))
    if not left:
        new = partial(stream, assistant_id=notes["assistant"], thread_id=notes["thread"], on_active="replace", **how)
        verbs.append(new)
    done = None if left else _done(folder, notes["thread"])
    for verb in [] if done else verbs:
        result = (
            asyncio.run(_awaiting(folder, verb, tools, mortal))
            if kind.awaits
            else _blocking(folder, verb, tools, mortal)
        )
        done = [result.status, result.text, result.run_id]
    assert done is not None
    (folder / "end.json").write_text(json.dumps([mortal.moments, *done]), "utf-8")


def _done(folder: Path, thread_id: str) -> list[str] | None:
    """Look whether the last life had come to its end, and only could not say so."""
    with _client(folder) as client:
        [last] = client.beta.threads.runs.list(thread_id, limit=1).data or [None]
        if last is None or last.status != "completed":
            return None
        [message] = client.beta.threads.messages.list(thread_id, limit=1).data
        return [last.status, message.content[0].text.value, last.id]


def _blocking(folder: Path, verb: Any, tools: Toolset, mortal: Mortal) -> Result:
    with _client(folder) as client:
        client._client.event_hooks = {"request": [lambda request: mortal.comes_by(f"before {request.method}")]}
        with verb(client, tools) as events:
            for event in events:
                mortal.comes_by(getattr(event, "name", type(event).__name__))
        return events.result


async def _awaiting(folder: Path, verb: Any, tools: Toolset, mortal: Mortal) -> Result:
    async def hook(request: Any) -> None:
        mortal.comes_by(f"before {request.method}")

    async with _aclient(folder) as client:
        client._client.event_hooks = {"request": [hook]}
        async with verb(client, tools) as events:
            async for event in events:
                mortal.comes_by(getattr(event, "name", type(event).__name__))
        return events.result


# -- what must hold ----------------------------------------------------------------------------------------------------


def _keep_what_is_kept(folder: Path) -> None:
    """Copy the journal as a death has left it: what it says has finished must not be called again, nor get lost."""
    with Journal(folder / "calls.db") as journal:
        kept = {one.run_id: dict(journal.read(one.run_id)) for one in journal.unfinished()}
    with (folder / "died").open("a", encoding="utf-8") as file:
        file.write(json.dumps([kept, len(Effects(folder / "effects").read())]) + "\n")


def _look(kind: Kind, folder: Path) -> None:
    moments, status, text, run_id = json.loads((folder / "end.json").read_text("utf-8"))
    notes = json.loads((folder / "notes.json").read_text("utf-8"))
    with _client(folder) as client:
        runs = client.beta.threads.runs.list(notes["thread"], order="asc").data
        messages = [one.content[0].text.value for one in client.beta.threads.messages.list(notes["thread"]).data]
        steps = [
            step
            for run in runs
            for step in client.beta.threads.runs.steps.list(run.id, thread_id=notes["thread"], order="asc").data
            if step.step_details.type == "tool_calls"
        ]
        files = [file.id for file in client.files.list()]
    outputs = {
        call.id: call.function.output for step in steps for call in step.step_details.tool_calls if call.function.output
    }
    for message in messages:
        for call_id, sign in (("call_send", "Call: send"), ("call_order", "Call: order"), ("call_look", "Call: look")):
            if sign in message and "Answer: " in message:
                outputs[call_id] = message.partition("Answer: ")[2]
    found = []
    if (status, text, runs[-1].id) != ("completed", "All done.", run_id):
        found.append(f"the run ended {status} with {text!r}")
    found += _of_runs(kind, runs, messages)
    found += _of_effects(folder, outputs)
    if len(files) != 1 or f", {files[0]} (" not in outputs.get("call_look", ""):
        found.append(f"there are the files {files}, and {outputs.get('call_look')!r} was told")
    with Journal(folder / "calls.db") as journal:
        if journal.unfinished():
            found.append(f"the journal has {journal.unfinished()} left")
    (folder / "result.json").write_text(json.dumps({"moments": moments, "problems": found}), "utf-8")


def _of_runs(kind: Kind, runs: Sequence[Any], messages: Sequence[str]) -> list[str]:
    """A run is begun anew only when the journal did not know of the last one; an expired one has one heir."""
    found = [f"run {run.id} is {run.status}" for run in runs if run.status not in ("completed", "cancelled", "expired")]
    if sum(run.status == "completed" for run in runs) != 1:
        found.append(f"the runs are {[run.status for run in runs]}")
    if kind.late and (len(runs) != 2 or sum("Answer: " in message for message in messages) != 3):
        found.append(f"{len(runs)} runs, and the thread says {messages}")
    return found


def _of_effects(folder: Path, outputs: Mapping[str, str]) -> list[str]:
    effects = Effects(folder / "effects").read()
    times = {name: sum(tool == name for tool, _ in effects) for name in ("send Ada", "send Bob", "order", "look")}
    keys = {key for tool, key in effects if tool == "order"}
    found = []
    for name, call_id, said in (("send Ada", "call_send", "sent to Ada"), ("send Bob", "call_again", "sent to Bob")):
        told = outputs.get(call_id)
        if times[name] > 1:
            found.append(f"{name} happened {times[name]} times")
        if told != said and told != _UNKNOWN:
            found.append(f"{name} was told as {told!r}")
        if told == said and times[name] != 1:
            found.append(f"{name} was told and has not happened")
    if len(keys) != 1 or outputs.get("call_order") != "ordered tea":
        found.append(f"tea was ordered under {keys}, and told as {outputs.get('call_order')!r}")
    if not times["look"] or _first(outputs.get("call_look", "")) != "seen":
        found.append(f"looked {times['look']} times, and told {outputs.get('call_look')!r}")
    return found + _of_kept(folder, effects, outputs)


def _first(text: str) -> str:
    """Give the first line; what is behind it tells of an image, by its id once it was uploaded."""
    return text.partition("\n")[0]


def _of_kept(folder: Path, effects: Sequence[Sequence[str]], outputs: Mapping[str, str]) -> list[str]:
    """What the journal had as finished at a death did not happen again, and its output was not lost."""
    found, names = [], {"call_send": "send Ada", "call_again": "send Bob", "call_order": "order", "call_look": "look"}
    deaths = (folder / "died").read_text("utf-8").splitlines() if (folder / "died").exists() else []
    for kept, done in map(json.loads, deaths):
        for entries in kept.values():
            for call_id, known in kept_calls(entries).items():
                if known.output is None:
                    continue
                if any(tool == names[call_id] for tool, _ in effects[done:]):
                    found.append(f"{call_id} had finished and was made again")
                if _first(outputs.get(call_id, "")) != _first(known.output.content):
                    found.append(f"{call_id} had given {known.output.content!r} and told {outputs.get(call_id)!r}")
    return found


if __name__ == "__main__":
    warnings.filterwarnings("ignore", ".*deprecated", DeprecationWarning)
    main()
