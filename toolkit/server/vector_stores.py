"""Operations on vector stores, their files and batches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from toolkit.engine.objects import file_batches, references, resources, store_files, vector_stores
from toolkit.engine.objects.paging import PageQuery
from toolkit.engine.search.searching import Search, most_of, page_of, queries_of
from toolkit.engine.store import Row, Tx
from toolkit.server.call import Call, Route, poll_after_ms
from toolkit.server.wire import Answer, parse_query

__all__ = ["VECTOR_STORES"]


async def create_vector_store(call: Call, body: vector_stores.CreateVectorStore) -> Answer:
    return _polled(await call.index(lambda tx: vector_stores.create(tx, call.project, body, call.now)), call)


async def get_vector_store(call: Call, _: None) -> Answer:
    store_id = call["vector_store_id"]
    return _polled(await call.read(lambda tx: vector_stores.get(tx, call.project, store_id, call.now)), call)


async def modify_vector_store(call: Call, body: vector_stores.ModifyVectorStore) -> Answer:
    store_id = call["vector_store_id"]
    return await call.write(lambda tx: vector_stores.modify(tx, call.project, store_id, body, call.now))


async def list_vector_stores(call: Call, _: None) -> Answer:
    query = parse_query(PageQuery, call.query)
    return await call.read(lambda tx: vector_stores.list_(tx, call.project, query, call.now))


async def delete_vector_store(call: Call, _: None) -> Answer:
    return await call.index(lambda tx: resources.delete_store(tx, call.project, call["vector_store_id"]))


async def search_vector_store(call: Call, body: Search) -> Answer:
    store_id = call["vector_store_id"]

    store, queries = call.rooms.store, queries_of(body)

    def searched(tx: Tx) -> Sequence[Row]:
        return [references.live_store(tx, call.project, store_id, call.now)]

    found = await call.rooms.retriever.find(store.read, searched, queries, body.filters, most_of(body))
    if await store.read(lambda tx: vector_stores.is_idle(tx, call.project, store_id, call.now)):
        await store.write(lambda tx: vector_stores.touch(tx, store_id, call.now))  # it counts as used by this
    return Answer(page_of(body, queries, found))


async def create_store_file(call: Call, body: store_files.CreateStoreFile) -> Answer:
    store_id = call["vector_store_id"]
    return _polled(await call.index(lambda tx: store_files.create(tx, call.project, store_id, body, call.now)), call)


async def get_store_file(call: Call, _: None) -> Answer:
    store_id, file_id = call["vector_store_id"], call["file_id"]
    return _polled(await call.read(lambda tx: store_files.get(tx, call.project, store_id, file_id)), call)


async def modify_store_file(call: Call, body: store_files.ModifyStoreFile) -> Answer:
    store_id, file_id = call["vector_store_id"], call["file_id"]
    return await call.write(lambda tx: store_files.modify(tx, call.project, store_id, file_id, body))


async def list_store_files(call: Call, _: None) -> Answer:
    query = parse_query(store_files.ListStoreFiles, call.query)
    return await call.read(lambda tx: store_files.list_(tx, call.project, call["vector_store_id"], query))


async def delete_store_file(call: Call, _: None) -> Answer:
    store_id, file_id = call["vector_store_id"], call["file_id"]
    return await call.index(lambda tx: store_files.delete(tx, call.project, store_id, file_id))


async def get_store_file_content(call: Call, _: None) -> Answer:
    store_id, file_id = call["vector_store_id"], call["file_id"]
    return await call.read(lambda tx: store_files.content(tx, call.project, store_id, file_id, call.now))


async def create_file_batch(call: Call, body: file_batches.CreateFileBatch) -> Answer:
    store_id = call["vector_store_id"]
    return _polled(await call.index(lambda tx: file_batches.create(tx, call.project, store_id, body, call.now)), call)


async def get_file_batch(call: Call, _: None) -> Answer:
    store_id, batch_id = call["vector_store_id"], call["batch_id"]
    return _polled(await call.read(lambda tx: file_batches.get(tx, call.project, store_id, batch_id)), call)


async def cancel_file_batch(call: Call, _: None) -> Answer:
    store_id, batch_id = call["vector_store_id"], call["batch_id"]
    return await call.index(lambda tx: file_batches.cancel(tx, call.project, store_id, batch_id))


async def list_files_of_batch(call: Call, _: None) -> Answer:
    query = parse_query(store_files.ListStoreFiles, call.query)
    store_id, batch_id = call["vector_store_id"], call["batch_id"]
    return await call.read(lambda tx: file_batches.list_files(tx, call.project, store_id, batch_id, query))


def _polled(answer: Answer, call: Call) -> Answer:
    """Tell a client that waits for files to be processed when to look again."""
    about = json.loads(answer.text)
    return (
        replace(answer, poll_after_ms=poll_after_ms(call.now - about["created_at"]))
        if (about["status"] == "in_progress")
        else answer
    )


_STORE: Final = "vector_stores/{vector_store_id}"

VECTOR_STORES: Final = (
    Route("POST", "vector_stores", create_vector_store, vector_stores.CreateVectorStore),
    Route("GET", "vector_stores", list_vector_stores),
    Route("GET", _STORE, get_vector_store),
    Route("POST", _STORE, modify_vector_store, vector_stores.ModifyVectorStore),
    Route("DELETE", _STORE, delete_vector_store),
    Route("POST", f"{_STORE}/search", search_vector_store, Search),
    Route("POST", f"{_STORE}/files", create_store_file, store_files.CreateStoreFile),
    Route("GET", f"{_STORE}/files", list_store_files),
    Route("GET", f"{_STORE}/files/{{file_id}}", get_store_file),
    Route("POST", f"{_STORE}/files/{{file_id}}", modify_store_file, store_files.ModifyStoreFile),
    Route("DELETE", f"{_STORE}/files/{{file_id}}", delete_store_file),
    Route("GET", f"{_STORE}/files/{{file_id}}/content", get_store_file_content),
    Route("POST", f"{_STORE}/file_batches", create_file_batch, file_batches.CreateFileBatch),
    Route("GET", f"{_STORE}/file_batches/{{batch_id}}", get_file_batch),
    Route("POST", f"{_STORE}/file_batches/{{batch_id}}/cancel", cancel_file_batch),
    Route("GET", f"{_STORE}/file_batches/{{batch_id}}/files", list_files_of_batch),
)
