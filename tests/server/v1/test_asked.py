from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import Refused
from toolkit.server.v1 import asked
from toolkit.server.v1.asked import Change, changed
from toolkit.server.v1.version import V1_REFUSAL

RETRIEVAL, SEARCH, CODE = {"type": "retrieval"}, {"type": "file_search"}, {"type": "code_interpreter"}
FUNCTION = {"type": "function", "function": {"name": "retrieval"}}
AB = ["file-a", "file-b"]


def attachments(*file_ids: str) -> list[Any]:
    return [{"file_id": file_id, "tools": [CODE, SEARCH]} for file_id in file_ids]


def said(**more: Any) -> dict[str, Any]:
    return {"role": "user", "content": "hi", **more}


@pytest.mark.parametrize(
    ("body", "tools", "resources"),
    [
        ({}, None, None),
        ({"file_ids": []}, None, None),
        ({"file_ids": None}, None, None),
        ({"tools": [RETRIEVAL]}, [SEARCH], None),
        ({"tools": [FUNCTION, CODE]}, [FUNCTION, CODE], None),
        ({"file_ids": AB}, None, {"code_interpreter": {"file_ids": AB}}),
        ({"file_ids": AB, "tools": [CODE]}, [CODE], {"code_interpreter": {"file_ids": AB}}),
        (
            {"file_ids": [*AB, "file-a"], "tools": [RETRIEVAL, FUNCTION]},
            [SEARCH, FUNCTION],
            {"code_interpreter": {"file_ids": AB}, "file_search": {"vector_stores": [{"file_ids": AB}]}},
        ),
    ],
)
def test_files_of_a_new_assistant_go_to_its_tools(body: Any, tools: Any, resources: Any) -> None:
    expected = {"model": "m"}
    expected |= {"tools": tools} if tools is not None else {}
    expected |= {"tool_resources": resources} if resources is not None else {}
    assert asked.assistant({"model": "m", **body}) == expected


def test_files_of_messages_are_attachments_for_both_tools() -> None:
    assert asked.message(said(file_ids=AB)) == said(attachments=attachments(*AB))
    assert asked.message(said(file_ids=[])) == said()
    body = {"messages": [said(file_ids=["file-a"]), said()], "metadata": {"k": "v"}}
    thread = {"messages": [said(attachments=attachments("file-a")), said()], "metadata": {"k": "v"}}
    assert asked.thread(body) == thread
    assert asked.run({"assistant_id": "a", "thread": body}) == {"assistant_id": "a", "thread": thread}
    more = asked.run({"assistant_id": "a", "additional_messages": body["messages"]})
    assert more == {"assistant_id": "a", "additional_messages": thread["messages"]}


def test_tools_of_runs_and_the_choice_among_them_are_named_as_in_v2() -> None:
    assert asked.run({"tools": [RETRIEVAL, FUNCTION], "tool_choice": RETRIEVAL}) == {
        "tools": [SEARCH, FUNCTION],
        "tool_choice": SEARCH,
    }
    assert asked.run({"tools": None, "tool_choice": "auto"}) == {"tools": None, "tool_choice": "auto"}


@pytest.mark.parametrize(
    ("translate", "body", "path"),
    [
        (asked.assistant, {"file_ids": AB, "tool_resources": {"code_interpreter": {"file_ids": AB}}}, "file_ids"),
        (asked.message, said(file_ids=AB, attachments=attachments("file-a")), "file_ids"),
        (asked.thread, {"messages": [said(file_ids=AB, attachments=attachments("file-a"))]}, "messages[0].file_ids"),
    ],
)
def test_both_forms_at_once_cannot_be_translated(translate: Any, body: Any, path: str) -> None:
    with pytest.raises(Refused) as refused:
        translate(body)
    assert refused.value.code == "invalid_beta"
    assert refused.value.message.startswith(f"{V1_REFUSAL} ('{path}' is taken without ")


@pytest.mark.parametrize("file_ids", ["file-a", [1], {"file-a": 1}, 5, [None]])
def test_files_are_an_array_of_strings(file_ids: Any) -> None:
    for translate, body, param in (
        (asked.assistant, {"file_ids": file_ids}, "file_ids"),
        (asked.run, {"thread": {"messages": [said(), said(file_ids=file_ids)]}}, "thread.messages[1].file_ids"),
    ):
        with pytest.raises(Refused) as refused:
            translate(body)
        assert (refused.value.param, refused.value.code) == (param, "invalid_type")


