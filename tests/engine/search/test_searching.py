from __future__ import annotations

import json
from math import log
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.contract.official import assert_official
from tests.engine.filled_stores import NOW, Do, add, claim, end, new_file, new_store, search, write
from toolkit.engine.objects import store_files, vector_stores
from toolkit.engine.objects.invalid import refusal
from toolkit.engine.objects.store_files import CreateStoreFile, Failure
from toolkit.engine.search import searching
from toolkit.engine.search.searching import Search
from toolkit.engine.store import Row, Tx
from toolkit.errors import Refused

FAILED = Failure("server_error", "no")


def page(do: Do, store_id: str, query: Any, *, project: str = "p", now: int = NOW, **more: Any) -> Any:
    request = Search(query=query, **more)
    found = json.loads(do(lambda tx: search(tx, project, store_id, request, now)))
    assert_official("VectorStoreSearchResultsPage", found)
    return found


def found(do: Do, store_id: str, query: Any, **more: Any) -> list[tuple[str, float]]:
    """Search, and give the text and score of each result."""
    items = page(do, store_id, query, **more)["data"]
    return [(item["content"][0]["text"], item["score"]) for item in items]


def texts(do: Do, store_id: str, query: Any, **more: Any) -> list[str]:
    return [text for text, _ in found(do, store_id, query, **more)]


def weight(chunks: int, having: int) -> float:
    return log(1 + (chunks + 1) / (having + 1))


def test_what_an_answer_looks_like(do: Do) -> None:
    store_id = new_store(do)
    file_id = add(do, store_id, "Cats purr.", name="cats.md", attributes={"kind": "pet", "legs": 4})
    assert page(do, store_id, "cats") == {
        "object": "vector_store.search_results.page",
        "search_query": ["cats"],
        "data": [
            {
                "file_id": file_id,
                "filename": "cats.md",
                "score": 0.5,
                "attributes": {"kind": "pet", "legs": 4},
                "content": [{"type": "text", "text": "Cats purr."}],
            }
        ],
        "has_more": False,
        "next_page": None,
    }
    assert page(do, store_id, "dogs")["data"] == []


def test_a_score_is_the_share_of_the_words(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "alpha beta", "beta alone", "gamma")
    alpha, beta = weight(3, 1), weight(3, 2)
    assert found(do, store_id, "alpha beta") == [
        ("alpha beta", 0.6),
        ("beta alone", round(0.4 * beta / (alpha + beta), 4)),
    ]
    nobody = weight(3, 0)
    assert found(do, store_id, "alpha unknown") == [("alpha beta", round(0.4 * alpha / (alpha + nobody), 4))]


def test_words_that_stand_near_each_other_as_in_the_question_count_more(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "A dog. It is as big as a cat.", "My dog, no cat.", "A dog cat", "dog")
    assert [text for text, _ in found(do, store_id, "the cat and dog")] == [
        "A dog cat",
        "My dog, no cat.",
        "A dog. It is as big as a cat.",
        "dog",
    ]
    assert [score for _, score in found(do, store_id, "cat dog")][:2] == [0.6, 0.5]


def test_a_word_that_stands_there_again_counts_more(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "cat. dog", "cat, cat; dog", "cat cat cat cat dog")
    assert found(do, store_id, "cat") == [
        ("cat cat cat cat dog", 0.8),
        ("cat, cat; dog", 0.6667),
        ("cat. dog", 0.5),
    ]


def test_a_word_that_stands_there_again_may_outweigh_another_word(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "cat cat cat", "cat one two three dog", "dog", "dog")
    cat, dog = weight(4, 2), weight(4, 3)
    assert found(do, store_id, "cat dog")[:2] == [
        ("cat one two three dog", 0.45),
        ("cat cat cat", round(0.8 * 0.75 * cat / (cat + dog), 4)),
    ]
    add(do, store_id, *["dog"] * 20)
    assert texts(do, store_id, "cat dog")[:2] == ["cat cat cat", "cat one two three dog"]


def test_what_is_equally_good_comes_in_the_order_of_the_files(do: Do) -> None:
    store_id = new_store(do)
    for number in range(5):
        add(do, store_id, f"cat {number}")
    assert texts(do, store_id, "cat") == [f"cat {number}" for number in range(5)]
    assert texts(do, store_id, "cat", max_num_results=2) == ["cat 0", "cat 1"]


def test_other_stores_do_not_matter(do: Do) -> None:
    """Neither those of the same project nor those of others: what is in them shows in nothing."""
    store_id = new_store(do)
    add(do, store_id, "alpha beta", "beta", "gamma delta")
    before = found(do, store_id, "alpha beta gamma")
    for project in ("p", "other"):
        other = new_store(do, project=project)
        add(do, other, *["alpha gamma"] * 30, "alpha beta gamma", project=project)
    assert found(do, store_id, "alpha beta gamma") == before


