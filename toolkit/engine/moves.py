"""The moves of a run, each one transaction.

A move changes everything that belongs together: the run's state, its steps, its message, the items that the model will
read, and the thread's lock. It returns the run as it is afterwards and the events to tell listeners, which are sent
only after the commit. `states.py` says which moves are legal; this file carries them out.

Two kinds of callers make moves. A worker holds the run as its claim returned it and names that attempt in every
write: if somebody else claimed or ended the run meanwhile, nothing is written and `Fenced` is raised. Everybody else
(submit, cancel, expiry) reads the run in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from toolkit.engine.calls import Held, Turn, Used
from toolkit.engine.events import call_delta, call_started, own_call
from toolkit.engine.jsontext import dump
from toolkit.engine.objects.answers import Annotations, add_item, close_answer, drafted, open_answer, open_answers
from toolkit.engine.objects.runs import Event, LastError, Run, Tokens, run_of, usage_object
from toolkit.engine.objects.steps import close_step, open_step, open_steps
from toolkit.engine.objects.threads import tick
from toolkit.engine.states import RunEvent, StepEvent, run_after
from toolkit.engine.store import Tx
from toolkit.errors import Refused

__all__ = [
    "Fenced",
    "Moved",
    "Said",
    "Writing",
    "begin_calls",
    "begin_message",
    "break_off",
    "call_tools",
    "claim",
    "complete",
    "end",
    "finish_message",
    "go_on",
    "held",
    "note",
    "require_action",
    "submit",
]


class Fenced(Exception):
    """Somebody else claimed or ended the run."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did: the run afterwards, and the events in order."""

    run: Run
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """A message being written and its step, both in progress."""

    message: dict[str, Any]
    step: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a turn of the model has said: its text, what stands in it, and the pictures that come before it."""

    text: str = ""
    annotations: Annotations = ()
    pictures: Sequence[str] = ()
    """Ids of files that code_interpreter has made since the run's last message."""
    writing: Writing | None = None
    """The message, where it is opened already."""


NOTHING_SAID: Final = Said()


# Moves of the worker that holds the run


def claim(tx: Tx, run_id: str, owner: str, now: float) -> Moved | None:
    """Take a queued run, or one whose worker is gone, to execute it. None when it is somebody else's or over.

    An owner works on a run once at a time (`queue.py`), so a run of its own that is in progress has lost its worker.
    What a dead worker left open is closed first: its message becomes `incomplete`, with what was heard of it, and no
    model ever reads it; its step becomes `failed`; the new attempt writes its own. The step of a turn that was whole
    stays, for its calls to be answered (`held`).
    """
    row = tx.one("run.by_id", id=run_id)
    if row is None or row["status"] not in ("queued", "in_progress") or row["expires_at"] <= now:
        return None
    if row["owner"] not in (owner, None):
        return None
    run = run_of(row)
    left = _close_open(tx, run, int(now), "fail", "run_failed", error=_BROKEN, but_held=True) if run.attempt else ()
    changes = {"started_at": run.state["started_at"] or int(now)}
    moved = _save(tx, run, "claim", changes, owner=owner, attempt=run.attempt + 1)
    return Moved(moved, (*left, ("thread.run.in_progress", moved.wire)))


def begin_message(tx: Tx, run: Run, now: int, pictures: Sequence[str] = ()) -> tuple[Writing, Moved]:
    """Open a message and its step, before the first piece of text is sent; pictures are there from the beginning."""
    _fence(tx, run)
    thread = tx.one("run.thread", id=run.thread, project=run.project)
    created_at = tick(max(thread["last_at"] if thread else 0, run.created_at), now)
    tx.run("run.new_message", thread=run.thread, at=created_at)
    message, of_message = open_answer(tx, run, created_at, pictures)
    details = {"type": "message_creation", "message_creation": {"message_id": message["id"]}}
    step, of_step = open_step(tx, run, created_at, details)
    return Writing(message, step), Moved(run, (*of_step, *of_message))


