from __future__ import annotations

from typing import Any

import pytest

from toolkit.runs.hosts.assistants import Assistants
from toolkit.runs.hosts.chat import Chat
from toolkit.runs.plan import plan, plan_elsewhere
from toolkit.tools.toolset import Toolset


def planned(on_active: Any = "fail", on_expiry: Any = "raise", **given: Any) -> Assistants:
    names = ("assistant_id", "thread_id", "messages", "run_id")
    given_ids: Any = {name: given.pop(name, None) for name in names}
    return plan("run", **given_ids, options=given, on_active=on_active, on_expiry=on_expiry)  # type: ignore[arg-type]


def test_a_thread_there_is() -> None:
    host = planned(assistant_id="a", thread_id="t", top_p=1.0, model=None)
    assert (host.thread_id, host.body, host.picked_up) == ("t", {"assistant_id": "a", "top_p": 1.0}, False)


def test_messages_for_a_thread_there_is_come_last() -> None:
    earlier = {"role": "assistant", "content": "Yes?"}
    host = planned(assistant_id="a", thread_id="t", messages="Hi", additional_messages=[earlier])
    assert host.body["additional_messages"] == [earlier, {"role": "user", "content": "Hi"}]


def test_a_new_thread() -> None:
    host = planned(assistant_id="a", messages=[{"role": "user", "content": "Hi"}], override_tools=[])
    assert host.thread_id is None
    assert host.body == {"assistant_id": "a", "tools": [], "thread": {"messages": [{"role": "user", "content": "Hi"}]}}


def test_a_run_there_is() -> None:
    assert planned(thread_id="t", run_id="r").picked_up


def test_policies_are_the_hosts() -> None:
    host = planned(assistant_id="a", thread_id="t", on_active="queue", on_expiry="new_run")
    assert (host.on_active, host.on_expiry) == ("queue", "new_run")
    assert planned(assistant_id="a", messages="Hi", on_expiry="new_run").on_expiry == "new_run"
    assert planned(run_id="r", thread_id="t", on_expiry="new_run").on_expiry == "new_run"


@pytest.mark.parametrize("given", [{"on_active": "now"}, {"on_expiry": "wait"}])
def test_policies_that_there_are_not(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"takes one of '"):
        planned(assistant_id="a", thread_id="t", **given)


def test_each_run_has_a_key_of_its_own() -> None:
    assert planned(assistant_id="a", thread_id="t").key != planned(assistant_id="a", thread_id="t").key


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "needs assistant_id="),
        ({"thread_id": "t"}, "needs assistant_id="),
        ({"assistant_id": "a"}, "needs thread_id="),
        ({"run_id": "r"}, "needs thread_id= too"),
        ({"run_id": "r", "thread_id": "t", "assistant_id": "a", "model": "m"}, "leave out assistant_id, model"),
        ({"run_id": "r", "thread_id": "t", "messages": "Hi"}, "leave out input"),
        ({"run_id": "r", "thread_id": "t", "on_active": "wait"}, "leave out on_active"),
        ({"assistant_id": "a", "thread_id": "t", "temprature": 1}, "no option temprature="),
        ({"assistant_id": "a", "thread_id": object()}, r"takes an id, not object: write thread_id=thread\.id"),
        ({"assistant_id": "a", "messages": 5}, r"\(input=...\) takes text or a list of messages, not int"),
        ({"assistant_id": "a", "messages": {"role": "user", "content": "Hi"}}, "a list of messages, not dict"),
        ({"assistant_id": "a", "messages": "Hi", "reasoning_effort": "low"}, r"reasoning_effort=.* needs thread_id="),
    ],
)
def test_what_does_not_fit_together(given: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        planned(**given)


@pytest.mark.parametrize("name", ["assistant_id", "thread_id", "run_id", "messages"])
def test_what_is_empty(name: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        planned(**{"assistant_id": "a", "thread_id": "t", name: ""})


@pytest.mark.parametrize(("on", "what"), [("chat", "str"), (Chat, "the class Chat")])
def test_what_is_no_other_api(on: Any, what: str) -> None:
    with pytest.raises(TypeError, match=rf"run\(on=...\) takes Chat\(...\), .* not {what}$"):
        plan_elsewhere("run", on, Toolset(), None, {})