def test_only_what_is_completed_is_found(do: Do) -> None:
    store_id = new_store(do)
    complete = add(do, store_id, "cat one")
    half, failed = new_file(do), new_file(do)
    for file_id in (half, failed):
        request = CreateStoreFile(file_id=file_id)
        do(lambda tx, request=request: store_files.create(tx, "p", store_id, request, NOW))
    do(lambda tx: write(tx, claim(tx, store_id, half), ["cat two"]))
    end(do, store_id, failed, "cat three", failure=FAILED)
    assert texts(do, store_id, "cat") == ["cat one"]
    end(do, store_id, half)
    assert texts(do, store_id, "cat") == ["cat one", "cat two"]
    do(lambda tx: store_files.delete(tx, "p", store_id, complete))
    assert texts(do, store_id, "cat") == ["cat two"], "though its chunks may be there still"


def test_filters_choose_the_files(do: Do) -> None:
    store_id = new_store(do)
    for number in range(200):
        add(do, store_id, f"cat {number}", attributes={"number": number, "even": number % 2 == 0})
    add(do, store_id, "cat without")
    above: Any = {"type": "gt", "key": "number", "value": 197}
    assert texts(do, store_id, "cat", filters=above) == ["cat 198", "cat 199"]
    both: Any = {"type": "and", "filters": [above, {"type": "eq", "key": "even", "value": False}]}
    assert texts(do, store_id, "cat", filters=both) == ["cat 199"]
    none: Any = {"type": "ne", "key": "even", "value": True}
    assert len(texts(do, store_id, "cat", filters=none, max_num_results=50)) == 50
    assert texts(do, store_id, "cat", filters={"type": "eq", "key": "other", "value": 1}) == []


def test_several_queries_find_what_any_of_them_finds(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "cats purr", "dogs bark", "cows")
    assert texts(do, store_id, ["dogs bark", "cats"]) == ["dogs bark", "cats purr"]
    both = page(do, store_id, ["cats meow", "cats"])
    assert (both["search_query"], [item["score"] for item in both["data"]]) == (["cats meow", "cats"], [0.5])


def test_results_below_a_score_are_left_out(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "cats purr", "cats")
    assert len(texts(do, store_id, "cats purr")) == 2
    assert texts(do, store_id, "cats purr", ranking_options={"score_threshold": 0.5}) == ["cats purr"]
    assert texts(do, store_id, "cats purr", ranking_options={"score_threshold": 1, "ranker": "auto"}) == []
    assert len(texts(do, store_id, "cats purr", ranking_options={"score_threshold": None, "ranker": "none"})) == 2


def test_a_rewritten_query_is_told(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, "Paris is the capital of France.")
    asked = page(do, store_id, ["What is the capital of France?", "?!"], rewrite_query=True)
    assert asked["search_query"] == ["capital france", "?!"]
    assert len(asked["data"]) == 1
    assert page(do, store_id, "What is it?", rewrite_query=False)["search_query"] == ["What is it?"]


def test_chunks_that_overlap_do_not_say_the_same_twice(do: Do) -> None:
    store_id, file_id = new_store(do), new_file(do)
    do(lambda tx: store_files.create(tx, "p", store_id, CreateStoreFile(file_id=file_id), NOW))
    text = "cats purr loudly. " + "dogs bark at cats. " + "cows give milk to cats."

    def work(tx: Tx) -> None:
        row = claim(tx, store_id, file_id)
        for start, stop in ((0, 37), (18, len(text))):
            write(tx, row, [text[start:stop]], start)

    do(work)
    end(do, store_id, file_id)
    assert texts(do, store_id, "cats purr") == [text[:37], text[37:]]


def test_a_store_that_is_not_there_or_whose_time_is_up_is_not_searched(do: Do) -> None:
    store_id = new_store(do, days=1)
    for now, project, status in ((NOW, "other", 404), (NOW + 86400, "p", 400)):
        with pytest.raises(Refused) as error:
            page(do, store_id, "x", project=project, now=now)
        assert error.value.status == status
    assert page(do, store_id, "x", now=NOW + 86399)["data"] == []
    do(lambda tx: vector_stores.empty_expired(tx, NOW + 86400, limit=1))
    with pytest.raises(Refused, match="has expired"):
        page(do, store_id, "x", now=NOW)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "query"),
        ({"query": ""}, "empty_string", "query"),
        ({"query": []}, "empty_array", "query"),
        ({"query": [""]}, "empty_string", "query[0]"),
        ({"query": ["x"] * 33}, "array_above_max_length", "query"),
        ({"query": "x" * 16_385}, "string_above_max_length", "query"),
        ({"query": 1}, "invalid_type", "query"),
        ({"query": {}}, "invalid_type", "query"),
        ({"query": None}, "invalid_type", "query"),
        ({"query": ["x", {}]}, "invalid_type", "query[1]"),
        ({"query": "x", "max_num_results": 0}, "integer_below_min_value", "max_num_results"),
        ({"query": "x", "max_num_results": 51}, "integer_above_max_value", "max_num_results"),
        ({"query": "x", "ranking_options": {"score_threshold": 1.1}}, "decimal_above_max_value", None),
        ({"query": "x", "ranking_options": {"score_threshold": -0.1}}, "decimal_below_min_value", None),
        ({"query": "x", "ranking_options": {"ranker": "best"}}, "invalid_value", "ranking_options.ranker"),
        ({"query": "x", "filters": {"type": "eq", "key": "a"}}, "missing_required_parameter", "filters.value"),
        ({"query": "x", "more": 1}, "unknown_parameter", "more"),
    ],
)
def test_what_cannot_be_asked(body: Any, code: str, param: str | None) -> None:
    with pytest.raises(ValidationError) as error:
        Search.model_validate(body)
    refused = refusal(error.value)
    assert (refused.code, refused.param) == (code, param or "ranking_options.score_threshold")


