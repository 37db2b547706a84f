"""A client that outlives its server: it notes on disk what it was told, and goes on from there when it starts again.

Each thing it does has a name, the *step*. A step whose answer is noted is not done again. One that was begun and never
answered is done as programs do it after a connection broke: sent again with the same Idempotency-Key, or, where the
client is told not to (`keyed=False`), looked up first and only then sent again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openai import NotFoundError, OpenAI, Stream

__all__ = ["Client", "Notes", "Object"]

Object = dict[str, Any]
_MOVING = ("queued", "in_progress", "cancelling")


class Notes:
    """Lines of JSON that are kept whatever happens to the process: what was begun, answered and heard."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        self.begun: dict[str, Mapping[str, Any]] = {line["begun"]: line["body"] for line in lines if "begun" in line}
        self.answers: dict[str, Object] = {line["step"]: line["answer"] for line in lines if "step" in line}
        self.heard: list[tuple[str, Any]] = [(line["heard"], line["data"]) for line in lines if "heard" in line]

    def begin(self, step: str, body: Mapping[str, Any] | None = None) -> None:
        self._add({"begun": step, "body": body or {}})

    def answer(self, step: str, answer: Object) -> Object:
        self.answers[step] = answer
        self._add({"step": step, "answer": answer})
        return answer

    def hear(self, event: str, data: Any) -> None:
        self.heard.append((event, data))
        self._add({"heard": event, "data": data})

    def _add(self, line: Object) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


