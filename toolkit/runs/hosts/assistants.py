"""Runs on the Assistants API: paths, bodies, and how its objects read.

Source: the API reference (runs, messages, streaming). An Idempotency-Key goes along with every POST; servers that
do not know it ignore it, and one that keeps keys says `x-idempotency-key: kept` on each answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal
from urllib.parse import quote

from toolkit.runs.effects import Call, FinishedCall, Json, Reply, Request, Turn
from toolkit.runs.events import ServerEvent
from toolkit.runs.hosts import OnActive, OnExpiry
from toolkit.runs.hosts.found import made_since_start
from toolkit.runs.hosts.reading import Carried, CarriedReading
from toolkit.runs.late import continued_by, options_of, told
from toolkit.tools.attachments import Attachment, Image

__all__ = ["Assistants"]

_BETA = {"OpenAI-Beta": "assistants=v2"}
# Servers may hold a read that says so until the run moves, and say how soon to ask again (openai-poll-after-ms).
_POLL = {**_BETA, "X-Stainless-Poll-Helper": "true"}
# A stream silent for so long is taken for a dead connection; the run is then polled. Models that think are silent too.
_SILENCE_S = 120.0
_UPLOAD_S = 120.0
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_STATUS: dict[str, Literal["working", "completed", "incomplete", "failed", "cancelled", "expired"]] = {
    "queued": "working",
    "in_progress": "working",
    "cancelling": "working",
    "completed": "completed",
    "incomplete": "incomplete",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
}
_CARRIES: dict[str, Carried] = {
    "thread.run.created": "run",
    "thread.run.requires_action": "last run",
    **{f"thread.run.{status}": "run" if word == "working" else "last run" for status, word in _STATUS.items()},
    "thread.message.completed": "message",
    "thread.message.incomplete": "message",
    "error": "error",
}


@dataclass(frozen=True, slots=True)
class Assistants:
    """One run: in a thread there is, in a thread it makes (`thread_id` None), or picked up (`run_id`)."""

    key: str
    """Random, one a run: the requests' Idempotency-Keys begin with it."""
    thread_id: str | None = None
    run_id: str | None = None
    body: Json = field(default_factory=dict[str, object])
    """What creates the run, `assistant_id` and options."""
    on_active: OnActive = "fail"
    on_expiry: OnExpiry = "raise"
    start_key: str | None = None
    """Idempotency-Key of the creation, where another process may have sent it before us."""

    run: None = field(default=None, init=False)
    may_repeat: Literal[False] = field(default=False, init=False)
    """A server that keeps keys says so; others make a run for every creation."""

    @property
    def picked_up(self) -> bool:
        return self.run_id is not None

    @property
    def threads(self) -> Assistants:
        return self

    @property
    def expiry(self) -> Assistants:
        return self

    @property
    def files(self) -> Assistants:
        return self

    @property
    def can_find(self) -> bool:
        return self.thread_id is not None

    def start(self) -> Request:
        path = "/threads/runs" if self.thread_id is None else f"{_thread(self.thread_id)}/runs"
        return self._post(path, {**self.body, "stream": True}, "start", _SILENCE_S, self.start_key)

    def look(self) -> Request:
        if self.thread_id is None:
            return Request("GET", f"/assistants/{quote(self.body['assistant_id'], safe='')}", headers=_BETA)
        return Request("GET", f"{_thread(self.thread_id)}/runs?limit=1&order=desc", headers=_BETA)

    def found(self, reply: Reply) -> Json | None:
        run = self.newest(reply)
        if run is None or run["assistant_id"] != self.body["assistant_id"]:
            return None
        # An active run keeps others out: had it been there before, we would have been refused, not left unanswered.
        active = self.turn(run).status in ("working", "waiting")
        return run if active or made_since_start(run["created_at"], reply) else None

    def is_kept_out(self, reply: Reply) -> bool:
        # The API has no code for it; its words have stayed the same.
        return self.thread_id is not None and reply.status == 400 and "active run" in str(reply.error)

    def newest(self, reply: Reply) -> Json | None:
        return next(iter(_data(reply)), None)

    def read(self, run: Json | None) -> Request:
        return Request("GET", self._run(run), headers=_POLL)

    def submit(self, run: Json, finished: Sequence[FinishedCall], turn: int) -> Request:
        outputs = [{"tool_call_id": one.call.id, "output": one.output.content} for one in finished]
        body = {"tool_outputs": outputs, "stream": True}
        return self._post(f"{self._run(run)}/submit_tool_outputs", body, f"turn-{turn}", _SILENCE_S)

    def upload(self, run: Json, call: Call, attachment: Attachment) -> Request:
        kind = attachment.media_type if _MEDIA_TYPE.fullmatch(attachment.media_type) else "application/octet-stream"
        if isinstance(attachment, Image):
            name, purpose = f"{call.name}.{kind.partition('/')[2].partition('+')[0]}", "vision"
        else:
            name, purpose = attachment.name.encode(errors="replace").decode(), "assistants"
        # The run and the file itself, and not our own key: a process that goes on after a crash finds the same file.
        digest = sha256(f"{name}\0{kind}\0".encode() + attachment.data).hexdigest()
        headers = {"Content-Type": "multipart/form-data", "Idempotency-Key": f"{run['id']}-{digest}"}
        file = (name, attachment.data, kind)
        return Request("POST", "/files", {"purpose": purpose}, headers, _UPLOAD_S, file=file)

    def uploaded(self, reply: Reply) -> str | None:
        file = reply.body or {}
        return file.get("id") if file.get("object") == "file" else None

    def cancel(self, run: Json) -> Request:
        return self._post(f"{self._run(run)}/cancel", None, f"cancel-{run['id']}", 30.0)

    def messages(self, run: Json, after: str | None) -> Request:
        behind = "" if after is None else f"&after={quote(after, safe='')}"
        query = f"run_id={quote(run['id'], safe='')}&order=asc&limit=100{behind}"
        return Request("GET", f"{_thread(run['thread_id'])}/messages?{query}", headers=_BETA)

    def listed(self, run: Json, reply: Reply) -> tuple[Sequence[Json], str | None]:
        data = _data(reply)
        after = data[-1]["id"] if data and (reply.body or {}).get("has_more") else None
        return [message for message in data if message["role"] == "assistant"], after

    def runs(self, run: Json) -> Request:
        return Request("GET", f"{_thread(run['thread_id'])}/runs?limit=100&order=desc", headers=_BETA)

    def heir(self, run: Json, reply: Reply) -> Json | None:
        return next((one for one in _data(reply) if continued_by(one) == run["id"]), None)

    def steps(self, run: Json) -> Request:
        return Request("GET", f"{self._run(run)}/steps?limit=1&order=desc", headers=_BETA)

    def unanswered(self, reply: Reply) -> Sequence[Call]:
        asked: list[Json] = [one for step in _data(reply) for one in step["step_details"].get("tool_calls", ())]
        return [_call(one) for one in asked if one["type"] == "function" and one["function"].get("output") is None]

    def successor(self, run: Json, finished: Sequence[FinishedCall]) -> Assistants:
        # The same key and body in whatever process: a server that keeps keys makes one run of them.
        return self._next(run, [told(run["id"], one) for one in finished])

    def corrected(self, run: Json, text: str) -> Assistants:
        return self._next(run, [{"role": "user", "content": text}])

    def _next(self, run: Json, messages: Sequence[Json]) -> Assistants:
        """Go on in a new run of the thread, as the one before was."""
        body = {**options_of(run), "additional_messages": messages}
        return replace(
            self, thread_id=run["thread_id"], run_id=None, body=body, on_active="wait", start_key=f"after-{run['id']}"
        )

    def run_in(self, body: Json | None) -> Json | None:
        return body if body is not None and body.get("object") == "thread.run" else None

    def turn(self, run: Json) -> Turn:
        status: str = run["status"]
        if status == "requires_action":
            asked = run["required_action"]["submit_tool_outputs"]["tool_calls"]
            return Turn("waiting", tuple(_call(one) for one in asked))
        if status == "expired" and self.on_expiry == "new_run":
            return Turn("late")
        error: Json = run.get("last_error") or {}
        return Turn(_STATUS.get(status, "working"), code=error.get("code", ""), reason=error.get("message", ""))

    def functions(self, run: Json) -> Sequence[str]:
        return [tool["function"]["name"] for tool in run.get("tools") or () if tool["type"] == "function"]

    def carries(self, event: str) -> Carried | None:
        return _CARRIES.get(event)

    def state(self, run: Json) -> None:
        return None

    def reading(self, request: Request | None) -> CarriedReading:
        return CarriedReading(self.carries)

    def text(self, event: ServerEvent) -> tuple[str, str] | None:
        if event.name != "thread.message.delta":
            return None
        parts = event.data["delta"].get("content") or ()
        said = (part["text"].get("value") or "" for part in parts if part["type"] == "text" and part.get("text"))
        return event.data["id"], "".join(said)

    def _run(self, run: Json | None) -> str:
        thread_id, run_id = (self.thread_id or "", self.run_id or "") if run is None else (run["thread_id"], run["id"])
        return f"{_thread(thread_id)}/runs/{quote(run_id, safe='')}"

    def _post(self, path: str, body: Json | None, what: str, timeout_s: float, key: str | None = None) -> Request:
        headers = {**_BETA, "Idempotency-Key": key or f"{self.key}-{what}"}
        return Request("POST", path, body, headers, timeout_s)


def _thread(thread_id: str) -> str:
    return f"/threads/{quote(thread_id, safe='')}"


def _data(reply: Reply) -> Sequence[Json]:
    data: Sequence[Json] = (reply.body or {}).get("data", ())
    return data


def _call(asked: Json) -> Call:
    return Call(asked["id"], asked["function"]["name"], asked["function"]["arguments"])