ODD = st.text(max_size=60) | st.text(st.sampled_from("\"'*^:()+-{}\0\n a東🙂"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ODD.filter(bool), min_size=1, max_size=4))
def test_any_question_is_answered(do: Do, queries: list[str]) -> None:
    [store_id] = do(lambda tx: [row["id"] for row in tx.all("vector_store.page_asc", **EVERYTHING)]) or [new_store(do)]
    if page(do, store_id, "cat")["data"] == []:
        add(do, store_id, "a cat 東京 and more")
    answer = page(do, store_id, queries)
    assert answer["search_query"] == queries
    assert all(0 < item["score"] <= 1 for item in answer["data"])


EVERYTHING: Any = {"project": "p", "low_at": -1, "low_seq": -1, "high_at": 2**62, "high_seq": 2**62, "limit": 1}

OPERATORS = [
    '"',
    "NEAR(cat dog)",
    "cat AND dog",
    "cat OR",
    "NOT cat",
    "cat*",
    "^cat",
    "words : cat",
    "store : s1",
    "-cat",
]


@pytest.mark.parametrize("query", [*OPERATORS, "cat\0dog", "🙂", "水", "cat " * 4096, "x" * 16_384, "(((((" * 3000])
def test_nothing_in_a_question_is_an_operator(do: Do, query: str) -> None:
    store_id = new_store(do)
    add(do, store_id, "cat and dog and s1 and 水道", "words near store")
    for item in page(do, store_id, query)["data"]:
        assert 0 < item["score"] <= 1
    assert len(page(do, store_id, "cat")["data"]) == 1


class Counted:
    """A transaction that counts what it is asked."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self.statements: list[str] = []

    def one(self, name: str, **values: Any) -> Row | None:
        self.statements.append(name)
        return self._tx.one(name, **values)

    def all(self, name: str, **values: Any) -> Any:
        self.statements.append(name)
        return self._tx.all(name, **values)

    def run(self, name: str, **values: Any) -> int:
        return self._tx.run(name, **values)


def test_no_question_asks_the_index_for_too_much(do: Do) -> None:
    store_id = new_store(do)
    add(do, store_id, *(" ".join(f"word{number}" for number in range(64)) for _ in range(300)))
    request = Search(query=[" ".join(f"word{number}x{query}" for number in range(200)) for query in range(32)])
    selective: Any = {"type": "eq", "key": "a", "value": 1}
    wide = Search(query=" ".join(f"word{number}" for number in range(200)), filters=selective)

    def asked(tx: Tx, request: Search) -> int:
        counted = Counted(tx)
        search(counted, "p", store_id, request, NOW)
        return len(counted.statements)

    assert do(lambda tx: asked(tx, request)) <= 256 + 2 * 32 + 10
    assert do(lambda tx: asked(tx, wide)) <= 64 + 10


def test_a_word_that_very_many_chunks_have_finds_none_by_itself(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_COMMON", 3)
    store_id = new_store(do)
    add(do, store_id, *["common"] * 6, "rare common", "other rare", "common plain", "common plain thing")
    assert texts(do, store_id, "common rare")[:2] == ["rare common", "other rare"]
    assert {text for text, score in found(do, store_id, "common rare")} == {"rare common", "other rare"}
    assert len(texts(do, store_id, "common")) == 9  # unless it is the only one
    scores = dict(found(do, store_id, "common rare"))
    assert scores["rare common"] == 0.6  # it counts where others are found
    assert scores["rare common"] > scores["other rare"]


def test_common_words_find_together(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_COMMON", 3)
    store_id = new_store(do)
    add(do, store_id, *["red"] * 5, *["blue"] * 5, "red blue", "rare")
    assert texts(do, store_id, "red blue rare") == ["red blue", "rare"]


@pytest.mark.parametrize("spread", [1, 7])
def test_how_common_a_word_is_is_judged_by_its_first_chunks(
    do: Do, monkeypatch: pytest.MonkeyPatch, spread: int
) -> None:
    store_id = new_store(do)
    add(do, store_id, *(["often"] + ["never"] * (spread - 1)) * 40, "rare often")
    whole = dict(found(do, store_id, "often rare"))["rare often"]
    monkeypatch.setattr(searching, "_COMMON", 20)
    assert dict(found(do, store_id, "often rare"))["rare often"] == whole
    other = dict(found(do, store_id, "often rare nothing"))["rare often"]
    monkeypatch.setattr(searching, "_COMMON", 1000)
    assert other == pytest.approx(dict(found(do, store_id, "often rare nothing"))["rare often"], abs=0.02)
