"""One conversation of a soak: a thread, some runs of all kinds, and a look at whether all that was said is there, once.

Everything said bears a token that no other conversation has. The client is the official one, its retries off; a request
that is not answered is sent again with its Idempotency-Key, to any of the servers, until it is.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, AsyncStream, BadRequestError, InternalServerError

from tests.soak.model import ID
from tests.soak.tally import Problem, Tally

__all__ = ["PATIENCE_S", "Conversation", "compare"]

T = TypeVar("T")

PATIENCE_S = 60.0
_BROKEN = (APIConnectionError, InternalServerError, httpx2.TransportError)
_KINDS = ("plain", "streamed", "tools", "streamed tools", "cancelled", "cancelled while heard", "sent twice")


class Conversation:
    """A user, an assistant and a thread. `hold` runs it from its start to its end. Raises Problem."""

    def __init__(self, clients: Sequence[AsyncOpenAI], assistant_id: str, tally: Tally, chance: random.Random) -> None:
        self._clients, self._assistant_id, self._tally, self._chance = clients, assistant_id, tally, chance
        self._token = uuid.uuid4().hex[:12]
        self._thread_id = ""
        self._users: list[str] = []
        self._outputs: list[str] = []

    async def make_assistant(self) -> str:
        """Make an assistant for this conversation and the ones after it."""
        tools: Any = [{"type": "function", "function": {"name": "look_up"}}]
        made = await self._ask(
            lambda client, key: client.beta.assistants.create(model="m", tools=tools, extra_headers=key)
        )
        self._assistant_id = made.id
        return made.id

    async def hold(self) -> None:
        """Say and hear a few things."""
        kinds = self._chance.choices(_KINDS, k=self._chance.randint(1, 4))
        first: Any = [{"role": "user", "content": self._says(kinds[0])}]
        thread = await self._ask(lambda client, key: client.beta.threads.create(messages=first, extra_headers=key))
        self._thread_id = thread.id
        await self._run(kinds[0])
        for kind in kinds[1:]:
            await self._message(self._says(kind))
            await self._run(kind)
        await self._look_back()
        self._tally.conversations += 1

    def _says(self, kind: str) -> str:
        self._users.append(f"{self._token}.{len(self._users)}")
        turns = self._chance.choice(("1", "2", "1,1", "2,1"))
        words = {"tools": f"calls={turns}", "streamed tools": f"calls={turns}"}.get(kind, "")
        return f"{self._users[-1]} {'slow' if kind.startswith('cancelled') else words}"

    async def _message(self, text: str) -> None:
        await self._ask(
            lambda client, key: client.beta.threads.messages.create(
                self._thread_id, role="user", content=text, extra_headers=key
            )
        )

    async def _run(self, kind: str) -> None:
        streamed = kind in ("streamed", "streamed tools", "cancelled while heard")
        stop_early = self._chance.uniform(0, 0.6) if kind.startswith("cancelled") else None
        if streamed:
            run = await self._heard(f"/threads/{self._thread_id}/runs", self._body(), stop_early)
        else:
            run = await self._started(twice=kind == "sent twice")
            if stop_early is not None:
                await asyncio.sleep(stop_early)
                await self._cancel(run["id"])
            run = await self._settled(run["id"])
        while run["status"] == "requires_action":
            calls = run["required_action"]["submit_tool_outputs"]["tool_calls"]
            outputs = [{"tool_call_id": call["id"], "output": f"{self._token}:{call['id']}"} for call in calls]
            self._outputs += [output["output"] for output in outputs]
            path = f"/threads/{self._thread_id}/runs/{run['id']}/submit_tool_outputs"
            if streamed:
                run = await self._heard(path, {"tool_outputs": outputs})
            else:
                await self._post(path, {"tool_outputs": outputs})
                run = await self._settled(run["id"])
        self._tally.ends[run["status"]] += 1
        wanted = ("completed", "cancelled") if stop_early is not None else ("completed",)
        if run["status"] not in wanted:
            raise Problem("wrong", f"a run ended {run['status']}: {run['last_error']}")
        await self._check_messages(run)

    def _body(self) -> Any:
        return {"assistant_id": self._assistant_id}

    async def _started(self, *, twice: bool) -> Any:
        path, key = f"/threads/{self._thread_id}/runs", uuid.uuid4().hex
        sent = [self._post(path, self._body(), key) for _ in range(1 + twice)]
        first, *others = await asyncio.gather(*sent)
        if any(other["id"] != first["id"] for other in others):
            raise Problem("doubled", f"one key started two runs in {self._thread_id}")
        return first

    async def _cancel(self, run_id: str) -> None:
        try:
            await self._post(f"/threads/{self._thread_id}/runs/{run_id}/cancel", None)
        except BadRequestError as refused:
            if "Cannot cancel run with status 'completed'" not in str(refused):
                raise Problem("wrong", f"a cancel was refused: {refused}") from refused

    async def _heard(self, path: str, body: Any, stop_early: float | None = None) -> Any:
        """Listen to a run to the end of its leg; where the stream breaks off, send the request again, or look."""
        run_id = ""
        key = {"Idempotency-Key": uuid.uuid4().hex}

        async def listen(client: AsyncOpenAI, _: Any) -> Any:
            nonlocal run_id, stop_early
            run: Any = None
            if run_id and self._chance.random() < 0.5:
                return await self._settled(run_id)
            began = time.monotonic()
            async for event in await client.post(
                path,
                body={**body, "stream": True},
                cast_to=object,
                stream=True,
                stream_cls=AsyncStream[Any],
                options={"headers": key},
            ):
                data = event["data"]
                if data["object"] == "thread.run":
                    run, run_id = data, data["id"]
                if stop_early is not None and run_id and time.monotonic() - began > stop_early:
                    stop_early = None
                    await self._cancel(run_id)
            if run is None or run["status"] in ("queued", "in_progress"):
                raise Problem("wrong", f"a stream of {self._thread_id} ended before its run")
            return run

        return await self._ask(listen)

    async def _settled(self, run_id: str) -> Any:
        """Wait as the official client does, until the run needs something or is over."""

        async def poll(client: AsyncOpenAI, _: Any) -> Any:
            run = await asyncio.wait_for(client.beta.threads.runs.poll(run_id, thread_id=self._thread_id), PATIENCE_S)
            return run.to_dict()

        return await self._ask(poll)

    async def _post(self, path: str, body: Any, key: str | None = None) -> Any:
        def send(client: AsyncOpenAI, headers: Any) -> Awaitable[Any]:
            return client.post(path, body=body, cast_to=object, options={"headers": headers})

        return await self._ask(send, key)

    async def _ask(self, send: Callable[[AsyncOpenAI, Any], Awaitable[T]], key: str | None = None) -> T:
        """Send a request until it is answered."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            sent_at = time.monotonic()
            try:
                answer = await send(self._chance.choice(self._clients), headers)
            except _BROKEN as error:
                self._tally.repeats += 1
                if time.monotonic() > deadline:
                    raise Problem("stuck", f"no answer for {self._thread_id}: {error!r}") from error
                await asyncio.sleep(self._chance.uniform(0.05, 0.3))
            except TimeoutError as error:
                raise Problem("stuck", f"a run of {self._thread_id} did not get on") from error
            except APIStatusError as error:
                if error.status_code == 404:
                    raise Problem("lost", str(error)) from error
                raise
            else:
                self._tally.answered(sent_at)
                return answer

    async def _messages(self) -> list[Any]:
        listed = await self._ask(
            lambda client, _: client.beta.threads.messages.list(self._thread_id, order="asc", limit=100)
        )
        return listed.data

    async def _check_messages(self, run: Any) -> None:
        """See that the run's answer is there once, and that its model had read everything of this thread once."""
        messages = await self._messages()
        mine = [one for one in messages if one.run_id == run["id"] and one.status == "completed"]
        if run["status"] == "completed" and len(mine) != 1:
            raise Problem("doubled" if mine else "lost", f"{len(mine)} answers of {run['id']}")
        for answer in mine:
            text = answer.content[0].text.value
            read = json.loads(text.partition(" ")[2])
            before = messages[: messages.index(answer)]
            said = [found[1] for one in before if _is_kept(one) and (found := ID.match(_text(one)))]
            compare(self._token, "the model read the user's", read["users"], self._users)
            compare("", "the model read its own", read["said"], said)
            compare(self._token, "the model read outputs", read["given"], self._outputs)

    async def _look_back(self) -> None:
        messages = await self._messages()
        there = [_text(one).split()[0] for one in messages if one.role == "user"]
        compare(self._token, "the thread has the user's", there, self._users)
        runs = await self._ask(lambda client, _: client.beta.threads.runs.list(self._thread_id, limit=100))
        if len(runs.data) != len(self._users):
            raise Problem("doubled", f"{len(runs.data)} runs in {self._thread_id}, {len(self._users)} were started")
        if any(run.status not in ("completed", "cancelled") for run in runs.data):
            raise Problem("stuck", f"runs in {self._thread_id} are {[run.status for run in runs.data]}")


def compare(token: str, what: str, there: Sequence[str], wanted: Sequence[str]) -> None:
    """Say how two lists differ. Raises Problem."""
    if list(there) == list(wanted):
        return
    if any(not one.startswith(token) for one in there):
        raise Problem("crossed", f"{what} {there}, not {wanted}")
    if any(count > 1 for count in Counter(there).values()):
        raise Problem("doubled", f"{what} {there}, not {wanted}")
    if set(wanted) - set(there):
        raise Problem("lost", f"{what} {there}, not {wanted}")
    raise Problem("wrong", f"{what} {there}, not {wanted}")


def _is_kept(message: Any) -> bool:
    """Whether models read a message of theirs: not when it broke off."""
    if message.role != "assistant":
        return False
    return bool(message.status == "completed" or message.incomplete_details.reason == "run_cancelled")


def _text(message: Any) -> str:
    return "".join(part.text.value for part in message.content)
