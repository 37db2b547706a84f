"""Files that are found by what they are about, with models on a real socket."""

from __future__ import annotations

import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.contract.servers import ROOT
from tests.contract.talk import Talk, until
from tests.contract.test_file_search import assistant, output, query, steps, thread
from tests.engine.scripted import answer, ask
from tests.engine.search.concepts import Concepts, concepts, texts_of
from toolkit.engine import Endpoint, Engine
from toolkit.errors import EngineError

ABOUT = {
    "kitten.md": "# Pets\n\nA kitten plays with wool.\n",
    "puppy.md": "A puppy digs holes.\n",
    "bill.md": "The bill is due in May.\n",
}


@pytest.fixture
def models() -> Iterator[Concepts]:
    with concepts() as server:
        yield server


def with_meaning(models: Concepts, **more: Any) -> dict[str, Any]:
    return {"embeddings": Endpoint(models.url), "embeddings_model": "concepts", **more}


def filled(talk: Talk, **files: str) -> Any:
    """Make a store with files, and wait until they are processed."""
    ids = [
        talk.client.files.create(file=(name, text.encode()), purpose="assistants").id
        for name, text in (files or ABOUT).items()
    ]
    store = talk.client.vector_stores.create(name="s", file_ids=ids)
    until(lambda: talk.client.vector_stores.retrieve(store.id).file_counts.in_progress == 0)
    return talk.client.vector_stores.retrieve(store.id)


def found(talk: Talk, store: Any, text: Any, **options: Any) -> list[tuple[str, float]]:
    return [(hit.filename, hit.score) for hit in talk.client.vector_stores.search(store.id, query=text, **options)]


def test_what_is_about_the_question_is_found(start: Any, models: Concepts) -> None:
    talk: Talk = start(**with_meaning(models))
    store = filled(talk)
    assert found(talk, store, "feline")[0][0] == "kitten.md"
    assert found(talk, store, "canine")[0][0] == "puppy.md"
    assert found(talk, store, ["invoice", "canine"], max_num_results=2)[0][1] > 0.4
    assert {name for name, _ in found(talk, store, ["invoice", "canine"], max_num_results=2)} == {"bill.md", "puppy.md"}
    assert "Pets\n# Pets\n\nA kitten plays with wool.\n" in models.embedded  # with the headings above it


def test_scores_are_of_words_and_nearness(begin: Any, models: Concepts) -> None:
    talk: Talk = begin(**with_meaning(models))
    store = filled(talk, **{"a.txt": "puppy", "b.txt": "zebra", "c.txt": "dog zebra"})
    scores = dict(found(talk, store, "puppy"))
    assert scores["a.txt"] == pytest.approx(0.4 * 1 / 2 + 0.6, abs=1e-3)
    assert scores["c.txt"] == pytest.approx(0.6, abs=1e-3)
    assert scores["b.txt"] < 0.2
    assert [name for name, _ in found(talk, store, "puppy", ranking_options={"score_threshold": 0.7})] == ["a.txt"]


def test_filters_count_for_what_is_near(begin: Any, models: Concepts) -> None:
    talk: Talk = begin(**with_meaning(models))
    store = filled(talk)
    [bill] = [file for file in talk.client.vector_stores.files.list(store.id) if _name(talk, file.id) == "bill.md"]
    talk.client.vector_stores.files.update(bill.id, vector_store_id=store.id, attributes={"kind": "paper"})
    only: Any = {"type": "eq", "key": "kind", "value": "paper"}
    assert [name for name, _ in found(talk, store, "feline", filters=only)] == ["bill.md"]


def test_a_model_in_a_run_finds_it_too(start: Any, models: Concepts) -> None:
    talk: Talk = start(ask(query("canine")), answer("Holes 【0:0†source】."), **with_meaning(models))
    store = filled(talk)
    files = {"file_search": {"vector_store_ids": [store.id]}}
    run = talk.runs.create_and_poll(
        thread_id=thread(talk, text="What do canines do?").id, assistant_id=assistant(talk, tool_resources=files).id
    )
    assert run.status == "completed"
    assert "A puppy digs holes." in output(talk.model.requests[1]).partition("</passage>")[0]
    assert steps(talk, run)[0].step_details.tool_calls[0].file_search.results[0].file_name == "puppy.md"


def test_a_store_tells_which_model_makes_its_vectors(start: Any, models: Concepts) -> None:
    talk: Talk = start(**with_meaning(models))
    assert talk.client.vector_stores.create(name="empty").embedding is None
    assert filled(talk).embedding == {"model": "concepts", "dimensions": 5}


