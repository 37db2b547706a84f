"""What of a thread goes to the model, and with which settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from toolkit.engine import context, moves
from toolkit.engine.calls import Turn
from toolkit.engine.context import Budget, Context
from toolkit.engine.jsontext import id_of
from toolkit.engine.model import ModelCall, ModelRequest
from toolkit.engine.objects import assistants, runs, threads
from toolkit.engine.objects.messages import CreateMessage
from toolkit.engine.objects.runs import Run, Tokens
from toolkit.engine.objects.settings import CreateRun
from toolkit.engine.store import Tx

Do = Callable[[Callable[[Tx], Any]], Any]
NOW = 1_800_000_000
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}


class Thread:
    """A thread that things happen to."""

    def __init__(self, do: Do, **assistant: Any) -> None:
        self.do = do
        self.assistant = id_of(
            do(lambda tx: assistants.create(tx, "p", assistants.CreateAssistant(model="m", **assistant), NOW))
        )
        self.id = id_of(do(lambda tx: threads.create(tx, "p", threads.CreateThread(), NOW)))

    def say(self, text: str) -> None:
        self.do(lambda tx: threads.append(tx, "p", self.id, [CreateMessage(role="user", content=text)], NOW))

    def start(self, **settings: Any) -> Run:
        request = CreateRun.model_validate({"assistant_id": self.assistant, **settings})
        run = self.do(lambda tx: runs.create(tx, "p", self.id, request, NOW, expires_s=600, owner="me"))
        claimed: Run = self.do(lambda tx: moves.claim(tx, run.id, "me", NOW)).run
        return claimed

    def call(self, run: Run, *names: str) -> Run:
        calls = [ModelCall(f"call_{name}", name, "{}") for name in names]
        chat = json.dumps({"role": "assistant", "content": None, "tool_calls": [{"id": call.id} for call in calls]})
        waiting = self.do(lambda tx: moves.require_action(tx, run, None, Turn(calls, chat, Tokens(1, 1)), NOW)).run
        outputs = [(call.id, f"output of {call.name}") for call in calls]
        self.do(lambda tx: moves.submit(tx, waiting, outputs, NOW, owner="me"))
        claimed: Run = self.do(lambda tx: moves.claim(tx, run.id, "me", NOW)).run
        return claimed

    def answer(self, run: Run, text: str) -> None:
        self.do(lambda tx: moves.complete(tx, run, NOW, Tokens(1, 1), moves.Said(text)))

    def read(self, run: Run, budget: Budget = Budget()) -> list[str]:
        found: Context = self.do(lambda tx: context.read(tx, run, budget))
        assert found.size == sum(len(chat.encode()) for chat in found.messages)
        return [_short(json.loads(chat)) for chat in found.messages]


def _short(chat: Mapping[str, Any]) -> str:
    return f"{chat['role']}: {chat['content'] or ' '.join(call['id'] for call in chat['tool_calls'])}"


@pytest.fixture
def talk(do: Do) -> Thread:
    """A question with tools and an answer, and a plain one, before the question at hand."""
    thread = Thread(do)
    thread.say("one")
    run = thread.start()
    run = thread.call(run, "a", "b")
    thread.answer(run, "answer one")
    thread.say("two")
    thread.answer(thread.start(), "answer two")
    thread.say("three")
    return thread


ALL = [
    "user: one",
    "assistant: call_a call_b",
    "tool: output of a",
    "tool: output of b",
    "assistant: answer one",
    "user: two",
    "assistant: answer two",
    "user: three",
]


def test_everything_goes_while_there_is_room(talk: Thread) -> None:
    assert talk.read(talk.start()) == ALL


def test_the_newest_go_first_and_calls_never_without_their_outputs(talk: Thread) -> None:
    run = talk.start()
    sizes = {len(talk.read(run, Budget(size))): size for size in range(127, 0, -1)}
    assert sorted(sizes) == [1, 2, 3], "too little room for the first message"
    for count, size in sizes.items():
        assert talk.read(run, Budget(size)) == ALL[-count:]


def test_the_middle_is_left_out_and_never_half_a_turn(talk: Thread) -> None:
    run = talk.start()
    sent = {tuple(talk.read(run, Budget(size))) for size in range(128, 800)}
    assert sent == {
        *((ALL[0], *ALL[-count:]) for count in (2, 3, 4)),
        (*ALL,),
    }, "the first and the newest; 5 and 6 would cut the turn of the calls"


def test_a_first_message_that_takes_too_much_room_goes_like_the_others(do: Do) -> None:
    thread = Thread(do)
    thread.say("x" * 500)
    for number in range(10):
        thread.say(f"message {number}")
    run = thread.start()
    assert thread.read(run, Budget(320))[0] == "user: message 2"


def test_what_the_run_did_leaves_no_room_for_the_first_message(do: Do) -> None:
    thread = Thread(do)
    for text in ("first", "second", "third"):
        thread.say(text)
    run = thread.call(thread.start(), "a")
    size = sum(len(chat.encode()) for chat in thread.do(lambda tx: context.read(tx, run, Budget(0))).messages)
    assert thread.read(run, Budget(size)) == ["user: third", "assistant: call_a", "tool: output of a"]


def test_last_messages_counts_messages_from_before_the_run(talk: Thread) -> None:
    run = talk.start()
    assert talk.read(run, Budget(messages=1)) == ALL[-1:]
    assert talk.read(run, Budget(messages=3)) == ALL[-3:]
    run = talk.call(run, "c")
    assert talk.read(run, Budget(messages=1)) == [*ALL[-1:], "assistant: call_c", "tool: output of c"]


def test_what_the_run_did_goes_however_little_room_there_is(talk: Thread) -> None:
    run = talk.call(talk.call(talk.start(), "c"), "d")
    assert talk.read(run, Budget(0)) == [
        "user: three",
        "assistant: call_c",
        "tool: output of c",
        "assistant: call_d",
        "tool: output of d",
    ]


def test_a_long_thread_is_read_page_by_page(do: Do) -> None:
    thread = Thread(do)
    for number in range(450):
        thread.say(f"message {number}")
    run = thread.start()
    assert thread.read(run) == [f"user: message {number}" for number in range(450)]
    assert thread.read(run, Budget(messages=2)) == ["user: message 448", "user: message 449"]


def request(thread: Thread, run: Run) -> ModelRequest:
    found: Context = thread.do(lambda tx: context.read(tx, run, Budget()))
    return context.request_of(run, run.settings, "used-name", found, 9.0)


def test_the_request_has_what_was_asked_and_no_defaults(do: Do) -> None:
    thread = Thread(do, instructions="Be brief.", tools=[TOOL])
    thread.say("hello")
    made = request(thread, thread.start())
    assert (made.model, made.timeout_s) == ("used-name", 9.0)
    assert [json.loads(chat) for chat in made.messages] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello"},
    ]
    assert json.loads(made.tools or "") == [{**TOOL, "function": {**TOOL["function"], "strict": False}}]
    assert made.options == {}


def test_the_request_has_every_setting_that_was_given(do: Do) -> None:
    thread = Thread(do, tools=[TOOL], temperature=0.5)
    thread.say("hello")
    settings = {
        "top_p": 0.9,
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
        "max_completion_tokens": 300,
    }
    run = thread.start(**settings, instructions="Other.", additional_instructions="More.")
    made = request(thread, run)
    assert json.loads(made.messages[0])["content"] == "Other.\n\nMore."
    assert made.options == {"temperature": 0.5, **settings}
    made = request(thread, thread.call(run, "f"))
    assert "tool_choice" not in made.options, "forced again, it would call tools for ever"
    assert made.options["max_completion_tokens"] == 299


def test_empty_values_are_values(do: Do) -> None:
    thread = Thread(do, instructions="Be brief.", tools=[TOOL])
    thread.say("hello")
    made = request(thread, thread.start(instructions="", tools=[], tool_choice="none"))
    assert [json.loads(chat)["role"] for chat in made.messages] == ["user"]
    assert made.tools is None
    assert made.options == {}


@pytest.mark.parametrize(
    ("window", "settings", "size", "messages"),
    [
        (None, {}, None, None),
        (1000, {}, 3498, None),
        (1000, {"max_completion_tokens": 256}, 2974, None),
        (1000, {"max_completion_tokens": 4096}, 1998, None),
        (None, {"max_prompt_tokens": 500}, 1998, None),
        (300, {"max_prompt_tokens": 500}, 1050, None),
        (None, {"truncation_strategy": {"type": "last_messages", "last_messages": 3}}, None, 3),
        (1, {"instructions": "x" * 100}, 0, None),
    ],
)
def test_the_budget_is_the_tightest_bound(
    do: Do, window: int | None, settings: dict[str, Any], size: int | None, messages: int | None
) -> None:
    run = Thread(do).start(**settings)
    assert context.budget_of(run, run.settings, window, 4) == Budget(size, messages)
