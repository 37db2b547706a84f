from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import assistants, files, store_files, threads, vector_stores
from toolkit.engine.objects.assistants import CreateAssistant, ModifyAssistant
from toolkit.engine.objects.messages import CreateMessage
from toolkit.engine.objects.resources import attached, delete_store, image, stored
from toolkit.engine.objects.store_files import ListStoreFiles
from toolkit.engine.objects.threads import CreateThread, ModifyThread
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000
CODE, SEARCH = {"type": "code_interpreter"}, {"type": "file_search"}


def new_file(do: Do, *, project: str = "p", purpose: str = "assistants", seconds: int | None = None) -> str:
    after: Any = {"anchor": "created_at", "seconds": seconds} if seconds else None
    blob = Blob("ab" * 32, 1)
    made: str = do(lambda tx: files.create(tx, project, blob, NOW, filename="a", purpose=purpose, expires_after=after))
    return id_of(made)


def keep(do: Do, resources: Any) -> Any:
    return do(lambda tx: stored(tx, "p", "thread_a", resources, NOW))


def refused(work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    "resources",
    [
        {},
        {"code_interpreter": {"file_ids": []}},
        {"code_interpreter": {}, "file_search": {}},
        {"file_search": {"vector_store_ids": []}},
    ],
)
def test_empty_resources_are_kept_as_they_were_sent(do: Do, resources: Any) -> None:
    assert keep(do, resources) == resources


def test_nulls_mean_not_given(do: Do) -> None:
    assert keep(do, None) == {}
    assert keep(do, {"code_interpreter": None, "file_search": None}) == {}
    store = {"file_ids": None, "chunking_strategy": None, "metadata": None}
    sent: Any = {"code_interpreter": {"file_ids": None}, "file_search": {"vector_store_ids": None}}
    empty = {"code_interpreter": {}, "file_search": {}}
    for request in (
        CreateThread(tool_resources=sent),
        CreateThread(tool_resources={**sent, "file_search": {"vector_stores": None}}),
        ModifyThread(tool_resources=sent),
    ):
        assert keep(do, request.tool_resources) == empty
    made = keep(do, CreateThread(tool_resources={"file_search": {"vector_stores": [store]}}).tool_resources)
    assert len(made["file_search"]["vector_store_ids"]) == 1


@pytest.mark.parametrize(
    ("resources", "status", "message", "param"),
    [
        (
            {"code_interpreter": {"file_ids": ["file-a"]}},
            404,
            "No such File object: file-a",
            "tool_resources.code_interpreter.file_ids[0]",
        ),
        (
            {"file_search": {"vector_store_ids": ["vs_a"]}},
            404,
            "Vector store with id 'vs_a' not found.",
            "tool_resources.file_search.vector_store_ids[0]",
        ),
        (
            {"file_search": {"vector_stores": [{"file_ids": ["file-a"]}]}},
            404,
            "No such File object: file-a",
            "tool_resources.file_search.vector_stores[0].file_ids[0]",
        ),
        (
            {"file_search": {"vector_stores": [{}], "vector_store_ids": ["vs_a"]}},
            404,
            "Vector store with id 'vs_a' not found.",
            "tool_resources.file_search.vector_store_ids[0]",
        ),
    ],
)
def test_what_names_nothing_is_refused(do: Do, resources: Any, status: int, message: str, param: str) -> None:
    error = refused(lambda: keep(do, resources))
    assert (error.status, error.message, error.param) == (status, message, param)


def test_files_of_others_and_files_whose_time_is_up_are_not_there(do: Do) -> None:
    mine, theirs, old = new_file(do), new_file(do, project="other"), new_file(do, seconds=3600)
    assert keep(do, {"code_interpreter": {"file_ids": [mine, old]}}) == {"code_interpreter": {"file_ids": [mine, old]}}
    error = refused(lambda: keep(do, {"code_interpreter": {"file_ids": [mine, theirs]}}))
    assert (error.status, error.param) == (404, "tool_resources.code_interpreter.file_ids[1]")
    later: Any = {"code_interpreter": {"file_ids": [old]}}
    assert refused(lambda: do(lambda tx: stored(tx, "p", "thread_a", later, NOW + 3600))).status == 404