def finish_message(tx: Tx, run: Run, said: Said, now: int, used: Tokens) -> tuple[str, Moved]:
    """Complete a message and its step, with the tokens of its turn; open both first when nobody was listening.

    Gives the message's id.
    """
    _fence(tx, run)
    writing, events = _opened(tx, run, said, now)
    of_message = close_answer(tx, run, writing.message, said.text, now, annotations=said.annotations)
    of_step = close_step(tx, run, writing.step, "complete", now, used)
    return writing.message["id"], Moved(run, (*events, *of_message, *of_step))


def _opened(tx: Tx, run: Run, said: Said, now: int) -> tuple[Writing, tuple[Event, ...]]:
    if said.writing is not None:
        return said.writing, ()
    writing, opened = begin_message(tx, run, now, said.pictures)
    return writing, opened.events


def break_off(tx: Tx, run: Run, now: int, text: str) -> Moved:
    """Close what a broken model stream left open, with the text that listeners saw, before it is started over."""
    _fence(tx, run)
    return Moved(run, _close_open(tx, run, now, "fail", "run_failed", error=_BROKEN, text=text))


def begin_calls(tx: Tx, run: Run, now: int) -> tuple[dict[str, Any], Moved]:
    """Open the step of a turn's tool calls, before the first piece of a call is sent."""
    _fence(tx, run)
    step, events = open_step(tx, run, now, {"type": "tool_calls", "tool_calls": []})
    return step, Moved(run, events)


def call_tools(
    tx: Tx, run: Run, step: dict[str, Any] | None, turn: Turn, now: int, *, owner: str
) -> tuple[Held, Moved]:
    """Keep a turn with calls of the engine's own tools, before they are answered, which may take long.

    Whoever takes the run over goes on with these calls, and does not ask the model again.
    """
    step, events = _keep_turn(tx, run, step, turn, now)
    moved = _save(tx, run, "call_tools", {}, owner=owner, used=run.used.plus(turn.tokens), turns=run.turns + 1)
    return Held(step, turn), Moved(moved, events)


def require_action(tx: Tx, run: Run, step: dict[str, Any] | None, turn: Turn, now: int) -> Moved:
    """Hand the calls to the application: the step stays open with them, and the run waits and holds no worker.

    `step` is None when the calls were not told as they came, and then they are told as a whole.
    """
    _, events = _keep_turn(tx, run, step, turn, now)
    moved = _save(tx, run, "require_action", _action(turn), used=run.used.plus(turn.tokens), turns=run.turns + 1)
    return Moved(moved, (*events, ("thread.run.requires_action", moved.wire)))


def go_on(
    tx: Tx, run: Run, held: Held, used: Mapping[str, Used], now: int, *, owner: str, contents: bool = False
) -> Moved:
    """Take what the engine's own tools gave: the run goes on with it, or waits for the application's outputs.

    With `contents` listeners are told the contents of results.
    """
    turn, details, full = held.turn, held.turn.details(used), held.turn.details(used, full=True)
    step = {**held.step, "step_details": details}
    outputs = {call_id: each.output for call_id, each in used.items()}
    if turn.asked:
        whole = dump({**step, "step_details": full}) if full != details else None
        tx.run("step.use", id=step["id"], body=dump(step), full=whole, outputs=dump(outputs))
        moved = _save(tx, run, "require_action", _action(turn))
        return Moved(moved, (("thread.run.requires_action", moved.wire),))
    _remember_turn(tx, run, step, turn.chat, turn.message_id, outputs)
    told = full if full != details else None
    closed = close_step(tx, run, step, "complete", now, turn.tokens, full=told, contents=contents)
    return Moved(_save(tx, run, "use_tools", {}, owner=owner), closed)


def note(tx: Tx, run: Run, held: Held) -> None:
    """Keep what an own tool has given so far, as it stands in the held step."""
    _fence(tx, run)
    tx.run("step.note", id=held.step["id"], body=dump(held.step))


def held(tx: Tx, run: Run) -> Held | None:
    """Read the turn whose calls the engine has yet to answer, or to answer anew after its worker went away."""
    if run.status != "in_progress":
        return None
    for step, row in open_steps(tx, run):
        if row["chat"] is not None:
            turn = Turn.held(step, row["chat"], Tokens(*json.loads(row["used"])), row["message"])
            return Held(step, turn)
    return None


def _action(turn: Turn) -> Mapping[str, Any]:
    return {"required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": turn.asked}}}


