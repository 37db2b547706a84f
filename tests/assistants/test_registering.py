"""Toolsets on assistants of the real engine, through the real client: blocking and awaiting, in process and served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI

from tests.contract.doors import served
from toolkit import Drifted, Plan, RegistrationError, Toolset, run, tool
from toolkit.engine import Engine


def function(name: str, text: str = "Do it.") -> Any:
    def do(what: str) -> str:
        return f"{name} {what}"

    return tool(name=name, description=text)(do)


def their(name: str, text: str = "Theirs.") -> Any:
    return {"type": "function", "function": {"name": name, "description": text}}


class World:
    """One way to reach an engine, and the verbs of a toolset as that way has them."""

    def __init__(self, engine: Engine, url: str | None, awaits: bool) -> None:
        self.engine, self.url, self.awaits = engine, url, awaits
        self.here = engine.client().beta.assistants
        self.sent: list[str] = []

    def do(self, verb: Callable[..., Any], **options: Any) -> Any:
        if not self.awaits:
            with self._client() as client:
                return verb(client, **options)

        async def main() -> Any:
            async with self._aclient() as client:
                return await verb(client, **options)

        return asyncio.run(main())

    def tools_of(self, assistant_id: str) -> list[str]:
        return [each.function.name if each.type == "function" else each.type
                for each in self.here.retrieve(assistant_id).tools]  # fmt: skip

    def _client(self) -> OpenAI:
        if self.url is None:
            return self.engine.client()
        hooks = {"request": [lambda request: self.sent.append(request.method)]}
        return OpenAI(base_url=self.url, api_key="none", http_client=httpx2.Client(verify=False, event_hooks=hooks))

    def _aclient(self) -> AsyncOpenAI:
        if self.url is None:
            return self.engine.aclient()

        async def note(request: httpx2.Request) -> None:
            self.sent.append(request.method)

        client = httpx2.AsyncClient(verify=False, event_hooks={"request": [note]})
        return AsyncOpenAI(base_url=self.url, api_key="none", http_client=client)


@pytest.fixture(params=["in process", "in process, awaiting", "socket", "socket, awaiting"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with Engine("sqlite:///:memory:") as engine:
        if "socket" not in request.param:
            yield World(engine, None, "awaiting" in request.param)
            return
        with served(engine.app) as address:
            yield World(engine, f"{address}/v1", "awaiting" in request.param)


def test_an_assistant_is_made_and_then_left_as_it_is(world: World) -> None:
    tools = Toolset(function("f"), function("g"), instructions="Say degrees.")
    options = {"name": "Weather", "model": "offline", "instructions": "Be brief.", "metadata": {"team": "sky"},
               "description": "Weather.", "temperature": 0.0, "top_p": 0.5,
               "response_format": {"type": "json_object"}, "reasoning_effort": "low"}  # fmt: skip
    made = world.do(tools.register, **options)
    stored = world.here.retrieve(made.id)
    assert made.to_dict() == stored.to_dict()
    assert (stored.name, stored.instructions) == ("Weather", "Be brief.\n\nSay degrees.")
    assert world.tools_of(made.id) == ["f", "g"]
    del world.sent[:]
    again = world.do(tools.register, **options)
    assert again.to_dict() == stored.to_dict()
    assert set(world.sent) <= {"GET"}
    assert world.do(tools.plan, **options).changes == ()
    assert world.do(tools.check, assistant_id=made.id).id == made.id
    assert len(world.here.list().data) == 1


def test_functions_come_and_go_and_those_of_others_stay(world: World) -> None:
    made = world.here.create(model="offline", name="Weather", tools=[{"type": "file_search"}, their("lookup")],
                             metadata={"team": "sky"})  # fmt: skip
    world.do(Toolset(function("f"), function("g")).register, name="Weather")
    assert world.tools_of(made.id) == ["file_search", "lookup", "f", "g"]
    world.do(Toolset(function("g", "Better."), function("h")).register, assistant_id=made.id)
    stored = world.here.retrieve(made.id)
    assert world.tools_of(made.id) == ["file_search", "lookup", "g", "h"]
    assert stored.tools[2].to_dict()["function"]["description"] == "Better."  # type: ignore[index]  # a function
    assert stored.tools[1].to_dict()["function"]["description"] == "Theirs."  # type: ignore[index]  # a function
    assert (stored.metadata or {})["team"] == "sky"
    world.do(Toolset().register, assistant_id=made.id)
    assert world.tools_of(made.id) == ["file_search", "lookup"]
    assert world.here.retrieve(made.id).metadata == {"team": "sky"}


def test_a_plan_shows_it_and_does_it(world: World) -> None:
    plan: Plan = world.do(Toolset(function("f")).plan, name="Weather", model="offline")
    assert '  + model: "offline"\n  + f: Do it.\n' in str(plan)
    assert world.here.list().data == []
    made = world.do(plan.apply)
    assert world.tools_of(made.id) == ["f"]
    with pytest.raises(RegistrationError, match="plan again"):
        world.do(plan.apply)


def test_what_others_did_is_told_and_left_alone(world: World) -> None:
    tools = Toolset(function("f"), function("g"))
    made = world.do(tools.register, name="Weather", model="offline")
    world.here.update(made.id, tools=[their("f")])
    before = world.here.retrieve(made.id)
    for verb in (tools.register, tools.check):
        with pytest.raises(Drifted, match=r"! f: somebody else changed it") as error:
            world.do(verb, name="Weather")
        assert [change.what for change in error.value.plan.conflicts] == ["f", "g"]
    plan = world.do(tools.plan, name="Weather")
    with pytest.raises(Drifted, match="Nothing was sent"):
        world.do(plan.apply)
    assert world.here.retrieve(made.id) == before
    world.do(tools.register, name="Weather", overwrite=True)
    assert world.tools_of(made.id) == ["f", "g"]
    assert world.do(tools.check, name="Weather").id == made.id


def test_one_of_two_with_a_name_is_not_guessed(world: World) -> None:
    first, second = (world.here.create(model="offline", name="Weather") for _ in range(2))
    with pytest.raises(RegistrationError, match="2 assistants are called 'Weather'") as error:
        world.do(Toolset(function("f")).register, name="Weather")
    assert first.id in str(error.value)
    assert world.do(Toolset(function("f")).register, assistant_id=second.id, name="Second").name == "Second"
    assert world.do(Toolset(function("f")).register, name="Weather").id == first.id


def test_an_assistant_is_found_among_many(world: World) -> None:
    first = world.here.create(model="offline", name="Weather")
    for number in range(205):
        world.here.create(model="offline", name=f"Other {number}")
    assert world.do(Toolset(function("f")).register, name="Weather").id == first.id


def test_what_the_server_refuses_is_the_clients_own_error(world: World) -> None:
    with pytest.raises(NotFoundError, match="No assistant found with id 'asst_none'"):
        world.do(Toolset().register, assistant_id="asst_none")
    with pytest.raises(BadRequestError, match="temperature"):
        world.do(Toolset().register, name="Weather", model="offline", temperature=7.0)


def test_the_most_functions_there_may_be(world: World) -> None:
    tools = Toolset(*(function(f"function_{number}") for number in range(128)))
    made = world.do(tools.register, name="Weather", model="offline", metadata={str(n): "" for n in range(13)})
    assert (len(made.tools), len(made.metadata)) == (128, 16)
    assert world.do(tools.check, name="Weather").id == made.id
    with pytest.raises(RegistrationError, match="has 14 pairs of others"):
        world.do(tools.register, name="Weather", metadata={"one": "more"})


def test_what_is_registered_runs() -> None:
    with Engine("sqlite:///:memory:") as engine:
        client = engine.client()

        @tool
        def get_rain_probability(location: str) -> float:
            """Get the probability of rain for a specific location."""
            return 0.35

        tools = Toolset(get_rain_probability).prefixed("sky_")
        assistant = tools.register(client, name="Weather", model="offline")
        result = run(client, tools, assistant_id=assistant.id, input="What is the probability of rain in Seoul?")
        assert [(done.call.name, done.output.content) for done in result.calls] == [
            ("sky_get_rain_probability", "0.35")
        ]


# -- whatever is done by whomever, in any order -----------------------------------------------------------------------

NAMES, OTHERS = ("f", "g", "h"), ("their_1", "their_2")
TEXTS = st.sampled_from(["Do it.", "Do it well.", "Do it now."])
ours = st.tuples(st.just("register"), st.dictionaries(st.sampled_from(NAMES), TEXTS), st.booleans())
theirs = st.one_of(
    st.tuples(st.just("set"), st.sampled_from([*NAMES, *OTHERS]), TEXTS),
    st.tuples(st.just("drop"), st.sampled_from([*NAMES, *OTHERS]), st.none()),
    st.tuples(st.just("metadata"), st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from("xy")), st.booleans()),
)


@pytest.fixture(scope="module")
def client() -> Iterator[OpenAI]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine.client()


@given(steps=st.lists(st.one_of(ours, theirs), max_size=10))
@settings(deadline=None, max_examples=60)
def test_what_we_put_there_is_ours_and_nothing_else(client: OpenAI, steps: list[tuple[str, Any, Any]]) -> None:
    assistants = client.beta.assistants
    made = assistants.create(model="offline", tools=[{"type": "code_interpreter"}])

    def there() -> dict[str, str]:
        return {each.function.name: each.function.description or "" for each in assistants.retrieve(made.id).tools
                if each.type == "function"}  # fmt: skip

    def put(functions: dict[str, str]) -> None:
        tools: list[Any] = [{"type": "code_interpreter"}, *(their(name, text) for name, text in functions.items())]
        assistants.update(made.id, tools=tools)

    mine: set[str] = set()  # what we put there, and the metadata still says so
    for what, given_1, given_2 in steps:
        before, read = there(), assistants.retrieve(made.id)
        if what == "set":
            put({**before, given_1: given_2})
        elif what == "drop":
            put({name: text for name, text in before.items() if name != given_1})
        elif what == "metadata":
            kept = {k: v for k, v in (read.metadata or {}).items() if given_2 and k.startswith("toolkit-functions")}
            assistants.update(made.id, metadata={**given_1, **kept})
            mine = mine if given_2 else set()
        else:
            tools = Toolset(*(function(name, text) for name, text in given_1.items()))
            try:
                after = tools.register(client, assistant_id=made.id, overwrite=given_2)
            except Drifted as error:
                assert not given_2
                assert error.plan.conflicts
                assert assistants.retrieve(made.id) == read
                continue
            assert {name: text for name, text in there().items() if name in given_1} == given_1
            assert {n: t for n, t in before.items() if n not in mine | given_1.keys()} == {
                name: text for name, text in there().items() if name not in given_1
            }
            mine = set(given_1)
            assert after.tools[0].type == "code_interpreter"
            others = {k: v for k, v in (read.metadata or {}).items() if not k.startswith("toolkit-functions")}
            assert others.items() <= (after.metadata or {}).items()
            assert tools.plan(client, assistant_id=made.id).request == {}