def test_attachments_name_files_that_are_there(do: Do) -> None:
    mine = new_file(do)
    both = [CODE, SEARCH]
    given: Any = [{"file_id": mine, "tools": both}, {"file_id": mine}, {"file_id": mine, "tools": None}]
    kept, files = do(lambda tx: attached(tx, "p", given, NOW))
    assert kept == [{"file_id": mine, "tools": both}, *[{"file_id": mine, "tools": []}] * 2]
    assert files == ([mine], [mine])
    error = refused(lambda: do(lambda tx: attached(tx, "p", [{"file_id": "file-a"}], NOW)))
    assert (error.status, error.message, error.param) == (
        404,
        "No such File object: file-a",
        "attachments[0].file_id",
    )


def test_an_image_needs_a_purpose_that_is_looked_at(do: Do) -> None:
    for purpose in ("vision", "assistants", "user_data"):
        seen = new_file(do, purpose=purpose)
        do(lambda tx, seen=seen: image(tx, "p", seen, NOW, "here"))
    batch = new_file(do, purpose="batch")
    error = refused(lambda: do(lambda tx: image(tx, "p", batch, NOW, "here")))
    assert (error.status, error.param) == (400, "here")
    assert "purpose 'vision'" in error.message
    assert refused(lambda: do(lambda tx: image(tx, "p", "file-a", NOW, "here"))).status == 404


def files_of(do: Do, assistant_id: str, thread_id: str) -> tuple[Any, Any]:
    def read(tx: Any) -> tuple[Any, Any]:
        both = assistants.get(tx, "p", assistant_id), threads.get(tx, "p", thread_id)
        a, b = (json.loads(text)["tool_resources"].get("code_interpreter", {}).get("file_ids") for text in both)
        return a, b

    found: tuple[Any, Any] = do(read)
    return found


def test_a_deleted_file_leaves_every_list_it_is_in(do: Do) -> None:
    first, second = new_file(do), new_file(do)
    resources: Any = {"code_interpreter": {"file_ids": [first, second]}}
    assistant = CreateAssistant(model="m", tool_resources=resources)
    assistant_id = id_of(do(lambda tx: assistants.create(tx, "p", assistant, NOW)))
    message: Any = {"role": "user", "content": "x", "attachments": [{"file_id": first, "tools": [CODE]}]}
    thread = CreateThread(messages=[CreateMessage.model_validate(message)])
    made = json.loads(do(lambda tx: threads.create(tx, "p", thread, NOW)))
    assert made["tool_resources"] == {"code_interpreter": {"file_ids": [first]}}
    again = CreateMessage.model_validate({**message, "attachments": [{"file_id": second, "tools": [CODE]}] * 2})
    do(lambda tx: threads.append(tx, "p", made["id"], [again], NOW))
    assert files_of(do, assistant_id, made["id"]) == ([first, second], [first, second])
    do(lambda tx: files.delete(tx, "p", first, NOW))
    assert files_of(do, assistant_id, made["id"]) == ([second], [second])

    modify = ModifyAssistant(tool_resources=None), ModifyThread(tool_resources=None)
    do(
        lambda tx: (
            assistants.modify(tx, "p", assistant_id, modify[0], NOW),
            threads.modify(tx, "p", made["id"], modify[1], NOW),
        )
    )
    do(lambda tx: files.delete(tx, "p", second, NOW))
    assert files_of(do, assistant_id, made["id"]) == (None, None)


def test_what_is_deleted_has_no_files_any_more(do: Do) -> None:
    file = new_file(do)
    resources: Any = {"code_interpreter": {"file_ids": [file]}}
    assistant_id = id_of(
        do(lambda tx: assistants.create(tx, "p", CreateAssistant(model="m", tool_resources=resources), NOW))
    )
    thread_id = id_of(do(lambda tx: threads.create(tx, "p", CreateThread(tool_resources=resources), NOW)))
    assert len(do(lambda tx: tx.all("file.users", file=file))) == 2
    do(lambda tx: (assistants.delete(tx, "p", assistant_id), threads.delete(tx, "p", thread_id)))
    assert do(lambda tx: tx.all("file.users", file=file)) == []