def test_without_a_model_a_store_says_so(begin: Any) -> None:
    talk: Talk = begin()
    store = filled(talk)
    assert store.embedding is None
    assert found(talk, store, "feline") == []


def test_a_model_that_is_away_holds_nothing_up(
    begin: Any, models: Concepts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("toolkit.engine.embedding._PATIENCE_S", 0.1)
    monkeypatch.setattr("toolkit.engine.embedding._REST_S", 0.3)
    monkeypatch.setattr("toolkit.engine.search.retrieving._REST_S", 0.1)
    models.status = 503
    talk: Talk = begin(**with_meaning(models))
    store = filled(talk)
    assert store.file_counts.completed == 3
    assert [name for name, _ in found(talk, store, "kitten")] == ["kitten.md"]
    assert found(talk, store, "feline") == []
    models.status = 200
    until(lambda: found(talk, store, "feline")[:1] and found(talk, store, "feline")[0][0] == "kitten.md")
    models.status = 503  # the vectors are there, but the question's cannot be made
    assert [name for name, _ in found(talk, store, "kitten")] == ["kitten.md"]
    assert "the embedding model does not answer (server_error)" in caplog.text
    assert "searches do without the model concepts" in caplog.text
    assert "wool" not in caplog.text


def test_files_of_before_get_vectors_when_a_model_is_chosen(tmp_path: Path, models: Concepts, begin: Any) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    talk: Talk = begin(store=url)
    store = filled(talk)
    talk.engine.close()
    talk = begin(store=url, **with_meaning(models))
    until(lambda: found(talk, store, "feline")[:1] and found(talk, store, "feline")[0][0] == "kitten.md")
    assert len(models.embedded) >= 3


def test_another_model_takes_over_while_the_old_one_serves(tmp_path: Path, models: Concepts, begin: Any) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    talk: Talk = begin(store=url, **with_meaning(models))
    store = filled(talk)
    talk.engine.close()
    models.asked.clear()
    talk = begin(store=url, **with_meaning(models, embeddings_model="wide"))
    while talk.client.vector_stores.retrieve(store.id).embedding["model"] != "wide":
        assert found(talk, store, "feline")[0][0] == "kitten.md"
    assert talk.client.vector_stores.retrieve(store.id).embedding == {"model": "wide", "dimensions": 6}
    until(lambda: _embedders(tmp_path / "a.db") == {2})
    models.asked.clear()
    assert found(talk, store, "feline")[0][0] == "kitten.md"
    assert [body["model"] for _, body in models.asked] == ["wide"]


def test_a_model_of_the_same_name_with_other_vectors(tmp_path: Path, models: Concepts, begin: Any) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/a.db", **with_meaning(models))
    store = filled(talk)
    models.more = 2
    assert found(talk, store, "feline") == []  # not what is compared with the vectors that are there
    later = talk.client.files.create(file=("late.md", b"Cats sleep."), purpose="assistants")
    talk.client.vector_stores.files.create_and_poll(later.id, vector_store_id=store.id)
    until(lambda: _embedders(tmp_path / "a.db") == {2})
    assert {name for name, _ in found(talk, store, "feline", max_num_results=2)} == {"kitten.md", "late.md"}
    assert talk.client.vector_stores.retrieve(store.id).embedding == {"model": "concepts", "dimensions": 7}


def test_what_is_removed_is_not_found_by_its_vectors(begin: Any, models: Concepts, tmp_path: Path) -> None:
    talk: Talk = begin(store=f"sqlite:///{tmp_path}/a.db", **with_meaning(models))
    store = filled(talk)
    assert found(talk, store, "feline")[0][0] == "kitten.md"
    [kitten] = [file for file in talk.client.vector_stores.files.list(store.id) if _name(talk, file.id) == "kitten.md"]
    talk.client.vector_stores.files.delete(kitten.id, vector_store_id=store.id)
    assert "kitten.md" not in dict(found(talk, store, "feline"))
    talk.client.vector_stores.delete(store.id)
    until(lambda: _embedders(tmp_path / "a.db") == set())


def test_a_reranking_model_has_the_last_word(start: Any, models: Concepts) -> None:
    talk: Talk = start(reranker=Endpoint(models.url), reranking_model="concepts")
    store = filled(talk, **{"a.txt": "the animal: kitten", "b.txt": "the animal: puppy puppy", "c.txt": "the animal"})
    assert found(talk, store, "animal dog") == [("b.txt", 0.032), ("a.txt", 0.0), ("c.txt", 0.0)]
    assert [body["query"] for path, body in models.asked if path.endswith("/rerank")] == ["animal dog"]
    assert texts_of(models.asked) == []
    models.status = 500
    assert len(found(talk, store, "animal dog")) == 3


def test_models_by_the_names_of_the_engine(begin: Any, models: Concepts) -> None:
    endpoints = {"local": Endpoint(models.url)}
    told = {"embeddings_model": "local/concepts", "reranking_model": "local/concepts", "models": {"*": "offline"}}
    talk: Talk = begin(endpoints=endpoints, **told)
    store = filled(talk)
    assert store.embedding == {"model": "concepts", "dimensions": 5}
    assert found(talk, store, "feline")[0][0] == "kitten.md"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"embeddings_model": "m"}, "The model 'm' is at no endpoint. Give one: model_url, endpoints or embeddings."),
        ({"reranking_model": "m"}, "The model 'm' is at no endpoint. Give one: model_url, endpoints or reranker."),
        ({"embeddings_model": "offline"}, "The model 'offline' is at no endpoint."),
        ({"embeddings": Endpoint("http://x/v1")}, "Which model makes the vectors? Give an Engine `embeddings_model`"),
        ({"reranker": Endpoint("http://x/v1")}, "Which model puts passages in order? Give an Engine `reranking_model`"),
    ],
)  # fmt: skip
def test_models_that_are_not_there(settings: Any, said: str) -> None:
    with pytest.raises(EngineError) as error:
        Engine("sqlite:///:memory:", **settings)
    assert str(error.value).startswith(said)