def test_an_assistant_has_at_most_20_files() -> None:
    many = [f"file-{number}" for number in range(21)]
    asked.assistant({"file_ids": [*many[:20], *many[:20]]})
    for ask in (lambda: asked.assistant({"file_ids": many}), lambda: changed(assistant(), {}, many)):
        with pytest.raises(Refused) as refused:
            ask()
        assert (refused.value.param, refused.value.code) == ("file_ids", "array_above_max_length")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["retrieval", "file-a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["file_ids", "tools", "type", "messages", "thread", "additional_messages", "tool_choice"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@given(JSON)
def test_any_json_is_translated_or_refused_and_never_changed_in_place(body: Any) -> None:
    before = repr(body)
    for translate in (asked.assistant, asked.message, asked.thread, asked.run, asked.tools):
        try:
            once = translate(body)
        except Refused as refused:
            assert refused.code in ("invalid_type", "array_above_max_length", "invalid_beta")
        else:
            assert translate(once) == once
    assert repr(body) == before


@given(JSON)
def test_what_has_no_part_of_v1_is_passed_on_as_it_is(body: Any) -> None:
    if "retrieval" in repr(body) or "file_ids" in repr(body):
        return
    for translate in (asked.assistant, asked.message, asked.thread, asked.run, asked.tools):
        assert translate(body) == body


def assistant(*file_ids: str, tools: Any = (), store_ids: Any = None) -> dict[str, Any]:
    resources: dict[str, Any] = {"code_interpreter": {"file_ids": [*file_ids]}}
    if store_ids is not None:
        resources["file_search"] = {"vector_store_ids": store_ids}
    return {"tools": [*tools], "tool_resources": resources}


@pytest.mark.parametrize(
    ("old", "settings", "file_ids", "change"),
    [
        (assistant(), {}, AB, Change({"code_interpreter": {"file_ids": AB}})),
        (assistant(*AB), {"tool_resources": {}}, ["file-b"], Change({"code_interpreter": {"file_ids": ["file-b"]}})),
        (
            assistant("file-a", tools=[SEARCH]),
            {},
            AB,
            Change({"code_interpreter": {"file_ids": AB}, "file_search": {"vector_stores": [{"file_ids": AB}]}}),
        ),
        (
            assistant(*AB),
            {"tools": [SEARCH]},
            AB,
            Change({"code_interpreter": {"file_ids": AB}, "file_search": {"vector_stores": [{"file_ids": AB}]}}),
        ),
        (
            assistant(*AB, tools=[SEARCH], store_ids=[]),
            {"tools": []},
            AB,
            Change({"code_interpreter": {"file_ids": AB}, "file_search": {"vector_store_ids": []}}),
        ),
        (
            assistant("file-a", tools=[SEARCH], store_ids=["vs_a"]),
            {},
            ["file-b", "file-c"],
            Change(
                {"code_interpreter": {"file_ids": ["file-b", "file-c"]}, "file_search": {"vector_store_ids": ["vs_a"]}},
                "vs_a",
                added=("file-b", "file-c"),
                removed=("file-a",),
            ),
        ),
        (
            assistant(*AB, tools=[SEARCH], store_ids=["vs_a"]),
            {"tools": [CODE]},
            AB,
            Change({"code_interpreter": {"file_ids": AB}, "file_search": {"vector_store_ids": ["vs_a"]}}, "vs_a"),
        ),
    ],
)
def test_an_assistant_gets_other_files_or_tools(old: Any, settings: Any, file_ids: Any, change: Change) -> None:
    assert changed(old, settings, file_ids) == change


def test_an_assistant_that_has_no_resources_yet() -> None:
    old = {"tools": [], "tool_resources": {}}
    assert changed(old, {}, ["file-a"]) == Change({"code_interpreter": {"file_ids": ["file-a"]}})
    with pytest.raises(Refused, match="'file_ids' is taken without 'tool_resources'"):
        changed(old, {"tool_resources": {"code_interpreter": {"file_ids": AB}}}, AB)
