"""Vectors from servers that take few texts, or short ones, or answer otherwise than they should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.engine.endpoint.listener import Answering, Asked, Said, refusal, serving
from toolkit.engine.endpoint.embeddings import Embeddings
from toolkit.engine.model import ModelError

Vectors = Sequence[Sequence[float]]


def said(answer: Any) -> Said:
    return Said([json.dumps(answer).encode()], headers={"Content-Type": "application/json"}, framing="length")


def lengths(asked: Asked) -> Said:
    """Answer with vectors that tell how long each text is, in reverse order."""
    data = [{"index": at, "embedding": [len(text), 1]} for at, text in enumerate(asked.body["input"])]
    return said({"object": "list", "data": data[::-1]})


def embed(answering: Answering, *batches: Sequence[str]) -> tuple[list[Vectors], list[Asked]]:
    async def main() -> tuple[list[Vectors], list[Asked]]:
        async with serving(answering) as (server, endpoint):
            embeddings = Embeddings(endpoint)
            return [await embeddings.embed("m", texts) for texts in batches], server.asked

    return asyncio.run(main())


def refused(answering: Answering, *texts: str) -> tuple[ModelError, int]:
    async def main() -> tuple[ModelError, int]:
        async with serving(answering) as (server, endpoint):
            with pytest.raises(ModelError) as error:
                await Embeddings(endpoint).embed("m", texts)
            return error.value, len(server.asked)

    return asyncio.run(main())


def test_vectors_come_in_the_order_of_the_texts() -> None:
    [vectors], [asked] = embed(lengths, ["a", "bb", " "])
    assert vectors == [[1, 1], [2, 1], [1, 1]]
    assert asked.line == "POST /v1/embeddings HTTP/1.1"
    assert asked.body == {"model": "m", "input": ["a", "bb", "."]}


def test_many_texts_are_sent_in_parts() -> None:
    [vectors], asked = embed(lengths, ["x" * n for n in range(1, 150)])
    assert [vector[0] for vector in vectors] == list(range(1, 150))
    assert [len(each.body["input"]) for each in asked] == [64, 64, 21]


def most(texts: int) -> Callable[[Asked], Said]:
    """Answer so many texts at once, as Hugging Face's server does."""

    def answer(asked: Asked) -> Said:
        if len(asked.body["input"]) > texts:
            return refusal(422, {"error": f"batch size {len(asked.body['input'])} > {texts}", "type": "Validation"})
        return lengths(asked)

    return answer


def test_a_server_that_takes_few_texts_at_once() -> None:
    texts = ["x" * n for n in range(1, 41)]
    [first, second], asked = embed(most(10), texts, texts)
    assert [vector[0] for vector in first] == [vector[0] for vector in second] == list(range(1, 41))
    sizes = [len(each.body["input"]) for each in asked]
    assert sizes[:3] == [40, 20, 10]
    assert sizes[-4:] == [10] * 4  # it is remembered


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: refusal(400, {"error": {"message": "This model's maximum context length is 100 tokens."}}),
        lambda: refusal(413, {"error": "Input validation error: `inputs` must have less than 100 tokens"}),
        lambda: refusal(500, {"error": {"message": "input is too large to process. increase the batch size"}}),
    ],
)
def test_a_text_that_is_too_long_is_cut(refuse: Callable[[], Said]) -> None:
    def answer(asked: Asked) -> Said:
        return refuse() if any(len(text) > 100 for text in asked.body["input"]) else lengths(asked)

    [vectors], _ = embed(answer, ["x", "y" * 300, "zz"])
    assert vectors == [[1, 1], [75, 1], [2, 1]]


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        {"data": [{"index": 0, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]},
        {"data": [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}]},
        {"data": [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}]},
        {"data": [{"index": 0, "embedding": [1, None]}, {"index": 1, "embedding": [1, 2]}]},
        {"data": None},
        [],
        "vectors",
        None,
    ],
)
def test_answers_without_vectors(answer: Any) -> None:
    error, _ = refused(lambda asked: said(answer), "a", "b")
    assert error.message == "The embedding model answered 2 texts without a vector for each, of one length."
    assert not error.retry


def test_an_answer_that_is_no_json() -> None:
    error, _ = refused(lambda asked: Said([b"<html>"], framing="length"), "a")
    assert error.message.endswith("/v1 answered with no JSON at /embeddings.")


def test_an_error_that_comes_as_an_answer() -> None:
    error, _ = refused(lambda asked: said({"error": {"message": "no such model", "code": 404}}), "a")
    assert "no such model" in error.message


def test_a_wrong_key_is_told() -> None:
    error, asked = refused(lambda asked: refusal(401, {"error": {"message": "wrong"}}), "a", "b", "c", "d")
    assert "refused the key (401): wrong." in error.message
    assert asked == 3  # it was looked for the text that is refused


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_once(status: int) -> None:
    error, asked = refused(lambda asked: refusal(status, {"error": {"message": "later"}}, retry_after="7"), "a", "b")
    assert (error.retry, error.retry_after_s, asked) == (True, 7, 1)