def test_the_same_text_is_not_sent_twice(begin: Any, models: Concepts) -> None:
    talk: Talk = begin(**with_meaning(models))
    store = filled(talk)
    before = len(models.embedded)
    [kitten] = [file for file in talk.client.vector_stores.files.list(store.id) if _name(talk, file.id) == "kitten.md"]
    other = talk.client.vector_stores.create(name="other", file_ids=[kitten.id])
    until(lambda: talk.client.vector_stores.retrieve(other.id).file_counts.completed == 1)
    assert len(models.embedded) == before
    assert [name for name, _ in found(talk, other, "feline")] == ["kitten.md"]


def _name(talk: Talk, file_id: str) -> str:
    return str(talk.client.files.retrieve(file_id).filename)


def _embedders(path: Path) -> set[int]:
    """Which models there are vectors of."""
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT DISTINCT embedder FROM vector_block")}


def test_kill_9_while_files_get_their_vectors(tmp_path: Path, models: Concepts) -> None:
    """Whenever it comes, every file is completed once, with one vector for each of its chunks."""
    path = tmp_path / "a.db"
    files = 40
    store_id = ""
    for round_ in range(4):
        with _serving(path, models) as (process, client):
            if not store_id:
                made = [
                    client.files.create(file=(f"{n}.txt", f"Kitten {n}. ".encode() * 900), purpose="assistants").id
                    for n in range(files)
                ]
                store_id = client.vector_stores.create(name="s", file_ids=made).id
            if round_ < 3:
                done = client.vector_stores.retrieve(store_id).file_counts.completed
                until(lambda done=done: client.vector_stores.retrieve(store_id).file_counts.completed > done + 3)
                process.kill()
            else:
                until(lambda: client.vector_stores.retrieve(store_id).file_counts.completed == files, 60)
                found = list(client.vector_stores.search(store_id, query="feline", max_num_results=50))
                assert len({hit.filename for hit in found}) > 20
                assert client.vector_stores.retrieve(store_id).file_counts.total == files
    with closing(sqlite3.connect(path)) as connection:
        blocks = connection.execute("SELECT store_file, chunks FROM vector_block").fetchall()
        vectors = [(file, seq) for file, chunks in blocks for (seq,) in struct.iter_unpack("<q", chunks)]
        chunks = connection.execute("SELECT store_file, seq FROM chunk").fetchall()
    assert sorted(vectors) == sorted(chunks)
    assert len(vectors) > files


@contextmanager
def _serving(path: Path, models: Concepts) -> Iterator[tuple[subprocess.Popen[str], OpenAI]]:
    command = [sys.executable, "-c", "from toolkit.cli import main; main()", "serve", "--port", "0"]
    command += ["--store", f"sqlite:///{path}", "--embeddings-url", models.url, "--embeddings-model", "concepts"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with OpenAI(base_url=process.stdout.readline().strip(), api_key="none") as client:
                yield process, client
        finally:
            process.kill()
