from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.engine.blobs import Blob
from toolkit.engine.jsontext import id_of
from toolkit.engine.objects import assistants, files, threads
from toolkit.engine.objects.assistants import CreateAssistant, ModifyAssistant
from toolkit.engine.objects.messages import CreateMessage
from toolkit.engine.objects.resources import attached, image, stored
from toolkit.engine.objects.threads import CreateThread, ModifyThread
from toolkit.errors import Refused

Do = Callable[[Callable[..., Any]], Any]

NOW = 1_800_000_000
CODE = {"type": "code_interpreter"}


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
        {"file_search": {"vector_stores": []}},
    ],
)
def test_empty_resources_are_kept_as_they_were_sent(do: Do, resources: Any) -> None:
    assert keep(do, resources) == resources


def test_nulls_mean_not_given(do: Do) -> None:
    assert keep(do, None) == {}
    assert keep(do, {"code_interpreter": None, "file_search": None}) == {}


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
            400,
            "This engine has no vector stores yet, so none can be created here.",
            "tool_resources.file_search.vector_stores",
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
    given: Any = [{"file_id": mine, "tools": [CODE]}, {"file_id": mine}, {"file_id": mine, "tools": None}]
    kept, for_code = do(lambda tx: attached(tx, "p", given, NOW))
    assert kept == [{"file_id": mine, "tools": [CODE]}, *[{"file_id": mine, "tools": []}] * 2]
    assert for_code == [mine]

    def wrong(attachment: Any) -> tuple[int, str, str | None]:
        error = refused(lambda: do(lambda tx: attached(tx, "p", [attachment], NOW)))
        return error.status, error.message, error.param

    assert wrong({"file_id": "file-a"}) == (404, "No such File object: file-a", "attachments[0].file_id")
    assert wrong({})[:2] == (400, "Missing required parameter: 'attachments[0].file_id'.")
    search = wrong({"file_id": mine, "tools": [CODE, {"type": "file_search"}]})
    assert (search[0], search[2]) == (400, "attachments[0].tools[1]")


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
