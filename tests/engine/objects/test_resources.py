from __future__ import annotations

from typing import Any

import pytest

from toolkit.engine.objects.resources import refuse_attached, stored
from toolkit.errors import Refused


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
def test_empty_resources_are_kept_as_they_were_sent(resources: Any) -> None:
    assert stored(resources) == resources


def test_nulls_mean_not_given() -> None:
    assert stored(None) == {}
    assert stored({"code_interpreter": None, "file_search": None}) == {}


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
def test_what_names_nothing_is_refused(resources: Any, status: int, message: str, param: str) -> None:
    with pytest.raises(Refused) as caught:
        stored(resources)
    assert (caught.value.status, caught.value.message, caught.value.param) == (status, message, param)


def test_an_attached_file_names_nothing() -> None:
    refuse_attached([], "attachments")
    with pytest.raises(Refused, match="No such File object: file-a") as caught:
        refuse_attached([{"file_id": "file-a", "tools": []}], "attachments")
    assert caught.value.param == "attachments[0].file_id"
    with pytest.raises(Refused, match="Missing required parameter"):
        refuse_attached([{}], "attachments")
