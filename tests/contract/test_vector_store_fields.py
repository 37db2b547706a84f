"""What each field of vector stores, their files, batches and searches does, by the official client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.doors import DOORS
from tests.contract.talk import Talk

# The client of the module lives longer than a test, and pytest forgets its filter at the end of the first.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

STATIC: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 10}}
NAMES = {"cats": "A cat is a small animal.", "dogs": "A dog is a loyal animal.", "rocks": "A rock is no animal at all."}


@pytest.fixture(scope="module")
def talk() -> Iterator[Talk]:
    with Talk(DOORS[0], [[]], {}) as talk:
        yield talk
    assert talk.inspector.problems == []


@pytest.fixture
def file(talk: Talk) -> Callable[[str], str]:
    """Make a file with a text: `file(text)` gives its id."""

    def make(text: str) -> str:
        made: str = talk.client.files.create(file=("a.txt", text.encode()), purpose="assistants").id
        return made

    return make


@pytest.fixture
def zoo(talk: Talk, file: Any) -> tuple[str, dict[str, str]]:
    """Give a store of three files with attributes, and their ids by name."""
    store = talk.client.vector_stores.create()
    ids = {name: file(text) for name, text in NAMES.items()}
    for legs, (name, id_) in enumerate(ids.items()):
        about: Any = {"name": name, "legs": 4 if legs < 2 else 0, "alive": legs < 2}
        talk.client.vector_stores.files.create_and_poll(id_, vector_store_id=store.id, attributes=about)
    return store.id, ids


def found(talk: Talk, store: str, query: Any, **more: Any) -> list[str]:
    return [result.file_id for result in talk.client.vector_stores.search(store, query=query, **more)]


def test_a_new_store_is_as_was_asked(talk: Talk, file: Any) -> None:
    stores = talk.client.vector_stores
    after: Any = {"anchor": "last_active_at", "days": 3}
    kept = {"name": "Zoo", "description": "Animals.", "metadata": {"key": "value"}}
    made = stores.create(**kept, expires_after=after, file_ids=[file("one"), file("two")], chunking_strategy=STATIC)
    shown = made.to_dict()
    assert {name: shown[name] for name in kept} == kept
    assert (shown["expires_after"], shown["expires_at"]) == (after, made.created_at + 3 * 86400)
    assert made.file_counts.total == 2
    files = list(stores.files.list(made.id))
    assert [one.chunking_strategy.to_dict() for one in files if one.chunking_strategy] == [STATIC] * 2


def test_an_update_changes_what_it_names(talk: Talk) -> None:
    stores = talk.client.vector_stores
    made = stores.create(name="Zoo", metadata={"a": "1"})
    after: Any = {"anchor": "last_active_at", "days": 3}
    changed = stores.update(made.id, name="Ark", metadata={"b": "2"}, expires_after=after)
    assert (changed.name, changed.metadata, changed.expires_after.days) == ("Ark", {"b": "2"}, 3)
    assert stores.update(made.id, expires_after=None).expires_at is None
    assert stores.retrieve(made.id).name == "Ark"


def test_a_file_keeps_its_attributes_and_how_it_is_cut(talk: Talk, file: Any) -> None:
    stores = talk.client.vector_stores
    place: Any = {"vector_store_id": stores.create().id}
    long = file("A sentence of some words. " * 200)
    about: Any = {"key": "value", "number": 1.5, "true": True}
    made = stores.files.create_and_poll(long, **place, attributes=about, chunking_strategy=STATIC)
    assert made.attributes == about
    assert made.chunking_strategy.to_dict() == STATIC
    pieces = list(stores.search(place["vector_store_id"], query="sentence", max_num_results=50))
    assert len(pieces) > 5, "in pieces of 100 tokens"
    assert stores.files.update(long, **place, attributes={"key": "other"}).attributes == {"key": "other"}
    assert stores.files.update(long, **place, attributes=None).attributes == {}


def test_a_batch_has_files_all_alike_or_each_its_own(talk: Talk, file: Any) -> None:
    stores = talk.client.vector_stores
    place: Any = {"vector_store_id": stores.create().id}
    one, two, three = (file(text) for text in ("one", "two", "three"))
    more: Any = {"attributes": {"key": "value"}, "chunking_strategy": STATIC}
    alike = stores.file_batches.create_and_poll(**place, file_ids=[one, two], **more)
    assert alike.file_counts.completed == 2
    own = stores.file_batches.create_and_poll(**place, files=[{"file_id": three, "attributes": {"key": "own"}}])
    assert own.file_counts.completed == 1
    shown = {each.id: each for each in stores.files.list(**place)}
    assert [shown[id_].attributes for id_ in (one, two, three)] == [{"key": "value"}] * 2 + [{"key": "own"}]
    assert shown[one].chunking_strategy.to_dict() == STATIC


def test_lists_are_filtered_by_status(talk: Talk, file: Any) -> None:
    stores = talk.client.vector_stores
    place: Any = {"vector_store_id": stores.create().id}
    good = file("text")
    bad = talk.client.files.create(file=("a.png", b"\x89PNG\r\n\x1a\n\xff\xfe"), purpose="assistants").id
    batch = stores.file_batches.create_and_poll(**place, file_ids=[good, bad])
    for listed in (stores.files.list, lambda **query: stores.file_batches.list_files(batch.id, **query)):
        for status, ids in (("completed", [good]), ("failed", [bad]), ("cancelled", []), ("in_progress", [])):
            assert [each.id for each in listed(**place, filter=status)] == ids


def test_a_search_takes_a_query_or_several(talk: Talk, zoo: Any) -> None:
    store, ids = zoo
    assert found(talk, store, "loyal")[:1] == [ids["dogs"]]
    assert set(found(talk, store, ["small", "loyal"])[:2]) == {ids["cats"], ids["dogs"]}
    assert len(found(talk, store, "animal", max_num_results=1)) == 1
    assert len(found(talk, store, "animal")) == 3


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"type": "eq", "key": "name", "value": "cats"}, {"cats"}),
        ({"type": "ne", "key": "alive", "value": True}, {"rocks"}),
        ({"type": "gte", "key": "legs", "value": 4}, {"cats", "dogs"}),
        ({"type": "lt", "key": "legs", "value": 4}, {"rocks"}),
        ({"type": "in", "key": "name", "value": ["dogs", "rocks"]}, {"dogs", "rocks"}),
        (
            {
                "type": "and",
                "filters": [
                    {"type": "gt", "key": "legs", "value": 0},
                    {"type": "nin", "key": "name", "value": ["cats"]},
                ],
            },
            {"dogs"},
        ),
    ],
)
def test_a_search_is_filtered_by_attributes(talk: Talk, zoo: Any, filters: Any, names: set[str]) -> None:
    store, ids = zoo
    assert set(found(talk, store, "animal", filters=filters)) == {ids[name] for name in names}


def test_scores_have_a_threshold_and_queries_are_rewritten_on_demand(talk: Talk, zoo: Any) -> None:
    store, ids = zoo
    search = talk.client.vector_stores.search
    scores = {result.file_id: result.score for result in search(store, query="small animal")}
    best = scores[ids["cats"]]
    assert found(talk, store, "small animal", ranking_options={"ranker": "auto", "score_threshold": best}) == [
        ids["cats"]
    ]
    question = "What is a loyal animal?"
    plain = search(store, query=question, rewrite_query=False)
    assert plain.to_dict()["search_query"] == [question]
    rewritten = search(store, query=question, rewrite_query=True).to_dict()["search_query"]
    assert rewritten != [question]
    assert "loyal" in rewritten[0]