class Client:
    """See above. Paths are those of the API; objects are plain dicts."""

    def __init__(self, openai: OpenAI, notes: Notes, *, keyed: bool) -> None:
        self._openai, self.notes, self._keyed = openai, notes, keyed

    def get(self, path: str, **query: Any) -> Object:
        headers = {"X-Stainless-Poll-Helper": "true"}  # a run is told of when there is news
        return self._openai.get(path, cast_to=object, options={"headers": headers, "params": query})

    def all(self, path: str) -> list[Object]:
        """Read a list, oldest first."""
        data: list[Object] = self.get(path, order="asc", limit=100)["data"]
        return data

    def post(self, step: str, path: str, body: Mapping[str, Any] | None = None) -> Object:
        """Send a request whose repetition is harmless because of its key, whatever `keyed` says."""
        if step in self.notes.answers:
            return self.notes.answers[step]
        self.notes.begin(step, body)
        return self.notes.answer(step, self._sent(step, path, body))

    def message(self, step: str, thread: Object, text: str) -> None:
        """Add a message of the user's; where it may be there already, look for it."""
        path = f"/threads/{thread['id']}/messages"
        if self._unsure(step):
            for message in self.all(path):
                if message["content"][0]["text"]["value"] == text:
                    self.notes.answer(step, message)
        self.post(step, path, {"role": "user", "content": text})

    def run(self, step: str, thread: Object, body: Mapping[str, Any], *, streamed: bool = False) -> Object:
        """Start a run and give it as it is when it needs something or is over."""
        path = f"/threads/{thread['id']}/runs"
        if self._unsure(step) and (runs := self.all(path)):
            return self.settled(step, self.notes.answer(step, runs[-1]))
        return self._go(step, path, body, streamed)

    def run_with_thread(self, step: str, body: Mapping[str, Any], *, streamed: bool = False) -> Object:
        """Make a thread and run on it. Only the key can tell what became of it."""
        return self._go(step, "/threads/runs", body, streamed)

    def submit(self, step: str, run: Object, outputs: Sequence[Object], *, streamed: bool = False) -> Object:
        """Hand in outputs, unless the run is seen to have them; give it as it is at its next wait or end."""
        if self._unsure(step):
            now = self.get(_path(run))
            if now["status"] != "requires_action" or _calls(now) != _calls(run):
                return self.settled(step, self.notes.answer(step, now))
        return self._go(step, f"{_path(run)}/submit_tool_outputs", {"tool_outputs": outputs}, streamed)

    def cancel(self, step: str, run: Object) -> Object:
        if self._unsure(step) and (now := self.get(_path(run)))["status"] not in (*_MOVING, "requires_action"):
            return self.notes.answer(step, now)
        return self.post(step, f"{_path(run)}/cancel")

    def delete(self, step: str, path: str) -> None:
        """Delete; what is not there any more may have been deleted by the request that was never answered."""
        if step in self.notes.answers:
            return
        again = step in self.notes.begun
        self.notes.begin(step)
        options: Any = {"headers": _key(step)}
        try:
            self.notes.answer(step, self._openai.delete(path, cast_to=object, options=options))
        except NotFoundError:
            assert again
            self.notes.answer(step, {"deleted": True})

    def repeat(self, step: str, path: str, body: Mapping[str, Any]) -> Object:
        """Send a request that may be sent again without harm, with its key or without."""
        if step in self.notes.answers:
            return self.notes.answers[step]
        self.notes.begin(step, body)
        options: Any = {"headers": _key(step)} if self._keyed else {}
        return self.notes.answer(step, self._openai.post(path, body=body, cast_to=object, options=options))

    def file(self, name: str, data: bytes) -> Object:
        """Upload a file; where it may be there already, look for its name."""
        step = f"file {name}"
        if self._unsure(step):
            for file in self.all("/files"):
                if file["filename"] == name:
                    self.notes.answer(step, file)
        if step not in self.notes.answers:
            self.notes.begin(step)
            made = self._openai.files.create(file=(name, data), purpose="assistants", extra_headers=_key(step))
            self.notes.answer(step, made.to_dict())
        return self.notes.answers[step]

    def part(self, step: str, upload: Object, data: bytes) -> Object:
        """Add a part to an upload. One that is there twice is in no file."""
        if step not in self.notes.answers:
            self.notes.begin(step)
            headers = _key(step) if self._keyed else {}
            made = self._openai.uploads.parts.create(upload["id"], data=data, extra_headers=headers)
            self.notes.answer(step, made.to_dict())
        return self.notes.answers[step]

    def content(self, file: Object) -> bytes:
        """Download a file."""
        return self._openai.files.content(file["id"]).read()

    def processed(self, path: str) -> Object:
        """Wait until a vector store, or a file or batch of one, is not in progress any more."""
        while (now := self.get(path))["status"] == "in_progress":
            time.sleep(0.005)
        return now

    def start(self, step: str, thread: Object, body: Mapping[str, Any]) -> Object:
        """Start a run and do not wait for it."""
        return self.post(step, f"/threads/{thread['id']}/runs", body)

    def settled(self, step: str, run: Object) -> Object:
        """Wait until a run needs something or is over."""
        settled = f"{step}, settled"
        while settled not in self.notes.answers:
            now = self.get(_path(run))
            if now["status"] not in _MOVING:
                self.notes.answer(settled, now)
        return self.notes.answers[settled]

    def until(self, run: Object, *statuses: str) -> Object:
        """Wait until a run is seen in one of these states."""
        while (now := self.get(_path(run)))["status"] not in statuses:
            time.sleep(0.005)
        return now

    def stream(self, step: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a request and yield its events, (name, data), to their end; check them on the way."""
        self.notes.begin(step, body)
        texts: dict[str, str] = {}
        last = ""
        options: Any = {"headers": _key(step)}
        body = {**body, "stream": True}
        for event in self._openai.post(
            path, body=body, cast_to=object, stream=True, stream_cls=Stream[Any], options=options
        ):
            name, data = event["event"], event["data"]
            self.notes.hear(name, data)
            if name == "thread.message.delta":
                [part] = data["delta"]["content"]
                if part["type"] == "text":
                    texts[data["id"]] = texts.get(data["id"], "") + part["text"]["value"]
            elif name in ("thread.message.completed", "thread.message.incomplete"):
                said = [part["text"]["value"] for part in data["content"] if part["type"] == "text"]
                assert [texts.get(data["id"], "")] == (said or [""]), "the deltas make the message"
            elif name.startswith("thread.run.") and data.get("object") == "thread.run":
                last = data["status"]
            yield name, data
        assert last and last not in _MOVING, "a stream ends when its leg does"

    def _go(self, step: str, path: str, body: Mapping[str, Any], streamed: bool) -> Object:
        if not streamed:
            return self.settled(step, self.post(step, path, body))
        if step not in self.notes.answers:
            runs = [data for _, data in self.stream(step, path, body) if data.get("object") == "thread.run"]
            self.notes.answer(step, runs[-1])
        return self.settled(step, self.notes.answers[step])

    def _sent(self, step: str, path: str, body: Mapping[str, Any] | None) -> Object:
        options: Any = {"headers": _key(step)}
        return self._openai.post(path, body=body, cast_to=object, options=options)

    def _unsure(self, step: str) -> bool:
        return not self._keyed and step in self.notes.begun and step not in self.notes.answers


def _key(step: str) -> dict[str, str]:
    return {"Idempotency-Key": step}


def _path(run: Object) -> str:
    return f"/threads/{run['thread_id']}/runs/{run['id']}"


def _calls(run: Object) -> list[str]:
    return [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
