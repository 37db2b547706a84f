"""The context reaches the tool, and stays out of what the model sees."""

import pytest

from toolkit.errors import DefinitionError
from toolkit.tools.calls import Call
from toolkit.tools.context import RunContext
from toolkit.tools.dispatch import dispatch
from toolkit.tools.output import Output
from toolkit.tools.tool import tool
from toolkit.tools.toolset import Toolset


@tool
def who(ctx: RunContext[dict[str, str]], greeting: str) -> str:
    """Greet the user."""
    return f"{greeting} {ctx.deps['user']} ({ctx.tool} {ctx.call_id} {ctx.run_id} {ctx.thread_id})"


@tool
def last(greeting: str, *, ctx: RunContext[str]) -> str:
    return greeting + ctx.deps


def test_a_run_fills_the_context_in() -> None:
    calls = [Call("call_1", "who", '{"greeting": "hello"}')]
    [(_, finished)] = dispatch(Toolset(who), calls, deps={"user": "Ada"}, run_id="run_1", thread_id="thread_1")
    assert finished.output.content == "hello Ada (who call_1 run_1 thread_1)"
    assert finished.output.ok


def test_the_model_does_not_see_it() -> None:
    assert "ctx" not in str(who.definition)
    assert who.takes_context


def test_the_context_goes_wherever_the_function_takes_it() -> None:
    context = RunContext("!", call_id="", tool="last", run_id="", thread_id="")
    assert last.call('{"greeting": "hi"}', context).content == "hi!"


def test_a_failure_is_logged_with_the_ids_of_the_context(caplog: pytest.LogCaptureFixture) -> None:
    context = RunContext({"nobody": ""}, call_id="call_7", tool="who", run_id="run_7", thread_id="thread_7")
    assert who.call('{"greeting": "hello"}', context) == Output("The tool who failed.", ok=False)
    assert all(each in caplog.text for each in ("call_7", "run_7", "thread_7", "KeyError"))


def test_a_missing_context_is_the_programs_mistake_and_not_the_models() -> None:
    with pytest.raises(DefinitionError, match="takes a RunContext"):
        who.call('{"greeting": "hello"}')


def test_a_context_with_a_default_may_be_missing() -> None:
    @tool
    def greet(greeting: str, ctx: RunContext[str] | None = None) -> str:
        return greeting + (ctx.deps if ctx is not None else "")

    assert greet.call('{"greeting": "hi"}') == Output("hi")
    assert greet.call('{"greeting": "hi"}', RunContext("!", "", "", "", "")) == Output("hi!")


def test_the_idempotency_key_is_the_calls_own() -> None:
    contexts = [RunContext(None, call, "f", run, "t") for run in ("run_1", "run_2") for call in ("call_1", "call_2")]
    assert len({each.idempotency_key for each in contexts}) == 4
    assert contexts[0].idempotency_key == RunContext("!", "call_1", "f", "run_1", "t2").idempotency_key
