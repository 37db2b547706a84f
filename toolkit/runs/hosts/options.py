"""What a model may be asked with on each API, by the names of its own `create`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from openai.types import Metadata, ReasoningEffort
    from openai.types.beta.agents import session_create_params as sessions
    from openai.types.chat import (
        ChatCompletionAudioParam,
        ChatCompletionPredictionContentParam,
        ChatCompletionStreamOptionsParam,
        ChatCompletionToolChoiceOptionParam,
    )
    from openai.types.chat.completion_create_params import (
        Moderation,
        PromptCacheOptions,
        ResponseFormat,
        WebSearchOptions,
    )
    from openai.types.responses import ResponseIncludable, ResponsePromptParam, ResponseTextConfigParam, ToolParam
    from openai.types.responses import response_create_params as responses
    from openai.types.responses.service_tier import ServiceTier
    from openai.types.shared_params import Reasoning

__all__ = ["ChatOptions", "ResponsesOptions", "SessionsOptions"]


class ChatOptions(TypedDict, total=False):
    """Options of `client.chat.completions.create`; values are passed on as they are, None is not given.

    The tools are the toolset's, one answer is asked for (`n`), and whether it is streamed depends on who looks on.
    """

    audio: ChatCompletionAudioParam | None
    extra_body: Mapping[str, Any] | None
    """Fields that the client does not know, for a server that does."""
    frequency_penalty: float | None
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Metadata | None
    modalities: list[Literal["text", "audio"]] | None
    moderation: Moderation | None
    parallel_tool_calls: bool | None
    prediction: ChatCompletionPredictionContentParam | None
    presence_penalty: float | None
    prompt_cache_key: str | None
    prompt_cache_options: PromptCacheOptions | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    reasoning_effort: ReasoningEffort | None
    response_format: ResponseFormat | None
    safety_identifier: str | None
    seed: int | None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None
    stop: str | list[str] | None
    store: bool | None
    stream_options: ChatCompletionStreamOptionsParam | None
    """Of streamed answers: the usage is asked for unless this says `{"include_usage": False}`."""
    temperature: float | None
    tool_choice: ChatCompletionToolChoiceOptionParam | None
    top_logprobs: int | None
    top_p: float | None
    user: str | None
    verbosity: Literal["low", "medium", "high"] | None
    web_search_options: WebSearchOptions | None


class ResponsesOptions(TypedDict, total=False):
    """Options of `client.responses.create`; values are passed on as they are, None is not given."""

    access_programs: responses.AccessPrograms | None
    background: bool | None
    """Let the response go on at the server when nobody reads it: it is then read again, and cancelled when we leave."""
    background_options: responses.BackgroundOptions | None
    context_management: Sequence[responses.ContextManagement] | None
    extra_body: Mapping[str, Any] | None
    """Fields that the client does not know, for a server that does."""
    image: responses.Image | None
    include: list[ResponseIncludable] | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Metadata | None
    moderation: responses.Moderation | None
    parallel_tool_calls: bool | None
    prompt: ResponsePromptParam | None
    prompt_cache_key: str | None
    prompt_cache_options: responses.PromptCacheOptions | None
    prompt_cache_retention: Literal["in_memory", "24h"] | None
    reasoning: Reasoning | None
    safety_identifier: str | None
    service_tier: ServiceTier | None
    store: bool | None
    """False keeps nothing at the server: the whole conversation is sent each time, as on chat completions."""
    stream_options: responses.StreamOptions | None
    temperature: float | None
    text: ResponseTextConfigParam | None
    tool_choice: responses.ToolChoice | None
    tools: Sequence[ToolParam] | None
    """Tools that the service itself runs, such as web_search; functions are the toolset's."""
    top_logprobs: int | None
    top_p: float | None
    truncation: Literal["auto", "disabled"] | None
    user: str | None


class SessionsOptions(TypedDict, total=False):
    """Options of `client.beta.agents.sessions.create`; values are passed on as they are, None is not given."""

    agent: sessions.Agent | None
    """What the agent is like, or how it differs from the saved one of `agent_id`; the functions are the toolset's."""
    agent_id: str | None
    extra_body: Mapping[str, Any] | None
    """Fields that the client does not know."""
    metadata: Metadata | None
    prompt_cache_options: sessions.PromptCacheOptions | None
    review: Literal["none", "auto_review"] | None
    stream_options: sessions.StreamOptions | None
    vault_ids: Sequence[str] | None
