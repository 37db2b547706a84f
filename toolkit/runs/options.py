"""What a run may be given beside its assistant: the options of `runs.create`, by their own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Required, TypedDict

if TYPE_CHECKING:
    from openai.types.beta import AssistantResponseFormatOptionParam, AssistantToolChoiceOptionParam, AssistantToolParam
    from openai.types.beta.threads.message_content_part_param import MessageContentPartParam
    from openai.types.beta.threads.run_create_params import AdditionalMessage, TruncationStrategy
    from openai.types.shared import ReasoningEffort

__all__ = ["InputMessage", "RunOptions"]


class InputMessage(TypedDict, total=False):
    """A message to begin with, as `messages.create` takes it."""

    role: Required[Literal["user", "assistant"]]
    content: Required[str | Iterable[MessageContentPartParam]]
    attachments: Iterable[Mapping[str, object]] | None
    metadata: Mapping[str, str] | None


class RunOptions(TypedDict, total=False):
    """Options of one run; values are passed on as they are, None is not given. Each overrides the assistant's."""

    model: str | None
    instructions: str | None
    additional_instructions: str | None
    additional_messages: Iterable[AdditionalMessage] | None
    override_tools: Sequence[AssistantToolParam] | None
    """Definitions for this run in place of the assistant's (`tools` in the API), such as `toolset.definitions`."""
    metadata: Mapping[str, str] | None
    temperature: float | None
    top_p: float | None
    max_prompt_tokens: int | None
    max_completion_tokens: int | None
    truncation_strategy: TruncationStrategy | None
    tool_choice: AssistantToolChoiceOptionParam | None
    parallel_tool_calls: bool | None
    response_format: AssistantResponseFormatOptionParam | None
    reasoning_effort: ReasoningEffort | None
