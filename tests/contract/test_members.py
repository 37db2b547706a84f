"""The names of all members, however deep: officially, in the SDK's types and in the engine's own are the same ones."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from openai.types import (
    file_create_params,
    upload_complete_params,
    upload_create_params,
    vector_store_create_params,
    vector_store_search_params,
    vector_store_update_params,
)
from openai.types.beta import (
    assistant_create_params,
    assistant_update_params,
    thread_create_and_run_params,
    thread_create_params,
    thread_update_params,
)
from openai.types.beta.threads import (
    message_create_params,
    message_update_params,
    run_create_params,
    run_submit_tool_outputs_params,
    run_update_params,
)
from openai.types.uploads import part_create_params
from openai.types.vector_stores import file_batch_create_params, file_update_params
from openai.types.vector_stores import file_create_params as store_file_create_params
from pydantic import BaseModel, TypeAdapter

from tests.contract.inspection import OBJECTS
from tests.contract.official import TAKEN, kept
from tests.contract.operations import OFFICIAL, Operation, bare
from toolkit.engine.objects import files, uploads
from toolkit.server.routes import ROUTES

FORMS: Mapping[str, type[BaseModel]] = {"createFile": files.CreateFile, "addUploadPart": uploads.AddPart}
"""What is read of forms, by operation; the routes say it of other bodies."""
OF_PATH = {"thread_id", "vector_store_id"}
OF_QUERY = {"include"}
""" Members of the SDK's types that do not go into the body."""

SDK: Mapping[str, Any] = {
    "CreateAssistantRequest": assistant_create_params.AssistantCreateParams,
    "ModifyAssistantRequest": assistant_update_params.AssistantUpdateParams,
    "CreateThreadRequest": thread_create_params.ThreadCreateParams,
    "ModifyThreadRequest": thread_update_params.ThreadUpdateParams,
    "CreateMessageRequest": message_create_params.MessageCreateParams,
    "ModifyMessageRequest": message_update_params.MessageUpdateParams,
    "CreateRunRequest": run_create_params.RunCreateParamsStreaming,
    "ModifyRunRequest": run_update_params.RunUpdateParams,
    "CreateThreadAndRunRequest": thread_create_and_run_params.ThreadCreateAndRunParamsStreaming,
    "SubmitToolOutputsRunRequest": run_submit_tool_outputs_params.RunSubmitToolOutputsParamsStreaming,
    "CreateFileRequest": file_create_params.FileCreateParams,
    "CreateUploadRequest": upload_create_params.UploadCreateParams,
    "AddUploadPartRequest": part_create_params.PartCreateParams,
    "CompleteUploadRequest": upload_complete_params.UploadCompleteParams,
    "CreateVectorStoreRequest": vector_store_create_params.VectorStoreCreateParams,
    "UpdateVectorStoreRequest": vector_store_update_params.VectorStoreUpdateParams,
    "VectorStoreSearchRequest": vector_store_search_params.VectorStoreSearchParams,
    "CreateVectorStoreFileRequest": store_file_create_params.FileCreateParams,
    "UpdateVectorStoreFileAttributesRequest": file_update_params.FileUpdateParams,
    "CreateVectorStoreFileBatchRequest": file_batch_create_params.FileBatchCreateParams,
}


def names(schema: Any, definitions: Any, above: str = "", within: tuple[str, ...] = ()) -> Iterator[str]:
    """Give the names of all members of a schema, with a dot before those of members."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in within:  # filters have filters
            yield from names(definitions[name], definitions, above, (*within, name))
    for choice in ("anyOf", "oneOf", "allOf"):
        for below in schema.get(choice, ()):
            yield from names(below, definitions, above, within)
    if "items" in schema:
        yield from names(schema["items"], definitions, above, within)
    for name, below in schema.get("properties", {}).items():
        yield above + name
        yield from names(below, definitions, f"{above}{name}.", within)


def official(name: str) -> set[str]:
    return set(names({"$ref": f"#/$defs/{name}"}, kept()["$defs"]))


def of_type(type_: Any, above: str = "") -> set[str]:
    schema = TypeAdapter(type_).json_schema()
    return set(names(schema, schema.get("$defs", {}), above))


def of_params(params: Any) -> set[str]:
    """Give the names in a TypedDict of the SDK; what is a file there has no schema."""
    hints = typing.get_type_hints(params)
    below = (of_type(hint, f"{name}.") for name, hint in hints.items() if "IO[bytes]" not in str(hint))
    return {*hints, *(name for found in below for name in found)} - OF_PATH - OF_QUERY


@pytest.mark.parametrize("name", OBJECTS)
def test_objects(name: str) -> None:
    assert of_type(OBJECTS[name]) == official(name)


def asked_for() -> dict[str, str]:
    """Give the operations that have a body, and the name of its schema."""
    return {
        id_: operation.request["schema"]["$ref"].rpartition("/")[2]
        for id_, operation in OFFICIAL.items()
        if operation.request is not None
    }


@pytest.mark.parametrize(("id_", "name"), asked_for().items())
def test_requests(id_: str, name: str) -> None:
    assert of_params(SDK[name]) == official(name)
    taken = {member for taken in TAKEN.values() for member in taken.get(name, ())}
    assert of_type(own(OFFICIAL[id_])) == official(name) | taken


def own(operation: Operation) -> Any:
    """Give what the engine reads."""
    if operation.id in FORMS:
        return FORMS[operation.id]
    asked = (operation.method, bare(operation.path))
    [body] = [route.body for route in ROUTES if (route.method, bare(route.path)) == asked]
    return body
