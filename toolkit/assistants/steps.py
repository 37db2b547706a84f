"""What is asked of the server, one request after another: generators that drivers carry out.

Each yields a request, is sent the answer's JSON, and returns what came of it. What the server refuses is the client's
own exception.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import quote

from toolkit.assistants.plan import Plan, decide
from toolkit.assistants.wanted import Json, Wanted
from toolkit.errors import Drifted, RegistrationError

if TYPE_CHECKING:
    from openai.types.beta import Assistant

__all__ = ["Request", "Steps", "applied", "checked", "planned", "registered"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """Send this, and read the answer."""

    method: Literal["GET", "POST"]
    path: str
    body: Json | None = None
    repeatable: bool = True
    """Whether sending it twice does no more than sending it once."""


Steps = Generator[Request, Json, T]


def planned(wanted: Wanted) -> Steps[Plan]:
    """Read the assistant, and say what would change."""
    return decide(wanted, (yield from _found(wanted.assistant_id, wanted.name)))


def registered(wanted: Wanted) -> Steps[Assistant]:
    """Plan, and do it."""
    plan = yield from planned(wanted)
    return (yield from _sent(plan))


def checked(wanted: Wanted) -> Steps[Assistant]:
    """Give the assistant when nothing would change. Raises Drifted."""
    plan = yield from planned(wanted)
    if plan.changes or plan.seen is None:
        raise Drifted("The assistant is not as the toolset has it.", plan=plan)
    return _assistant(plan.seen)


def applied(plan: Plan) -> Steps[Assistant]:
    """Do what was planned, if the assistant is still as it was read."""
    if (yield from _found(plan.assistant_id, plan.name)) != plan.seen:
        raise RegistrationError("The assistant has changed since it was read: plan again. Nothing was sent.")
    return (yield from _sent(plan))


def _found(assistant_id: str | None, name: str | None) -> Steps[Json | None]:
    """Read the assistant with that id, or the one of that name; None when there is none of that name."""
    if assistant_id is not None:
        return (yield Request("GET", f"/assistants/{quote(assistant_id, safe='')}"))
    found: list[Json] = []
    behind = ""
    while True:
        page = yield Request("GET", f"/assistants?limit=100{behind}")
        data: list[Json] = page["data"]
        found += [assistant for assistant in data if assistant.get("name") == name]
        if not (data and page.get("has_more")):
            break
        behind = f"&after={quote(data[-1]['id'], safe='')}"
    if len(found) > 1:
        ids = ", ".join(assistant["id"] for assistant in found)
        raise RegistrationError(f"{len(found)} assistants are called {name!r}: say which by its id, {ids}")
    return found[0] if found else None


def _sent(plan: Plan) -> Steps[Assistant]:
    """Send what is to be sent; with nothing to send, the assistant is as it was read."""
    if plan.conflicts:
        raise Drifted("Nothing was sent, since others have been at our functions.", plan=plan)
    if plan.seen is None:
        return _assistant((yield Request("POST", "/assistants", plan.request, repeatable=False)))
    if not plan.request:
        return _assistant(plan.seen)
    return _assistant((yield Request("POST", f"/assistants/{quote(plan.seen['id'], safe='')}", plan.request)))


def _assistant(body: Json) -> Assistant:
    """Give the client's own model of an assistant."""
    from openai.types.beta import Assistant

    return Assistant.model_construct(**body)
