from __future__ import annotations

from collections.abc import Callable

import openai
import pytest

from tests.testing import ways
from tests.testing.ways import WAYS
from toolkit import Result, RunExpired, RunFailed, Toolset, run, tool
from toolkit.testing.server import ScriptedServer
from toolkit.testing.turns import call

made: list[str] = []


@tool
def weather(city: str) -> str:
    """Weather in a city."""
    made.append(city)
    return f"Sunny in {city}."


TOOLS = Toolset(weather)
SEOUL, PARIS = call("weather", city="Seoul"), call("weather", city="Paris")


@pytest.fixture(autouse=True)
def none_made() -> None:
    made.clear()


Run = Callable[..., Result]


@pytest.fixture(params=WAYS)
def go(request: pytest.FixtureRequest) -> Run:
    """Run against a server in each of the four ways."""
    return lambda server, **options: ways.go(request.param, server, TOOLS, **options)


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"submit": "drop"},
        {"submit": "drop-done"},
        {"submit": "500 503"},
        {"submit": "500-done"},
        {"submit": "429"},
        {"submit": "timeout"},
        {"submit": "timeout-done"},
        {"submit": "cut"},
        {"submit": "cut:3"},
        {"submit": "twice"},
        {"submit": "garbled"},
        {"submit": "error"},
        {"create": "drop-done"},
        {"create": "429"},
        {"create": "cut:2"},
        {"create": "twice"},
        {"create": "garbled"},
        {"create": "cut:2", "read": "500 drop ok garbled"},
    ],
    ids=str,
)
def test_the_loop_calls_each_function_once_whatever_happens(go: Run, faults: dict[str, str]) -> None:
    with ScriptedServer([SEOUL, PARIS], "Fine.", faults=faults) as server:
        thread_id = server.engine.client().beta.threads.create().id
        result = go(server, thread_id=thread_id)
        assert result.text == "Fine."
        assert sorted(made) == ["Paris", "Seoul"]
        assert server.model.asked[-1].outputs == ["Sunny in Seoul.", "Sunny in Paris."]
        server.model.assert_played()
        assert set(server.faults_left) <= {"read"}


def test_broken_arguments_are_told_to_the_model(go: Run) -> None:
    with ScriptedServer(call("weather", '{"city": "Se'), SEOUL, "Fine.") as server:
        assert go(server).text == "Fine."
        assert made == ["Seoul"]
        assert "JSON" in server.model.asked[1].outputs[0]


def test_a_run_expires_without_anybody_waiting(go: Run) -> None:
    with ScriptedServer(SEOUL, faults={"submit": "expired"}) as server:
        with pytest.raises(RunExpired) as expired:
            go(server)
        assert [one.call.name for one in expired.value.late] == ["weather"]
        server.assert_played()


def test_what_came_too_late_goes_to_a_new_run(go: Run) -> None:
    with ScriptedServer(SEOUL, "Fine.", faults={"submit": "expired"}) as server:
        assert go(server, on_expiry="new_run").text == "Fine."
        assert (made, server.count("create")) == (["Seoul"], 2)


def test_a_refusal_is_the_clients_own_exception(go: Run) -> None:
    with ScriptedServer(faults={"create": "403"}) as server:
        with pytest.raises(openai.PermissionDeniedError, match="went wrong, as scripted"):
            go(server)
        assert server.count("create") == 1


def test_a_script_that_runs_out_fails_the_run(go: Run) -> None:
    with ScriptedServer(SEOUL) as server, pytest.raises(RunFailed, match="asked a 2nd time"):
        go(server)


def test_the_clients_own_polling_helpers_meet_the_faults_too() -> None:
    with ScriptedServer("Hi", faults={"read": "429", "create": "500"}) as server, server.client() as client:
        thread_id = client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}]).id
        made = client.beta.threads.runs.create_and_poll(
            assistant_id=server.assistant(), thread_id=thread_id, poll_interval_ms=1
        )
        assert made.status == "completed"
        assert [(one.kind, one.fault) for one in server.seen[:4]] == [
            ("thread", "ok"),
            ("create", "500"),
            ("create", "ok"),
            ("read", "429"),
        ]
        server.assert_played()


def test_faults_that_have_not_happened_are_told() -> None:
    with ScriptedServer("Hi", faults={"submit": "drop 500"}) as server, server.client() as client:
        run(client, assistant_id=server.assistant(), input="Hi")
        with pytest.raises(AssertionError, match=r"have not happened: {'submit': 'drop 500'}. Seen: \['create'\]"):
            server.assert_played()


def test_what_was_sent_is_kept() -> None:
    with ScriptedServer("Hi") as server, server.client() as client:
        run(client, assistant_id=server.assistant(), input="Hello", max_prompt_tokens=1000)
        [seen] = server.seen
        assert (seen.sent.method, seen.sent.path) == ("POST", "/threads/runs")
        assert seen.sent.body["max_prompt_tokens"] == 1000
        assert "idempotency-key" in seen.sent.headers


def test_a_client_may_be_closed_and_another_one_made() -> None:
    with ScriptedServer("One", "Two") as server:
        for text in ("One", "Two"):
            with server.client() as client:
                assert run(client, assistant_id=server.assistant(), input="Hi").text == text
