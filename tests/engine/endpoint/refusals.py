"""Failures in the bytes of real servers: at 200, in mid-stream, and with a status; each with what must come of it.

Taken from fixtures, recorded traffic and issue reports of the servers named: the facts, in words of our own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.engine.endpoint.shapes import call, chunk, sse

__all__ = ["BEGUN", "BROKEN", "REFUSED", "Failing"]


@dataclass(frozen=True)
class Failing:
    """An answer that is none, and the judgement."""

    server: str
    body: bytes
    retry: bool = False
    code: str = "server_error"
    too_long: bool = False
    says: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float | None = None


def error(message: Any, **more: Any) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


def too_long(server: str, message: str, status: int = 400, **more: Any) -> Failing:
    return Failing(server, error(message, **more), False, "invalid_prompt", True, message, status)


BEGUN = sse(chunk({"role": "assistant", "content": ""}), chunk({"content": "Half an ans"}), done=False)
"""What may stand before any failure in mid-stream."""

_GEMINI_RATE = "You exceeded your current quota, please check your plan and billing details. Please retry in 38.8s."
_LLAMA_CPP = b'error: {"code":400,"message":"the request exceeds the available context size","type":"invalid_request"}'

BROKEN = [
    Failing(
        "OpenAI", sse({"error": {"message": "The server had an error", "type": "server_error"}}), True, says="had an"
    ),
    Failing("OpenAI, overloaded", sse({"error": {"message": "Busy", "code": "server_is_overloaded"}}), True),
    Failing(
        "vLLM, older", sse({"object": "error", "message": "Broken", "type": "InternalServerError", "code": 500}), True
    ),
    Failing("vLLM", sse({"error": {"message": "Bad schema", "type": "BadRequestError", "param": None, "code": 400}})),
    Failing(
        "OpenRouter",
        sse({**chunk({"content": ""}, "error"), "error": {"code": 502, "message": "Provider returned error"}}),
        True,
        says="Provider returned error",
    ),
    Failing(
        "OpenRouter, no credit left", sse({"error": {"code": 402, "message": "Insufficient credits"}}), says="credit"
    ),
    Failing("TGI", sse({"error": "Request failed during generation", "error_type": "generation"}, done=False), True),
    Failing("TGI, overloaded", sse("event: error", {"error": "Model is overloaded", "error_type": "overloaded"}), True),
    Failing("llama.cpp until 2025", _LLAMA_CPP + b"\n\ndata: [DONE]\n\n", code="invalid_prompt", too_long=True),
    Failing(
        "llama.cpp", sse({"error": {"code": 500, "message": "Failed to parse input", "type": "server_error"}}), True
    ),
    Failing("Groq, LiteLLM", sse('event: error\ndata: {"error": {"message": "Overloaded", "code": "500"}}'), True),
    Failing("an error event of text", sse("event: error\ndata: upstream closed"), True, says="upstream closed"),
    Failing("an error that is true", sse({"error": True}), True),
    Failing("an error in the choice", sse({"choices": [{"delta": {}, "error": {"message": "No", "code": 502}}]}), True),
    Failing("an array in the stream", sse('data: [{"error": {"message": "Down", "code": 503}}]'), True, says="Down"),
    Failing("rate limit in the stream", sse({"error": {"message": "Rate limit reached"}}), True, "rate_limit_exceeded"),
    Failing("DeepSeek", sse(chunk({}, "insufficient_system_resource")), True, says="insufficient_system_resource"),
    Failing("Gemini, a call it could not write", sse(chunk({}, "MALFORMED_FUNCTION_CALL")), True),
    Failing("OpenRouter, finish error", sse(chunk({}, "error")), True),
    Failing("half an event", b'data: {"choices":[{"delta":{"content":"x"', True),
    Failing("an event that is no JSON", sse("data: {content: x}"), True, says="no JSON"),
    Failing("an event that is a number", sse("data: 7"), True),
    Failing("neither reason nor end", b"", True),
    Failing("half a call", sse(chunk(call('{"ci', "weather", "call_1", 0)), done=False), True),
    Failing(
        "a call without a name",
        sse(chunk(call("{}", None, "call_1", 0)), chunk(call('{"a":1}', index=0)), chunk({}, "stop")),
        True,
    ),
]
"""Failures inside a stream of status 200; each is also replayed behind `BEGUN`."""

REFUSED = [
    # At 200, instead of an answer
    Failing("an empty body", b"", True),
    Failing("blank lines that keep alive, then nothing", b"\n\n\n", True),
    Failing("a web page", b"<!DOCTYPE html><html><body>Welcome</body></html>", says="--model-url"),
    Failing("choices null", b'{"id":"","choices":null,"usage":null}', True),
    Failing("choices empty", b'{"choices":[]}', True),
    Failing("only the end", b"data: [DONE]\n\n", True, says="answered nothing"),
    Failing("half of JSON", b'{"choices":[{"message":{"content":"He', True),
    Failing("text of a gateway", b"no healthy upstream", True),
    Failing("an error object", error("Overloaded"), True, says="Overloaded"),
    Failing("an error text", b'{"error":"model is loading"}', True, says="model is loading"),
    Failing("an error of many", b'[{"error":{"code":503,"message":"High demand","status":"UNAVAILABLE"}}]', True),
    Failing("an error of vLLM", b'{"object":"error","message":"No.","type":"NotFoundError","code":404}'),
    Failing("MiniMax", b'{"base_resp":{"status_code":1004,"status_msg":"login fail"}}', True, says="login fail"),
    Failing("DashScope", b'{"code":"invalid_api_key","message":"No."}', says="reported an error: No."),
    Failing("a wrong key at 200", error("Bad key sk-secret", type="authentication_error"), says="[key]"),
    too_long("llama.cpp of autumn 2025", "the request exceeds the available context size", 200, code=400),
    # The model is not there
    Failing(
        "Ollama", error('model "m" not found, try pulling it first', type="api_error"), status=404, says="--model NAME"
    ),
    Failing(
        "vLLM", error("The model `m` does not exist.", type="NotFoundError", code=404), status=404, says="--model-map"
    ),
    Failing("OpenAI", error("The model `m` does not exist", code="model_not_found"), status=404, says="[models]"),
    Failing(
        "LM Studio", error("No models loaded.", code="model_not_found"), status=404, says="does not know the model 'm'"
    ),
    Failing("OpenRouter", error("m is not a valid model ID", code=400), status=400, says="--config"),
    Failing(
        "Azure", error("The API deployment does not exist.", code="DeploymentNotFound"), status=404, says="--model-url"
    ),
    Failing("FastAPI", b'{"detail":"Not Found"}', status=404, says="/v1"),
    # The key
    Failing(
        "OpenAI, key",
        error("Incorrect API key: sk-secret", code="invalid_api_key"),
        status=401,
        says="--model-key-file",
    ),
    Failing("Azure, key", b'{"error":{"code":"401","message":"Access denied."}}', status=401, says="key_file"),
    Failing(
        "Gemini, key",
        b'[{"error":{"code":400,"message":"API key not valid","status":"INVALID_ARGUMENT"}}]',
        says="refused the key",
        status=400,
    ),
    Failing("Cloudflare", b"<html>Forbidden</html>", status=403, says="a web page"),
    # Quota, credit, rates
    Failing(
        "OpenAI, quota",
        error("You exceeded your current quota", code="insufficient_quota"),
        False,
        "rate_limit_exceeded",
        status=429,
    ),
    Failing("DeepSeek, balance", error("Insufficient Balance"), status=402, says="credit"),
    Failing(
        "OpenAI, rate",
        error("Rate limit reached. Please try again in 6.5s."),
        True,
        "rate_limit_exceeded",
        status=429,
        headers={"retry-after-ms": "1500", "retry-after": "2"},
        wait_s=1.5,
    ),
    Failing("Groq, rate", error("Please try again in 1m2.5s."), True, "rate_limit_exceeded", status=429, wait_s=62.5),
    Failing(
        "Gemini, rate",
        error(_GEMINI_RATE, status="RESOURCE_EXHAUSTED"),
        True,
        "rate_limit_exceeded",
        status=429,
        wait_s=38.8,
    ),
    Failing(
        "Gemini through a gateway",
        error(json.dumps({"error": {"message": _GEMINI_RATE}})),
        True,
        "rate_limit_exceeded",
        status=429,
        wait_s=38.8,
    ),
    Failing(
        "a date to come back",
        b"",
        True,
        status=503,
        headers={"retry-after": "Sun, 22 Nov 2015 12:00:30 GMT"},
        wait_s=0.0,
    ),
    # Later
    Failing(
        "llama.cpp, loading",
        error("Loading model", code=503, type="unavailable_error"),
        True,
        status=503,
        says="Loading",
    ),
    Failing("Anthropic, overloaded", error("Overloaded", type="overloaded_error"), True, status=529),
    Failing("nginx", b"<html><h1>502 Bad Gateway</h1></html>", True, status=502, says="a web page"),
    Failing("Cloudflare, time", b"error code: 524", True, status=524),
    Failing("a conflict", b"{}", True, status=409),
    Failing("a request that was too slow", b"", True, status=408),
    # Never
    Failing("a bad schema", error("Invalid schema for function 'f'", type="invalid_request_error"), status=400),
    Failing(
        "FastAPI, fields", b'{"detail":[{"type":"missing","loc":["body","messages"],"msg":"required"}]}', status=422
    ),
    Failing(
        "Azure, filter",
        error("Filtered.", code="content_filter"),
        False,
        "invalid_prompt",
        status=400,
        says="content filter",
    ),
    # Too long
    too_long("OpenAI", "maximum context length is 8192 tokens", code="context_length_exceeded"),
    too_long("vLLM", "This model's maximum context length is 4096 tokens, and you sent 5000 input tokens."),
    too_long("llama.cpp", "request (2358 tokens) exceeds the available context size", type="exceed_context_size_error"),
    too_long("Kimi", "Your request exceeded model token limit: 8192"),
    too_long("Qwen", "Range of input length should be [1, 30720]"),
    too_long("TGI", "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096", 422),
    too_long("Bedrock", "Input is too long for requested model."),
    too_long("LiteLLM", "litellm.ContextWindowExceededError: no"),
    too_long("Groq", "Request too large for model m on tokens per minute", 413, code="rate_limit_exceeded"),
    too_long("OpenAI, tokens a minute", "Request too large for m on tokens per min: Limit 1, Requested 2.", 429),
]
"""Answers that are failures as a whole."""
