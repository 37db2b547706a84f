from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.engine.endpoint.failures import Told, judged, said_instead, told_by, told_in, wait_s
from toolkit.engine.model import ContextExceeded, ModelError


def judge(status: int | None, text: str = "Something.", words: str = "", **more: Any) -> ModelError:
    return judged(Told(text, words), status=status, where="http://host/v1", model="big", **more)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"message": "No.", "type": "a", "code": "b"}}, Told("No.", "b a")),
        ({"error": {"message": "No.", "code": 429}}, Told("No.", "", 429)),
        ({"error": {"message": "No.", "code": "503"}}, Told("No.", "503", 503)),
        ({"error": "No."}, Told("No.")),
        ({"error": "No.", "code": 500}, Told("No.", "", 500)),
        (
            [{"error": {"message": "No.", "code": 400, "status": "INVALID_ARGUMENT"}}],
            Told("No.", "INVALID_ARGUMENT", 400),
        ),
        ({"error": {"error": {"message": "No."}}}, Told("No.")),
        ({"error": {"message": {"detail": "No."}}}, Told('{"detail": "No."}')),
        ({"error": {"reason": "é"}}, Told('{"reason": "é"}')),
        ({"object": "error", "message": "No.", "code": 404}, Told("No.", "", 404)),
        ({"error": True}, Told("true")),
        ({"error": None, "choices": []}, None),
        ({"error": {}}, None),
        ({"error": ""}, None),
        ({"choices": []}, None),
        ([], None),
        ("error", None),
    ],
)
def test_errors_inside_answers(body: object, told: Told | None) -> None:
    assert told_in(body) == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"message": "No."}}, Told("No.")),
        ({"detail": "Not Found"}, Told("Not Found")),
        ({"detail": [{"loc": ["body", "x"], "msg": "no"}]}, Told('[{"loc": ["body", "x"], "msg": "no"}]')),
        ({"message": "No.", "type": "a"}, Told("No.", "a")),
        ("No.", Told("No.")),
        (b"upstream connect error", Told("upstream connect error")),
        (b"<html><body>502</body></html>", Told("a web page")),
        (b"", Told("")),
        (b"\xff", Told("\ufffd")),
        (b"[" * 100_000, Told("[" * 100_000)),
    ],
)
def test_bodies_of_refusals(body: object, told: Told) -> None:
    assert told_by(body if isinstance(body, bytes) else json.dumps(body).encode()) == told


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_work_later(status: int) -> None:
    error = judge(status, retry_after_s=3.0)
    assert (error.retry, error.retry_after_s) == (True, 3.0)
    assert error.code == ("rate_limit_exceeded" if status == 429 else "server_error")


@pytest.mark.parametrize("status", [301, 307, 400, 401, 402, 403, 404, 405, 422])
def test_what_will_not(status: int) -> None:
    error = judge(status)
    assert (error.retry, error.code) == (False, "server_error")


@pytest.mark.parametrize(
    ("status", "text", "words", "code"),
    [
        (429, "You exceeded your current quota.", "insufficient_quota", "rate_limit_exceeded"),
        (402, "Insufficient Balance", "", "server_error"),
        (400, "No.", "content_filter", "invalid_prompt"),
        (None, "No.", "invalid_request_error", "server_error"),
        (None, "No.", "insufficient_quota", "server_error"),
    ],
)
def test_words_that_end_it(status: int | None, text: str, words: str, code: str) -> None:
    error = judge(status, text, words)
    assert (error.retry, error.code) == (False, code)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", "server_error"),
        ("server_error", "server_error"),
        ("overloaded", "server_error"),
        ("rate_limit", "rate_limit_exceeded"),
    ],
)
def test_an_error_inside_a_stream_may_pass(words: str, code: str) -> None:
    error = judge(None, words=words)
    assert (error.retry, error.code) == (True, code)


