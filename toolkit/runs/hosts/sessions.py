"""Runs on agents' sessions: a run is one turn of a session, begun by our input, with its calls in between.

Input and outputs are events that we post; what comes of them is told on a stream that was opened before, so that
nothing is missed. If it breaks, the session and the turn are read until they have got on. Each post has an
Idempotency-Key, and is sent again under the same one, once our turn is not found; only the creation of a session has
none, and is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack
from urllib.parse import quote

from toolkit.runs.effects import FinishedCall, Json, Reply, Request
from toolkit.runs.hosts.asked import Asked, given, plain
from toolkit.runs.hosts.found import made_since_start
from toolkit.runs.hosts.options import SessionsOptions
from toolkit.runs.hosts.ours import all_of, begun, names_of, run_in, turn_of
from toolkit.runs.hosts.sessions_reading import Pieces, SessionsReading, messages_in, with_turn
from toolkit.tools.attachments import written_part

if TYPE_CHECKING:
    from openai.types.beta import AgentSessionInputMessageParam, EnvironmentParam

__all__ = ["SESSIONS", "Sessions", "Turns"]

SESSIONS = "sessions.run"
"""What such a run is called in its `object`."""
_BETA = {"OpenAI-Beta": "agents=v1"}
# A stream silent for so long is taken for a dead connection; the session is then read. Agents that work are silent too.
_SILENCE_S = 120.0


class Sessions:
    """Agents' sessions as the place of a run: `run(client, tools, on=Sessions(input="Hello", agent_id="agent_1"))`."""

    def __init__(
        self,
        *,
        input: str | Iterable[AgentSessionInputMessageParam],  # noqa: A002 - the word of the API
        session: str | None = None,
        environment: EnvironmentParam | None = None,
        **options: Unpack[SessionsOptions],
    ) -> None:
        """Take what is said to the agent, and a session there is, by its id, or what a new one is created with.

        environment: where the agent works; none by default.
        Raises TypeError for an unknown option, what does not go together, and what has no JSON form.
        """
        content = [{"type": "input_text", "text": input}]
        self._input: list[Json] = plain(
            "Sessions(input=...)", [{"role": "user", "content": content}] if isinstance(input, str) else input
        )
        if not (input and isinstance(self._input, list) and self._input):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("Sessions(input=...) takes text or a list of messages, at least one")
        self._options = given("Sessions", options, SessionsOptions.__optional_keys__)
        if environment is not None:
            self._options["environment"] = plain("Sessions(environment=...)", environment)
        if session is not None and self._options:
            raise TypeError(f"Sessions(session=...) is there already: leave out {', '.join(sorted(self._options))}")
        if session is not None and not (isinstance(session, str) and session):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("Sessions(session=...) takes the id of a session: write session=session.id")
        if session is None and not self._options.keys() & {"agent", "agent_id"}:
            raise TypeError("Sessions() needs session= of one there is, or agent_id= or agent= to begin a new one")
        for tool in self._options.get("agent", {}).get("tools") or ():
            if tool.get("type") == "function":
                raise TypeError("Sessions(agent=...) takes tools of the service: your functions go into the Toolset")
        self._session = session

    def __repr__(self) -> str:
        return f"Sessions(session={self._session!r}, {len(self._input)} messages)"

    def host(self, asked: Asked) -> Turns:
        """Say how the run begins."""
        body = {} if self._session is not None else self._body(asked)
        turn: dict[str, Any] = {
            "turn_id": None,
            "turn_status": "queued",
            "turn_error": None,
            "turn_of_call": {},
            "answered": [],
        }
        what = {"input": self._input, "usage_before": None, "reads": "session", "post_key": asked.key}
        return Turns({**begun(SESSIONS, asked.key, body, **what, **turn), "thread_id": self._session or ""})

    def _body(self, asked: Asked) -> dict[str, Any]:
        agent: dict[str, Any] = dict(self._options.get("agent", {}))
        tools = [*map(_definition, asked.toolset.flat_definitions), *(agent.pop("tools", None) or ())]
        if tools:
            agent["tools"] = tools
        if asked.form is not None:
            text: Json = agent.get("text") or {}
            if "format" in text:
                raise TypeError(f"{asked.verb}(output_type=...) is the format of agent.text: leave that out")
            agent["text"] = {**text, "format": {"type": "json_schema", "schema": asked.form["schema"]}}
        body = {"environment": {"type": "none"}, **self._options}
        return {**body, "agent": agent} if agent else body


