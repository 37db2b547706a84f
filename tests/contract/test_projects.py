"""Who is let in, and what they see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import AuthenticationError, NotFoundError, OpenAI

from tests.contract.doors import served
from tests.engine.scripted import Scripted, answer
from toolkit.engine import Engine

KEYS = {"key-one": "one", "key-one-new": "one", "key-two": "two", "plain": "default"}


@pytest.fixture(scope="module")
def engine() -> Iterator[tuple[Engine, str]]:
    with Engine("sqlite:///:memory:", model=Scripted([answer("Hi")]), api_keys=KEYS) as engine:
        with served(engine.app) as address:
            yield engine, address


def client(address: str, key: str, **options: Any) -> Any:
    return OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0, **options)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_projects_see_nothing_of_each_other(engine: tuple[Engine, str]) -> None:
    _, address = engine
    one, other = client(address, "key-one").beta, client(address, "key-two").beta
    assistant = one.assistants.create(model="m")
    thread = one.threads.create(messages=[{"role": "user", "content": "secret"}])
    run = one.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    message = one.threads.messages.list(thread.id).data[0]
    mine = other.threads.create()
    assert other.assistants.list().data == []
    for call in (
        lambda: other.assistants.retrieve(assistant.id),
        lambda: other.assistants.update(assistant.id, name="mine"),
        lambda: other.assistants.delete(assistant.id),
        lambda: other.threads.retrieve(thread.id),
        lambda: other.threads.update(thread.id, metadata={}),
        lambda: other.threads.delete(thread.id),
        lambda: other.threads.messages.list(thread.id),
        lambda: other.threads.messages.create(thread.id, role="user", content="x"),
        lambda: other.threads.messages.retrieve(message.id, thread_id=thread.id),
        lambda: other.threads.messages.retrieve(message.id, thread_id=mine.id),
        lambda: other.threads.messages.delete(message.id, thread_id=thread.id),
        lambda: other.threads.runs.list(thread.id),
        lambda: other.threads.runs.retrieve(run.id, thread_id=thread.id),
        lambda: other.threads.runs.cancel(run.id, thread_id=thread.id),
        lambda: other.threads.runs.steps.list(run.id, thread_id=thread.id),
        lambda: other.threads.runs.create(thread.id, assistant_id=assistant.id),
        lambda: other.threads.runs.create(mine.id, assistant_id=assistant.id),
        lambda: other.threads.create_and_run(assistant_id=assistant.id),
    ):
        with pytest.raises(NotFoundError):
            call()


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_a_new_key_of_a_project_sees_what_the_old_one_made(engine: tuple[Engine, str]) -> None:
    inside, address = engine
    made = client(address, "key-one").beta.threads.create()
    assert client(address, "key-one-new").beta.threads.retrieve(made.id).id == made.id
    assert inside.client(project="one").beta.threads.retrieve(made.id).id == made.id
    with pytest.raises(NotFoundError):
        inside.client().beta.threads.retrieve(made.id)
    plain = client(address, "plain").beta.threads.create()
    assert inside.client().beta.threads.retrieve(plain.id).id == plain.id


def test_a_wrong_key_is_refused_everywhere(engine: tuple[Engine, str]) -> None:
    _, address = engine
    with pytest.raises(AuthenticationError) as wrong:
        client(address, "key-three").models.list()
    assert (wrong.value.status_code, wrong.value.code) == (401, "invalid_api_key")
    assert "key-three" not in str(wrong.value)
    with pytest.raises(AuthenticationError, match="You didn't provide an API key"):
        client(address, "key", default_headers={"Authorization": ""}).models.list()


def test_a_project_named_by_a_header_is_no_way_in(engine: tuple[Engine, str]) -> None:
    _, address = engine
    made = client(address, "key-one").post("/threads", cast_to=object, body={})
    other = client(address, "key-two", project="one", organization="one")
    with pytest.raises(NotFoundError):
        other.get(f"/threads/{made['id']}", cast_to=object)