def test_an_error_inside_a_stream_may_name_a_status() -> None:
    error = judged(Told("No.", "", 400), status=None, where="w", model="m")
    assert not error.retry
    assert judged(Told("No.", "", 503), status=200, where="w", model="m").retry


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        (
            400,
            "This model's maximum context length is 4096 tokens. However, you requested 5000.",
            "context_length_exceeded",
        ),
        (400, "the request exceeds the available context size", "exceed_context_size_error"),
        (400, "Prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error"),
        (400, "The input token count (1300000) exceeds the maximum number of tokens allowed", "INVALID_ARGUMENT"),
        (400, "Please reduce the length of the messages or completion.", ""),
        (413, "Payload Too Large", ""),
        (429, "Request too large for m on tokens per min (TPM): Limit 30000, Requested 40000.", "rate_limit_exceeded"),
        (400, "Your request exceeded model token limit: 8192.", ""),
        (400, "Range of input length should be [1, 30720].", ""),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.", ""),
        (400, "litellm.ContextWindowExceededError: too much.", ""),
        (500, "Trying to keep the first 5000 tokens when context the overflows.", ""),
        (None, "context length exceeded", ""),
    ],
)
def test_a_request_that_is_too_long_says_so(status: int | None, text: str, words: str) -> None:
    error = judge(status, text, words)
    assert isinstance(error, ContextExceeded)
    assert (error.code, error.retry) == ("invalid_prompt", False)
    assert text in error.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "choices": None}, Told("login fail")),
        ({"code": "InvalidParameter", "message": "No."}, Told("No.", "InvalidParameter")),
        ({"error_code": 110, "error_msg": "Access token invalid"}, Told("Access token invalid")),
        ({"detail": "Not Found"}, Told("Not Found")),
        ({"message": {"a": 1}, "detail": "", "base_resp": []}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_what_is_said_instead_of_an_answer(answer: object, told: Told | None) -> None:
    assert said_instead(answer) == told


def test_too_many_tokens_a_minute_is_not_too_long() -> None:
    error = judge(429, "Rate limit reached: too many tokens per minute.")
    assert not isinstance(error, ContextExceeded)
    assert error.retry


@pytest.mark.parametrize(
    ("status", "text", "parts"),
    [
        (
            401,
            "Incorrect API key",
            ["http://host/v1", "refused the key", "--model-key-file", "TOOLKIT_MODEL_KEY", "OPENAI_API_KEY"],
        ),
        (
            404,
            "The model `big` does not exist",
            ["'big'", "--model NAME", "--model-map ASKED=NAME", "--config", "http://host/v1"],
        ),
        (400, "big is not a valid model ID", ["'big'", "--model NAME"]),
        (404, "", ["http://host/v1", "404", "--model-url", "/v1", "'big'"]),
        (302, "", ["has moved (status 302)", "--model-url"]),
        (302, "http://new/v1", ["has moved to http://new/v1 (status 302)", "--model-url"]),
        (400, "API key not valid. Please pass a valid API key.", ["refused the key (400)", "--model-key-file"]),
        (418, "I am a teapot", ["418", "I am a teapot."]),
        (400, "'temperature' is not supported with this model", ["status 400", "'temperature'"]),
    ],
)
def test_texts_a_person_can_act_on(status: int, text: str, parts: list[str]) -> None:
    message = judge(status, text).message
    assert all(part in message for part in parts), message


def test_keys_are_never_shown_and_long_texts_are_cut() -> None:
    message = judge(401, f"Key sk-secret is wrong.\n{'x' * 1000}", secrets=["sk-secret"]).message
    assert "sk-secret" not in message
    assert "[key] is wrong. xxx" in message
    assert len(message) < 800


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("Please try again in 6.5s.", 6.5),
        ("Try again in 250ms", 0.25),
        ("Please retry in 1h2m3.5s.", 3723.5),
        ("Retry after 30s", 30.0),
        ("Please retry in 2m.", 120.0),
        ("Try again later.", None),
        ("Please retry in a minute.", None),
    ],
)
def test_how_long_to_wait_as_the_text_says(text: str, wait: float | None) -> None:
    assert judge(429, text).retry_after_s == wait
    assert judge(429, text, retry_after_s=1.0).retry_after_s == 1.0


def test_a_rate_that_is_called_a_quota() -> None:
    text = "You exceeded your current quota, please check your plan and billing details."
    assert not judge(429, text, "RESOURCE_EXHAUSTED").retry
    error = judge(429, f"{text} Please retry in 20s.", "RESOURCE_EXHAUSTED")
    assert (error.retry, error.code, error.retry_after_s) == (True, "rate_limit_exceeded", 20.0)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait: float | None) -> None:
    assert wait_s(headers, now=1795348800.0) == wait