def test_a_thread_has_at_most_twenty_files_for_code(do: Do) -> None:
    made = [new_file(do) for _ in range(21)]
    thread_id = id_of(do(lambda tx: threads.create(tx, "p", CreateThread(), NOW)))
    attachments = [{"file_id": file, "tools": [CODE]} for file in made]
    message: Any = CreateMessage.model_validate({"role": "user", "content": "x", "attachments": attachments})
    error = refused(lambda: do(lambda tx: threads.append(tx, "p", thread_id, [message], NOW)))
    assert (error.status, error.code) == (400, "array_above_max_length")
    fits: Any = CreateMessage.model_validate({"role": "user", "content": "x", "attachments": attachments[:20]})
    do(lambda tx: threads.append(tx, "p", thread_id, [fits, fits], NOW))


# Vector stores


def new_store(do: Do, *file_ids: str, project: str = "p", days: int | None = None) -> str:
    made: str = do(lambda tx: vector_stores.new(tx, project, NOW, file_ids=file_ids, days=days))
    return made


def store(do: Do, store_id: str, now: int = NOW) -> Any:
    return json.loads(do(lambda tx: vector_stores.get(tx, "p", store_id, now)))


def files_in(do: Do, store_id: str) -> list[str]:
    page = json.loads(do(lambda tx: store_files.list_(tx, "p", store_id, ListStoreFiles(order="asc"))))
    return [file["id"] for file in page["data"]]


def thread_with(do: Do, *messages: Any, **settings: Any) -> Any:
    request = CreateThread.model_validate({"messages": list(messages), **settings})
    return json.loads(do(lambda tx: threads.create(tx, "p", request, NOW)))


def message(*attachments: Any) -> Any:
    return {"role": "user", "content": "x", "attachments": list(attachments)}


def test_a_store_that_is_made_along_is_told_of_by_its_id(do: Do) -> None:
    file = new_file(do)
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
    made = {"file_ids": [file, file], "chunking_strategy": chunking, "metadata": {"k": "v"}}
    for holder, days in (("asst_a", None), ("thread_a", 7)):
        kept = do(lambda tx, holder=holder: stored(tx, "p", holder, {"file_search": {"vector_stores": [made]}}, NOW))
        [store_id] = kept["file_search"]["vector_store_ids"]
        assert kept == {"file_search": {"vector_store_ids": [store_id]}}
        found = store(do, store_id)
        assert (found["metadata"], found["file_counts"]["total"]) == ({"k": "v"}, 1)
        assert found.get("expires_after", {}).get("days") == days
        row = json.loads(do(lambda tx, store_id=store_id: store_files.get(tx, "p", store_id, file)))
        assert row["chunking_strategy"] == chunking


def test_none_is_made_of_none(do: Do) -> None:
    assert keep(do, {"file_search": {"vector_stores": []}}) == {"file_search": {"vector_store_ids": []}}


def test_a_store_is_either_named_or_made(do: Do) -> None:
    both: Any = {"file_search": {"vector_stores": [{}], "vector_store_ids": [new_store(do)]}}
    error = refused(lambda: keep(do, both))
    assert (error.status, error.param) == (400, "tool_resources.file_search")
    theirs: Any = {"file_search": {"vector_store_ids": [new_store(do, project="other")]}}
    assert refused(lambda: keep(do, theirs)).status == 404


def test_a_deleted_store_leaves_every_list_it_is_in(do: Do) -> None:
    store_id = new_store(do, new_file(do))
    resources: Any = {"file_search": {"vector_store_ids": [store_id]}}
    body = do(lambda tx: assistants.create(tx, "p", CreateAssistant(model="m", tool_resources=resources), NOW))
    thread_id = thread_with(do, tool_resources=resources)["id"]
    answer = json.loads(do(lambda tx: delete_store(tx, "p", store_id)))
    assert answer == {"id": store_id, "object": "vector_store.deleted", "deleted": True}
    for text in (
        do(lambda tx: assistants.get(tx, "p", id_of(body))),
        do(lambda tx: threads.get(tx, "p", thread_id)),
    ):
        assert json.loads(text)["tool_resources"] == {"file_search": {"vector_store_ids": []}}
    assert refused(lambda: do(lambda tx: delete_store(tx, "p", store_id))).status == 404
    assert do(lambda tx: tx.all("vector_store.users", store=store_id)) == []


