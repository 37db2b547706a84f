"""Which requests are made, one after another: with values, without a client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from toolkit.assistants.plan import decide
from toolkit.assistants.steps import Request, Steps, applied, checked, planned, registered
from toolkit.assistants.wanted import Wanted
from toolkit.errors import Drifted, RegistrationError

Json = dict[str, Any]

FUNCTION = {"type": "function", "function": {"name": "f", "description": "Do it."}}
WANTED = Wanted([FUNCTION], name="Weather", fields={"model": "m"})
THERE: Json = {"id": "asst_1", **decide(WANTED, None).request}
EMPTY: Json = {"data": [], "has_more": False}


def page(*assistants: Json, has_more: bool = False) -> Json:
    return {"data": list(assistants), "has_more": has_more}


def play(steps: Steps[Any], *answers: Json) -> tuple[list[Request], Any]:
    """Answer request after request; what was asked, and what came of it."""
    asked: list[Request] = []
    answer: Any = None
    try:
        for answer in (None, *answers):
            asked.append(steps.send(answer))
    except StopIteration as end:
        assert len(asked) == len(answers)
        return asked, end.value
    raise AssertionError(f"asks {asked[-1]}")


def named(name: str | None, number: int) -> Json:
    return {"id": f"asst_{number}", "name": name}


def test_an_assistant_is_found_by_name_on_any_page() -> None:
    first = page(named("Other", 7), named(None, 8), has_more=True)
    asked, plan = play(planned(WANTED), first, page(named("weather", 6), THERE, has_more=True), page(named("B", 2)))
    assert [request.path for request in asked] == [
        "/assistants?limit=100",
        "/assistants?limit=100&after=asst_8",
        "/assistants?limit=100&after=asst_1",
    ]
    assert plan.assistant_id == "asst_1"
    assert plan.changes == ()


def test_a_last_page_that_says_there_is_more_is_the_last() -> None:
    _, plan = play(planned(WANTED), {"data": [], "has_more": True})
    assert plan.seen is None


def test_two_of_one_name() -> None:
    with pytest.raises(RegistrationError, match=r"2 assistants are called 'Weather': .* id, asst_1, asst_5"):
        play(planned(WANTED), page(THERE, has_more=True), page(named("Weather", 5)))


def test_an_assistant_is_read_by_id() -> None:
    asked, plan = play(planned(Wanted([FUNCTION], assistant_id="asst/1")), THERE)
    assert asked == [Request("GET", "/assistants/asst%2F1")]
    assert plan.name == "Weather"


def test_registering_makes_changes_or_does_nothing() -> None:
    asked, assistant = play(registered(WANTED), EMPTY, THERE)
    assert asked[1:] == [Request("POST", "/assistants", decide(WANTED, None).request, repeatable=False)]
    assert (assistant.id, assistant.tools[0].function.name) == ("asst_1", "f")
    bare = {"id": "asst_1", "name": "Weather", "model": "m", "tools": []}
    asked, assistant = play(registered(WANTED), page(bare), THERE)
    assert asked[1:] == [Request("POST", "/assistants/asst_1", decide(WANTED, bare).request)]
    asked, assistant = play(registered(WANTED), page(THERE))
    assert [request.method for request in asked] == ["GET"]
    assert assistant.id == "asst_1"


CHANGED: Json = {**THERE, "tools": [{"type": "function", "function": {"name": "f", "description": "Theirs."}}]}


def test_what_others_did_keeps_anything_from_being_sent() -> None:
    with pytest.raises(
        Drifted, match=r"Nothing was sent, since others have been at our functions\.\nAssistant"
    ) as error:
        play(registered(WANTED), page(CHANGED))
    assert [change.what for change in error.value.plan.conflicts] == ["f"]
    asked, _ = play(registered(Wanted([FUNCTION], name="Weather", overwrite=True)), page(CHANGED), THERE)
    assert asked[1].body == {"tools": [FUNCTION]}


def test_a_plan_is_done_if_the_assistant_is_still_as_it_was() -> None:
    bare = {"id": "asst_1", "name": "Weather", "model": "m", "tools": []}
    asked, assistant = play(applied(decide(WANTED, bare)), bare, THERE)
    assert asked[0] == Request("GET", "/assistants/asst_1")
    assert assistant.id == "asst_1"
    with pytest.raises(RegistrationError, match="has changed since it was read: plan again"):
        play(applied(decide(WANTED, bare)), {**bare, "model": "n"})


def test_an_assistant_is_made_if_there_is_still_none() -> None:
    plan = decide(WANTED, None)
    asked, _ = play(applied(plan), page(named("Other", 1)), THERE)
    assert [request.method for request in asked] == ["GET", "POST"]
    with pytest.raises(RegistrationError, match="plan again"):
        play(applied(plan), page(named("Weather", 5)))


@pytest.mark.parametrize("found", [CHANGED, {**THERE, "model": "n"}, {**THERE, "metadata": {}}])
def test_a_check_fails_on_any_change(found: Json) -> None:
    with pytest.raises(Drifted, match="The assistant is not as the toolset has it") as error:
        play(checked(WANTED), page(found))
    assert error.value.plan.changes


def test_a_check_fails_where_there_is_no_assistant() -> None:
    with pytest.raises(Drifted, match="would be made"):
        play(checked(WANTED), EMPTY)


def test_a_check_gives_the_assistant() -> None:
    asked, assistant = play(checked(WANTED), page(THERE))
    assert len(asked) == 1
    assert assistant.id == "asst_1"


@pytest.mark.parametrize("steps", [planned, registered, checked])
def test_what_cannot_be_is_said_before_anything_is_sent(steps: Callable[[Wanted], Steps[Any]]) -> None:
    no_model: Sequence[Json] = [EMPTY]
    with pytest.raises(RegistrationError, match="say its model"):
        play(steps(Wanted([FUNCTION], name="Weather")), *no_model)
