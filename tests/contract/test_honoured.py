"""Every field and parameter that is taken, and the test that shows what it does: none is taken and then forgotten."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.operations import OFFICIAL
from tests.contract.test_operations import fields

PAGES = {
    "limit": "test_limits_and_what_is_unknown_in_a_query",
    "order": "test_automatic_paging_sees_each_once_in_order",
    "after": "test_automatic_paging_sees_each_once_in_order",
    "before": "test_paging_backwards_sees_each_once_too",
}
OF_ASSISTANT = {
    "model": "test_model_names_are_kept_as_sent_and_mapped_when_used",
    "name": "test_assistants_are_found_by_name_on_the_first_page",
    "description": "test_an_assistant_keeps_every_parameter",
    "tool_resources": "test_the_assistants_store_and_the_threads_are_both_searched",
    "metadata": "test_an_update_changes_what_it_names_and_replaces_metadata_whole",
    **dict.fromkeys(
        ("instructions", "tools", "temperature", "top_p", "response_format", "reasoning_effort"),
        "test_a_run_takes_its_assistants_settings_as_they_are_now",
    ),
}
OF_RUN = {
    **dict.fromkeys(
        (
            *("model", "instructions", "tools", "metadata", "temperature", "top_p", "response_format", "tool_choice"),
            *("max_completion_tokens", "reasoning_effort"),
        ),
        "test_a_run_keeps_every_override",
    ),
    "assistant_id": "test_a_run_without_overrides_takes_its_assistants_settings",
    "max_prompt_tokens": "test_a_limit_used_up_ends_the_run_before_the_model_is_asked",
    "truncation_strategy": "test_last_messages_counts_messages_from_before_the_run",
    "parallel_tool_calls": "test_one_call_a_turn_where_they_must_not_be_parallel",
    "stream": "test_streams_of_all_three_kinds",
}
CHANGED = "test_an_update_changes_what_it_names_and_replaces_metadata_whole"
HONOURED: Mapping[str, Mapping[str, str]] = {
    "createAssistant": OF_ASSISTANT,
    "modifyAssistant": dict.fromkeys(OF_ASSISTANT, CHANGED),
    "listAssistants": PAGES,
    "createThread": {
        "messages": "test_a_thread_begins_with_messages",
        "metadata": "test_a_thread_keeps_what_it_was_given",
        "tool_resources": "test_a_store_that_is_made_along_is_told_of_by_its_id",
    },
    "modifyThread": {
        "metadata": "test_metadata_is_read_back_at_once_and_the_answer_is_the_newest",
        "tool_resources": "test_a_tool_named_without_its_list_keeps_it",
    },
    "createMessage": {
        **dict.fromkeys(("role", "content"), "test_parts_are_kept_in_order_and_sent_as_chat_parts"),
        "attachments": "test_files_to_search_go_into_the_store_that_the_thread_has",
        "metadata": "test_a_message_has_every_member_of_the_reference",
    },
    "modifyMessage": {"metadata": "test_only_the_metadata_of_a_message_changes"},
    "listMessages": {**PAGES, "run_id": "test_messages_of_a_run_are_listed_by_its_id"},
    "createRun": {
        **OF_RUN,
        **dict.fromkeys(
            ("additional_instructions", "additional_messages"), "test_additional_instructions_and_messages_are_added"
        ),
        "tool_resources": "test_what_no_run_can_honour_is_refused",
        "include[]": "test_contents_of_results_are_there_when_they_are_asked_for",
    },
    "createThreadAndRun": {
        **{name: "test_a_thread_is_made_and_run_in_one_request" for name in OF_RUN if name != "reasoning_effort"},
        "thread": "test_a_thread_is_made_and_run_in_one_request",
        "stream": "test_a_thread_made_along_comes_first",
        "tool_resources": "test_a_run_made_with_its_thread_may_name_its_own_stores",
    },
    "modifyRun": {"metadata": "test_metadata_of_a_run_changes_while_it_waits_and_stays"},
    "submitToolOuputsToRun": {
        "tool_outputs": "test_calls_are_answered_by_polling",
        "stream": "test_outputs_are_submitted_with_a_stream",
    },
    "listRuns": PAGES,
    "listRunSteps": {**PAGES, "include[]": "test_contents_of_results_are_there_when_they_are_asked_for"},
    "getRunStep": {"include[]": "test_contents_of_results_are_there_when_they_are_asked_for"},
    "createFile": {
        "file": "test_a_file_comes_back_as_it_was_sent",
        "purpose": "test_every_purpose",
        "expires_after": "test_files_expire_when_they_are_read_and_are_swept",
    },
    "listFiles": {**PAGES, "purpose": "test_files_are_listed_by_purpose_and_page"},
    "createUpload": {
        **dict.fromkeys(("bytes", "filename", "purpose"), "test_parts_make_up_a_file_in_the_order_that_is_asked_for"),
        "mime_type": "test_the_type_of_an_upload_says_nothing",
        "expires_after": "test_a_file_of_an_upload_expires_as_was_asked",
    },
    "addUploadPart": {"data": "test_parts_make_up_a_file_in_the_order_that_is_asked_for"},
    "completeUpload": {
        "part_ids": "test_parts_make_up_a_file_in_the_order_that_is_asked_for",
        "md5": "test_what_does_not_fit_is_refused_and_may_be_mended",
    },
    "createVectorStore": dict.fromkeys(
        ("name", "description", "metadata", "file_ids", "chunking_strategy", "expires_after"),
        "test_a_new_store_is_as_was_asked",
    ),
    "modifyVectorStore": dict.fromkeys(("name", "metadata", "expires_after"), "test_an_update_changes_what_it_names"),
    "listVectorStores": PAGES,
    "createVectorStoreFile": dict.fromkeys(
        ("file_id", "attributes", "chunking_strategy"), "test_a_file_keeps_its_attributes_and_how_it_is_cut"
    ),
    "updateVectorStoreFileAttributes": {"attributes": "test_a_file_keeps_its_attributes_and_how_it_is_cut"},
    "listVectorStoreFiles": {**PAGES, "filter": "test_lists_are_filtered_by_status"},
    "createVectorStoreFileBatch": dict.fromkeys(
        ("file_ids", "files", "attributes", "chunking_strategy"), "test_a_batch_has_files_all_alike_or_each_its_own"
    ),
    "listFilesInVectorStoreBatch": {**PAGES, "filter": "test_lists_are_filtered_by_status"},
    "searchVectorStore": {
        **dict.fromkeys(("query", "max_num_results"), "test_a_search_takes_a_query_or_several"),
        "filters": "test_a_search_is_filtered_by_attributes",
        **dict.fromkeys(
            ("ranking_options", "rewrite_query"),
            "test_scores_have_a_threshold_and_queries_are_rewritten_on_demand",
        ),
    },
}


def test_nothing_is_missing_and_nothing_is_made_up() -> None:
    taken = {id_: fields(operation) for id_, operation in OFFICIAL.items() if fields(operation)}
    shown = {id_: set(by_field) for id_, by_field in HONOURED.items()}
    shown["listFiles"] -= {"before"}  # which it takes as all lists do
    assert shown == taken


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """List the names of the tests of engine, server and contract."""
    return {
        node.name
        for room in ("contract", "engine", "server")
        for path in (Path(__file__).parents[1] / room).rglob("test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("id_", HONOURED)
def test_each_is_shown_by_a_test_that_is_there(id_: str, tests: set[str]) -> None:
    assert {field: test for field, test in HONOURED[id_].items() if test not in tests} == {}