def test_a_tool_that_is_named_without_its_list_keeps_it(do: Do) -> None:
    file, other = new_file(do), new_file(do)
    store_id = new_store(do, file)
    code, search = {"file_ids": [file]}, {"vector_store_ids": [store_id]}
    given: Any = {"code_interpreter": code, "file_search": search}
    body = do(lambda tx: assistants.create(tx, "p", CreateAssistant(model="m", tool_resources=given), NOW))
    assistant_id, thread_id = id_of(body), thread_with(do, tool_resources=given)["id"]

    def changed(resources: Any) -> list[Any]:
        of_assistant, of_thread = ModifyAssistant(tool_resources=resources), ModifyThread(tool_resources=resources)
        texts = (
            do(lambda tx: assistants.modify(tx, "p", assistant_id, of_assistant, NOW)),
            do(lambda tx: threads.modify(tx, "p", thread_id, of_thread, NOW)),
        )
        return [json.loads(text)["tool_resources"] for text in texts]

    assert changed({"file_search": {}, "code_interpreter": {}}) == [given] * 2
    assert (
        changed({"file_search": {}, "code_interpreter": {"file_ids": [other]}})
        == [{"file_search": search, "code_interpreter": {"file_ids": [other]}}] * 2
    )
    assert do(lambda tx: tx.all("file.users", file=file)) == []
    assert len(do(lambda tx: tx.all("vector_store.users", store=store_id))) == 2
    assert changed({"file_search": {"vector_store_ids": []}}) == [{"file_search": {"vector_store_ids": []}}] * 2
    assert changed({"file_search": {}}) == [{"file_search": {"vector_store_ids": []}}] * 2
    assert changed({}) == [{}] * 2


def test_the_first_file_to_search_makes_the_threads_store(do: Do) -> None:
    first, second = new_file(do), new_file(do)
    thread = thread_with(do, message({"file_id": first, "tools": [SEARCH]}))
    [store_id] = thread["tool_resources"]["file_search"]["vector_store_ids"]
    assert store(do, store_id)["expires_after"] == {"anchor": "last_active_at", "days": 7}
    again = CreateMessage.model_validate(message(*[{"file_id": second, "tools": [SEARCH]}] * 2))
    later = CreateMessage.model_validate(message({"file_id": first, "tools": [CODE, SEARCH]}))
    do(lambda tx: threads.append(tx, "p", thread["id"], [again, later], NOW))
    found = json.loads(do(lambda tx: threads.get(tx, "p", thread["id"])))["tool_resources"]
    assert found == {"file_search": {"vector_store_ids": [store_id]}, "code_interpreter": {"file_ids": [first]}}
    assert files_in(do, store_id) == [first, second]


def test_files_to_search_go_into_the_store_that_the_thread_has(do: Do) -> None:
    store_id, file = new_store(do), new_file(do)
    given = {"file_search": {"vector_store_ids": [store_id]}}
    thread = thread_with(do, message({"file_id": file, "tools": [SEARCH]}), tool_resources=given)
    assert thread["tool_resources"] == given
    assert files_in(do, store_id) == [file]


def test_nothing_is_put_into_a_store_whose_time_is_up(do: Do) -> None:
    store_id, file = new_store(do, days=1), new_file(do)
    thread = thread_with(do, tool_resources={"file_search": {"vector_store_ids": [store_id]}})
    late = CreateMessage.model_validate(message({"file_id": file, "tools": [SEARCH]}))
    error = refused(lambda: do(lambda tx: threads.append(tx, "p", thread["id"], [late], NOW + 86400)))
    assert (error.status, error.code) == (400, "vector_store_expired")
    assert store(do, store_id, NOW + 86400)["status"] == "expired"


def test_a_deleted_file_leaves_the_stores_it_is_in(do: Do) -> None:
    first, second = new_file(do), new_file(do)
    stores = [new_store(do, first, second), new_store(do, first)]
    do(lambda tx: files.delete(tx, "p", first, NOW))
    assert [files_in(do, store_id) for store_id in stores] == [[second], []]
    assert [store(do, store_id)["file_counts"]["total"] for store_id in stores] == [1, 0]