@dataclass(frozen=True, slots=True)
class Turns:
    """One run, as it begins or as it was left."""

    first: Json
    picked_up: bool = False
    text: Pieces = field(default_factory=Pieces, compare=False, repr=False)

    expiry: None = None
    files: None = None
    may_repeat: Literal[False] = False
    """In a session there is, it may be once no turn of ours was found: the post keeps its Idempotency-Key."""
    can_find: Literal[True] = True
    on_active: Literal["fail"] = "fail"

    run_in = staticmethod(partial(run_in, SESSIONS))
    turn = staticmethod(turn_of)
    state = staticmethod(all_of)

    @property
    def threads(self) -> Turns | None:
        return self if self.first["thread_id"] else None

    @property
    def thread_id(self) -> str:
        return str(self.first["thread_id"])

    @property
    def run(self) -> Json | None:
        return self.first if self.picked_up else None

    def start(self) -> Request:
        run = self.first
        if run["thread_id"]:
            event = {"type": "agent.session.input.message", "input": run["input"]}
            return self._say(run, [event], f"input-{len(run['answered'])}")
        body = {**run["body"], "input": run["input"], "stream": True}
        return Request("POST", "/agents/sessions", body, _BETA, _SILENCE_S, is_endless=True, run=run)

    def look(self) -> Request:
        return Request("GET", f"{_session(self.first)}/turns?limit=1&order=desc", headers=_BETA)

    def found(self, reply: Reply) -> Json | None:
        data: Sequence[Json] = (reply.body or {}).get("data", ())
        turn = next(iter(data), None)
        return with_turn(self.first, turn) if turn and made_since_start(turn["created_at"], reply) else None

    def is_kept_out(self, reply: Reply) -> bool:
        return False

    def newest(self, reply: Reply) -> None:
        return None

    def read(self, run: Json | None) -> Request:
        run = {**(self.first if run is None else run), "status": "in_progress", "required_action": None}
        path = _session(run) if run["reads"] == "session" else f"{_session(run)}/turns/{quote(run['turn_id'], safe='')}"
        return Request("GET", path, headers=_BETA, run=run)

    def submit(self, run: Json, finished: Sequence[FinishedCall], turn: int) -> Request:
        before: Sequence[str] = run["answered"]
        answered = [*before, *(one.call.id for one in finished)]
        run = {**run, "status": "in_progress", "required_action": None, "answered": answered}
        # The same key in whatever process, so not by our own count of turns.
        return self._say(run, [_result(run, one) for one in finished], f"results-{len(before)}")

    def cancel(self, run: Json) -> Request:
        body = {"events": [{"type": "agent.session.input.cancel"}]}
        return Request(
            "POST", f"{_session(run)}/events", body, {**_BETA, "Idempotency-Key": f"{run['post_key']}-cancel"}
        )

    def messages(self, run: Json, after: str | None) -> Request:
        behind = "" if after is None else f"&after={quote(after, safe='')}"
        return Request("GET", f"{_session(run)}/items?order=asc&limit=100{behind}", headers=_BETA, run=run)

    def listed(self, run: Json, reply: Reply) -> tuple[Sequence[Json], str | None]:
        body = reply.body or {}
        data: Sequence[Json] = body.get("data", ())
        return messages_in(run, data), data[-1]["id"] if data and body.get("has_more") else None

    def corrected(self, run: Json, text: str) -> Turns:
        said = [{"role": "user", "content": [{"type": "input_text", "text": text}]}]
        anew = {"turn_id": None, "turn_status": "queued", "reads": "session", "usage_before": run["usage"]}
        return Turns(
            {**run, "status": "in_progress", "input": said, "post_key": f"{run['post_key']}-{run['turn_id']}", **anew}
        )

    def functions(self, run: Json) -> Sequence[str]:
        known: Json = run["answer"] or run["body"]
        agent: Json = known.get("agent") or {}
        return names_of(agent.get("tools") or ())

    def reading(self, request: Request | None) -> SessionsReading:
        return SessionsReading(request.run if request is not None else None)

    def _say(self, run: Json, events: Sequence[Json], what: str) -> Request:
        """Post events, and follow what comes of them on a stream that is opened first."""
        path, key = f"{_session(run)}/events", f"{run['post_key']}-{what}"
        post = Request("POST", path, {"events": events}, {**_BETA, "Idempotency-Key": key})
        headers = {**_BETA, "Accept": "text/event-stream"}
        return Request("GET", path, None, headers, _SILENCE_S, is_endless=True, behind=post, run=run)


def _result(run: Json, finished: FinishedCall) -> Json:
    call_id, output = finished.call.id, finished.output
    parts = [written_part(part) for part in output.parts]
    # Images are taken here, files and files' ids are not: then all is said in words.
    shown = parts and all("text" in part or "image_url" in part for part in parts)
    said = {"output": parts if shown else output.content} if output.ok else {"error": output.content}
    where = {"turn_id": run["turn_of_call"][call_id], "call_id": call_id}
    return {"type": "agent.session.input.tool_result", **where, "success": output.ok, **said}


def _definition(flat: Any) -> Json:
    """A function as agents have it: without `strict`, and never without a description."""
    return {name: flat.get(name, "") for name in ("type", "name", "description", "parameters")}


def _session(run: Json) -> str:
    return f"/agents/sessions/{quote(run['thread_id'], safe='')}"