def _keep_turn(
    tx: Tx, run: Run, step: dict[str, Any] | None, turn: Turn, now: int
) -> tuple[dict[str, Any], tuple[Event, ...]]:
    """Write a turn into its step; one that listeners have not seen begin is opened and told now."""
    events: tuple[Event, ...] = ()
    if step is None:
        step, opened = begin_calls(tx, run, now)
        events = (*opened.events, *_told(step["id"], turn))
    step["step_details"] = turn.details()
    tx.run("step.wait", id=step["id"], body=dump(step), chat=turn.chat, message=turn.message_id, used=dump(turn.tokens))
    for call in turn.calls:
        tx.run("call.add", run=run.id, id=call.id)
    return step, events


def complete(
    tx: Tx,
    run: Run,
    now: int,
    used: Tokens,
    said: Said = NOTHING_SAID,
    *,
    cut: Literal["max_completion_tokens", "max_prompt_tokens"] | None = None,
) -> Moved:
    """End a run with its answer: `completed`, or `incomplete` when a limit on tokens cut it."""
    events: tuple[Event, ...] = ()
    if said.writing is not None or said.text or said.pictures or cut is None:
        writing, events = _opened(tx, run, said, now)
        reason = "max_tokens" if cut else None
        events += close_answer(tx, run, writing.message, said.text, now, reason=reason, annotations=said.annotations)
        events += close_step(tx, run, writing.step, "complete", now, used)
    if cut is not None:
        events += _close_open(tx, run, now, "fail", "run_failed", error=_CUT)  # a call that was cut short
    changes = {"completed_at": now} if cut is None else {"incomplete_details": {"reason": cut}}
    moved = _end(
        tx, run, "complete" if cut is None else "run_out", changes, attempt=run.attempt, used=run.used.plus(used)
    )
    return Moved(moved.run, (*events, *moved.events))


# Moves of everybody else


def submit(tx: Tx, run: Run, outputs: Sequence[tuple[str, str]], now: float, *, owner: str | None) -> Moved:
    """Take the outputs of all waiting calls, as (call id, text). Raises Refused, and then the run keeps waiting."""
    run_after(run.status, "submit")
    waiting = [call["id"] for call in run.state["required_action"]["submit_tool_outputs"]["tool_calls"]]
    given = [call_id for call_id, _ in outputs]
    if sorted(given) != sorted(waiting):
        raise Refused(f"Expected tool outputs for call_ids {waiting}, got {given}")
    [(step, row)] = open_steps(tx, run)
    text_of = dict(outputs)
    full: dict[str, Any] | None = json.loads(row["full"])["step_details"] if row["full"] else None
    for details in (step["step_details"], *([full] if full else [])):
        for call in details["tool_calls"]:
            if call["type"] == "function":
                call["function"]["output"] = text_of[call["id"]]
    text_of |= json.loads(row["outputs"] or "{}")
    _remember_turn(tx, run, step, row["chat"], row["message"], text_of)
    closed = close_step(tx, run, step, "complete", int(now), Tokens(*json.loads(row["used"])), full=full)
    moved = _save(tx, run, "submit", {"required_action": None}, owner=owner)
    return Moved(moved, (*closed, ("thread.run.queued", moved.wire)))


def end(
    tx: Tx,
    run: Run,
    event: Literal["cancel", "expire", "fail"],
    now: int,
    *,
    error: LastError | None = None,
    text: str | None = None,
    reason: str | None = None,
) -> Moved:
    """End a run otherwise: cancelled, expired or failed.

    `text` is what had been written of an open message, None for what is known of it in the store; `reason` is why that
    message is `incomplete`, when the event does not say it. Raises Refused when the run is over already. The attempt
    goes up, so a worker still at it writes nothing more. Listeners hear of `cancelling` first, as the API has it,
    though nobody waits in it.
    """
    run_after(run.status, event)
    cancelling = replace(run, state={**run.state, "status": "cancelling"}).wire
    told = (("thread.run.cancelling", cancelling),) if event == "cancel" and run.status == "in_progress" else ()
    closed = _close_open(tx, run, now, event, reason or _REASON[event], error=error, text=text)
    ends: Mapping[str, Mapping[str, Any]] = {
        "cancel": {"cancelled_at": now},
        "expire": {"expires_at": run.expires_at},
        "fail": {"failed_at": now, "last_error": error._asdict() if error else None},
    }
    moved = _end(tx, run, event, ends[event], attempt=run.attempt + 1, used=run.used)
    return Moved(moved.run, (*told, *closed, *moved.events))


