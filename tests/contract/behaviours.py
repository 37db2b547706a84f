"""What clients and programs lean on, as it was collected from them, and the tests that show it here.

The numbers are those of the collections; the docstrings of the tests begin with them. Where no test stands, the engine
does not do it yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["CLIENTS", "PROGRAMS"]

Behaviours = Mapping[int, tuple[str, Sequence[str]]]
"""What is leant on, and the names of tests."""

PROGRAMS: Final[Behaviours] = {
    1: (
        "ids of the hosted service go on, of any length",
        [
            "test_an_unknown_id_of_any_form_is_not_found",
            "test_a_conversation_of_the_hosted_service_goes_on",
            "test_ids_that_others_made_up",
        ],
    ),
    2: ("names of models are kept and mapped", ["test_model_names_are_kept_as_sent_and_mapped_when_used"]),
    3: ("threads outlive processes", ["test_threads_outlive_the_process"]),
    4: (
        "an answer is younger than its run and its question",
        [
            "test_an_answer_is_younger_than_its_run_and_its_question",
            "test_times_increase_while_at_most_two_seconds_ahead",
        ],
    ),
    5: ("no run waits for others", ["test_runs_do_not_wait_for_each_other", "test_an_expired_run"]),
    6: ("after submit a run is soon in_progress", ["test_after_submit_a_run_is_soon_under_way"]),
    7: ("a client's own polling interval wins", ["test_a_client_may_poll_at_its_own_pace"]),
    8: ("a model's avoidable failures fail no run", ["test_a_model_that_fails_for_a_moment_fails_no_run"]),
    9: ("completed_at and last_error are signals", ["test_completed_at_and_last_error_are_signals"]),
    10: ("cancel frees the thread at once", ["test_cancel_frees_the_thread_at_once"]),
    11: ("a cancelled run ends its stream", ["test_a_run_cancelled_meanwhile_ends_its_stream"]),
    12: ("outputs come whole or are refused", ["test_single_outputs_are_refused_until_they_are_complete"]),
    13: ("outputs that are no strings", ["test_outputs_that_are_no_strings"]),
    14: ("after submit no read says requires_action", ["test_after_submit_no_read_says_requires_action"]),
    15: ("the open step of calls is listed", ["test_a_waiting_run_shows_its_calls_in_the_steps"]),
    16: ("calls are told before requires_action", ["test_outputs_are_submitted_in_on_tool_call_done"]),
    17: ("leaving a stream cancels nothing", ["test_leaving_the_stream_at_requires_action"]),
    18: ("text beside calls is a message", ["test_text_beside_calls_is_a_message_of_its_own"]),
    19: ("messages are seen during the run", ["test_a_message_under_way_is_read_by_the_id_in_its_step"]),
    20: ("charts and text are one message", ["test_a_chart_and_its_text_are_one_message"]),
    21: ("files made by code are annotations", ["test_files_go_in_under_name_and_id_and_come_out"]),
    22: (
        "several questions in a row, images too",
        ["test_several_questions_in_a_row", "test_questions_that_are_only_an_image_file"],
    ),
    23: ("concurrent messages all arrive", ["test_a_whole_history_is_posted_at_once"]),
    24: (
        "attachments of every kind",
        [
            "test_one_file_attached_again_and_again",
            "test_a_table_attached_for_both_tools",
            "test_an_attachment_without_tools_is_kept",
            "test_tools_of_an_attachment_given_as_words_are_refused_by_place",
        ],
    ),
    25: ("empty texts and lists are values", ["test_empty_texts_are_values", "test_empty_containers_are_taken"]),
    26: ("answers look as recorded", ["test_answers_look_as_they_were_recorded"]),
    27: (
        "every delta has text, a citation comes with its mark",
        [
            "test_every_delta_of_a_message_has_text",
            "test_a_stream_tells_the_search_and_each_citation_with_its_mark",
        ],
    ),
    28: ("text_deltas beside a handler", ["test_text_deltas_beside_a_handler"]),
    29: ("defaults the service adds", ["test_defaults_that_the_service_adds"]),
    30: ("a deleted vector store leaves assistants and threads", ["test_a_deleted_vector_store_is_named_nowhere"]),
    31: ("citations quote the passage", ["test_citations_are_followed"]),
    32: (
        "contents come with their type, to the byte",
        ["test_contents_come_with_their_type", "test_a_file_comes_back_as_it_was_sent"],
    ),
    33: (
        "packages and names of files in the sandbox",
        ["test_the_packages_that_programs_expect_are_there", "test_files_go_in_under_name_and_id_and_come_out"],
    ),
    34: ("outputs of code", ["test_code_that_says_nothing_has_no_outputs", "test_code_runs_and_the_step_shows_it"]),
    35: (
        "first pages as registries",
        ["test_assistants_are_found_by_name_on_the_first_page", "test_files_are_found_by_name_on_the_first_page"],
    ),
    36: (
        "fields outside of the schema",
        [
            "test_unknown_fields_are_named_or_let_pass",
            "test_what_cannot_be_changed_is_named",
            "test_the_beta_header_is_not_asked_for",
        ],
    ),
    37: (
        "programs of v1",
        [
            "test_the_overview",
            "test_the_header_alone_changes_no_more_than_what_is_shown",
            "test_a_part_of_v1_is_told_as_the_hosted_service_did",
            "test_the_beta_header_is_not_asked_for",
        ],
    ),
    38: ("nested metadata", ["test_nested_metadata_is_refused_by_its_key"]),
}

CLIENTS: Final[Behaviours] = {
    1: ("Azure's paths and key", ["test_the_azure_class_of_the_sdk", "test_the_same_under_every_prefix"]),
    2: ("azure-ai-agents", ["test_azure_ai_agents", "test_the_same_under_every_prefix"]),
    3: ("the beta header is not asked for", ["test_the_beta_header_is_not_asked_for"]),
    4: ("empty headers", ["test_headers_that_say_nothing"]),
    5: ("only the environment is read", ["test_programs_that_only_read_the_environment"]),
    6: ("nulls mean not given", ["test_explicit_nulls_mean_not_given"]),
    7: ("empty containers", ["test_empty_containers_are_taken"]),
    8: ("cancel without a body", ["test_cancel_has_no_body"]),
    9: ("GET and DELETE with a content-type", ["test_gets_and_deletes_may_come_with_a_content_type"]),
    10: ("stream: false", ["test_stream_false_is_said_everywhere"]),
    11: ("content as text or parts", ["test_content_is_text_or_a_list_of_parts"]),
    12: ("multipart files with bare names", ["test_names_of_files", "test_the_tour_of_the_official_clients"]),
    13: ("tools with each run", ["test_tools_of_each_run_replace_the_assistants"]),
    14: ("what was read is taken as input", ["test_what_was_read_is_taken_as_input"]),
    15: ("the tool retrieval", ["test_retrieval_may_come_after_the_files"]),
    16: ("include in every spelling", ["test_include_in_every_spelling"]),
    17: ("pages until last_id is null", ["test_azure_ai_agents", "test_every_list_ends_with_null"]),
    18: ("before on a descending list", ["test_a_cursor_from_the_other_side"]),
    19: ("texts of errors", ["test_error_texts_that_are_matched"]),
    20: (
        "ids of files, settings to the letter",
        [
            "test_ids_have_one_underscore_and_settings_come_back_exactly",
            "test_a_file_comes_back_as_it_was_sent",
            "test_a_tool_named_without_its_list_keeps_it",
        ],
    ),
    21: (
        "metadata at once, the newest message first",
        ["test_metadata_is_read_back_at_once_and_the_answer_is_the_newest"],
    ),
    22: ("failed where there is a choice", ["test_a_failure_is_a_failed_run"]),
    23: ("results are read from steps", ["test_results_are_read_from_the_steps"]),
    24: ("answers by run_id, attachments a list", ["test_attachments_are_a_list"]),
    25: ("cited files are there, and quoted", ["test_citations_are_followed"]),
    26: ("assistants by name, on the first page", ["test_assistants_are_found_by_name_on_the_first_page"]),
    27: ("messages are deleted one by one", ["test_messages_are_deleted_one_by_one"]),
    28: ("after submit no read says requires_action", ["test_after_submit_no_read_says_requires_action"]),
    29: (
        "when to look again",
        ["test_waiting_clients_are_told_when_to_look_again", "test_who_waits_for_files_is_told_when_to_look_again"],
    ),
    30: ("streams that strict parsers read", ["test_the_first_delta_of_a_call_is_empty"]),
    31: ("the first delta of a call is empty", ["test_the_first_delta_of_a_call_is_empty"]),
    32: ("what a stream tells is committed", ["test_what_a_stream_tells_is_committed"]),
    33: ("thread.created where one is made", ["test_only_a_thread_made_along_is_told"]),
    34: ("the run of the last event", ["test_the_last_event_with_a_run_has_its_final_state"]),
    35: ("the run of the last event", ["test_the_last_event_with_a_run_has_its_final_state"]),
}