# How they are carried out

_BROKEN = LastError("server_error", "The model's answer broke off.")
_CUT = LastError("server_error", "The model's answer was cut by a limit on tokens.")
_REASON = {"cancel": "run_cancelled", "expire": "run_expired", "fail": "run_failed"}


def _save(
    tx: Tx,
    run: Run,
    event: RunEvent,
    changes: Mapping[str, Any],
    *,
    owner: str | None = None,
    attempt: int | None = None,
    used: Tokens | None = None,
    turns: int | None = None,
) -> Run:
    """Write the run's new state, unless somebody else has moved it since it was read."""
    status = run_after(run.status, event)
    state = {**run.state, "status": status, **changes}
    attempt = run.attempt if attempt is None else attempt
    used = run.used if used is None else used
    turns = run.turns if turns is None else turns
    row = tx.one(
        "run.save",
        id=run.id,
        read_attempt=run.attempt,
        read_status=run.status,
        status=status,
        state=dump(state),
        attempt=attempt,
        owner=owner,
        used=dump(used),
        turns=turns,
    )
    if row is None:
        raise Fenced(run.id)
    return replace(run, status=status, state=state, attempt=attempt, metadata=row["metadata"], used=used, turns=turns)


def _end(tx: Tx, run: Run, event: RunEvent, changes: Mapping[str, Any], *, attempt: int, used: Tokens) -> Moved:
    ended = {"required_action": None, "expires_at": None, "usage": usage_object(used)}
    moved = _save(tx, run, event, {**ended, **changes}, attempt=attempt, used=used)
    tx.run("run.unlock_thread", thread=run.thread, run=run.id)
    return Moved(moved, ((f"thread.run.{moved.status}", moved.wire),))


def _fence(tx: Tx, run: Run) -> None:
    if tx.one("run.fence", id=run.id, attempt=run.attempt, status=run.status) is None:
        raise Fenced(run.id)


def _close_open(
    tx: Tx,
    run: Run,
    now: int,
    event: StepEvent,
    reason: str,
    *,
    error: LastError | None,
    text: str | None = None,
    but_held: bool = False,
) -> tuple[Event, ...]:
    """Close what is open of a run: its steps take the event, its message is `incomplete` for the reason."""
    events: tuple[Event, ...] = ()
    for message in open_answers(tx, run):
        written = drafted(tx, message["id"]) if text is None else text
        events += close_answer(tx, run, message, written, now, reason=reason, remember=error is None)
    for step, row in open_steps(tx, run):
        if but_held and row["chat"] is not None:
            continue
        used = Tokens(*json.loads(row["used"])) if row["used"] else Tokens()
        events += close_step(tx, run, step, event, now, used, error)
    return events


def _told(step_id: str, turn: Turn) -> Iterator[Event]:
    for index, call in enumerate(turn.calls):
        if (begun := turn.begun.get(call.id)) is not None:
            yield from own_call(step_id, index, begun)
            continue
        yield call_started(step_id, index, call.id, call.name)
        if call.arguments:
            yield call_delta(step_id, index, call.arguments)


def _remember_turn(
    tx: Tx, run: Run, step: Mapping[str, Any], chat: str, message_id: str | None, outputs: Mapping[str, str]
) -> None:
    """Add the turn to what the model reads: the message that called, then an output for each call, in call order."""
    turn = step["id"]
    size = len(chat.encode())
    if message_id is None:
        add_item(tx, run, chat, turn=turn)
    elif not tx.run("item.into_turn", message=message_id, turn=turn, size=size, chat=chat):
        add_item(tx, run, dump({**json.loads(chat), "content": None}), turn=turn)  # its text was deleted meanwhile
    for call in step["step_details"]["tool_calls"]:
        output = {"role": "tool", "tool_call_id": call["id"], "content": outputs[call["id"]]}
        add_item(tx, run, dump(output), turn=turn)
