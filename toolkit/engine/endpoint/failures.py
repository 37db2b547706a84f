"""What a model endpoint's refusal means: whether to ask again, when, and what a person can do about it. No I/O.

An error comes as an object, a text or an array, with its code as a number, a word or not at all, at a fitting status or
at 200, even in the middle of a stream. All of it becomes one ModelError.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

from toolkit.engine.model import ContextExceeded, ModelError

__all__ = ["Told", "judged", "said_instead", "told_by", "told_in", "wait_s"]

_TRY_AGAIN: Final = frozenset({408, 409, 425, 429})
_SHOWN: Final = 500
"""Characters shown of what a server said."""

_CONTEXT = re.compile(
    r"context_length_exceeded|exceed_context_size|context[ _]?(length|window|size)|overflows?\b.*context"
    r"|context the overflows|(prompt|input|request|messages?) (is|are) too (long|large)|maximum (prompt|input) length"
    r"|too many (input |prompt )?tokens|token count .*exceeds|reduce the length|prompt tokens? exceeds?"
    r"|exceed(s|ed)? (the )?(model )?token limit|range of input length|tokens.{0,40} must be <=",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content[_ -]?(filter|policy)|responsibleai|data_inspection_failed|safety system|moderation", re.IGNORECASE
)
_QUOTA = re.compile(r"insufficient[_ ](quota|balance|credit|funds)|billing|exceeded your current quota", re.IGNORECASE)
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
"""More tokens at once than the account may send in a minute: waiting does not help, sending less does."""
_AGAIN_IN = re.compile(r"(?:retry|try again) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)", re.IGNORECASE)
_UNITS_S: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_RATE = re.compile(r"rate[_ ]?limit|too many requests|resource_exhausted|throttl", re.IGNORECASE)
_FINAL = re.compile(
    r"invalid_request|invalid_argument|bad_?request|authentication|unauthenticated|unauthorized|permission"
    r"|invalid_api_key|not_found|notfound|unprocessable",
    re.IGNORECASE,
)
_KEY = re.compile(r"api[_ -]?key (is )?(not valid|invalid|expired|missing|not found)", re.IGNORECASE)
_MODEL = re.compile(
    r"model_?not_?found|(not a valid|invalid|unknown|no such) model|\bmodel\b.{0,100}?(not (exist|found|known|available"
    r"|supported|loaded)|does ?n.t exist|does not exist|unknown)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Told:
    """An error as a server told it."""

    text: str
    """For people."""
    words: str = ""
    """Its code, type and status, for us."""
    status: int | None = None
    """The HTTP status that it names, None when it names none."""


def told_in(body: object) -> Told | None:
    """Find the error in the JSON of an answer that should have been a completion; None when it tells of none."""
    if isinstance(body, list):
        found = (told_in(each) for each in cast("list[object]", body))
        return next((each for each in found if each), None)
    if not isinstance(body, dict):
        return None
    answer = cast("dict[str, Any]", body)
    if error := answer.get("error"):
        return _read(error, answer)
    return _read(answer, answer) if answer.get("object") == "error" else None


def said_instead(answer: object) -> Told | None:
    """Find what JSON without a completion says, though it calls it no error (MiniMax, DashScope, Qianfan)."""
    if not isinstance(answer, dict):
        return None
    answer = cast("dict[str, Any]", answer)
    places = (answer.get("base_resp"), answer)
    for place in (cast("dict[str, Any]", each) for each in places if isinstance(each, dict)):
        for key in ("message", "detail", "msg", "error_msg", "status_msg"):
            if isinstance(text := place.get(key), str) and text:
                return Told(text, str(place.get("code") or ""))
    return None


def told_by(body: bytes) -> Told:
    """Read the body of an answer whose status says that it is a refusal: JSON of any shape, text, HTML, or nothing."""
    text = body.decode(errors="replace").strip()
    try:
        read: object = json.loads(text)
    except (ValueError, RecursionError):
        return Told("a web page" if text.startswith("<") else text)
    return told_in(read) or (_read(read, {}) if isinstance(read, dict | str) else Told(text))


def _read(error: Any, around: Mapping[str, Any]) -> Told:
    """Read an error object, or the text that stands in its place."""
    if not isinstance(error, dict):
        return Told(error if isinstance(error, str) else json.dumps(error), "", _status(around.get("code")))
    error = cast("dict[str, Any]", error)
    if isinstance(inner := error.get("error"), dict | str) and inner:
        return _read(inner, error)
    text = next((said for key in ("message", "detail", "msg") if (said := error.get(key))), None)
    words = [error.get(key) for key in ("code", "type", "status")]
    numbers = [_status(word) for word in (*words, around.get("code"), around.get("status"))]
    return Told(
        text if isinstance(text, str) else json.dumps(text or error, ensure_ascii=False),
        " ".join(word for word in words if isinstance(word, str)),
        next((number for number in numbers if number), None),
    )


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:4])
    return value if isinstance(value, int) and 400 <= value < 600 else None


def judged(
    told: Told,
    *,
    status: int | None,
    where: str,
    model: str,
    secrets: Collection[str] = (),
    retry_after_s: float | None = None,
) -> ModelError:
    """Judge a refusal. `status` is that of the answer, None inside a stream; `where` names the endpoint to people.

    `secrets` are left out of the text: some servers repeat the key they were sent.
    """
    status = status if status is not None and status >= 300 else told.status
    all_words = f"{told.words} {told.text}"
    said = _shown(told.text, secrets)
    again_s = _again_in_s(told.text) if retry_after_s is None else retry_after_s
    too_long = _TOO_LARGE if status == 429 else _CONTEXT
    if status == 413 or (status not in (401, 403, 404) and too_long.search(all_words)):
        return ContextExceeded(f"The request is too long for the model {model!r}: {said}", code="invalid_prompt")
    if status != 429 and _FILTER.search(told.words):
        return ModelError(f"The model's content filter refused the request: {said}", code="invalid_prompt")
    if status == 402 or (_QUOTA.search(all_words) and again_s is None):  # Gemini calls each of its rates a quota
        text = f"The account at the model endpoint {where} has run out of quota or credit: {said}"
        return ModelError(text, code="rate_limit_exceeded" if status == 429 else "server_error")
    if status == 429 or (status is None and _RATE.search(all_words)):
        text = f"The model endpoint {where} asks for fewer requests: {said}"
        return ModelError(text, code="rate_limit_exceeded", retry=True, retry_after_s=again_s)
    if status is None:
        retry = not _FINAL.search(told.words)
        return ModelError(f"The model endpoint {where} reported an error: {said}", retry=retry)
    retry = status in _TRY_AGAIN or status >= 500
    return ModelError(_advice(status, said, told, where, model), retry=retry, retry_after_s=retry_after_s)


def _advice(status: int, said: str, told: Told, where: str, model: str) -> str:
    if status in (401, 403) or (status == 400 and _KEY.search(told.text)):
        return (
            f"The model endpoint {where} refused the key ({status}): {said} "
            "Check --model-key-file, TOOLKIT_MODEL_KEY or OPENAI_API_KEY, or key_file in the --config file."
        )
    if status < 500 and _MODEL.search(f"{told.words} {told.text}"):
        return (
            f"The model endpoint {where} does not know the model {model!r} ({status}): {said} "
            f"Name one that it has: --model NAME, --model-map ASKED=NAME, or [models] in the --config file."
        )
    if status == 404:
        return (
            f"The model endpoint {where} was not found (404): {said} Check --model-url, which often ends in /v1, "
            f"and the model's name {model!r} (--model, --model-map, or [models] in the --config file)."
        )
    if status < 400:
        to = f" to {told.text}" if told.text else ""
        return f"The model endpoint {where} has moved{to} (status {status}). Give its new address with --model-url."
    return f"The model endpoint {where} answered with status {status}: {said}"


def _shown(text: str, secrets: Collection[str]) -> str:
    """Show what a server said as one short sentence, without the key that some of them repeat."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    text = " ".join(text.split())
    if len(text) > _SHOWN:
        text = text[:_SHOWN] + "..."
    return text if not text or text[-1] in ".!?" else text + "."


def _again_in_s(text: str) -> float | None:
    """Read how long to wait out of a text: "try again in 1m2.5s" (OpenAI, Groq), "retry in 38.8s" (Gemini)."""
    found = _AGAIN_IN.search(text)
    if found is None:
        return None
    parts = re.findall(r"([\d.]+)(ms|h|m|s)", found[1].lower())
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def wait_s(headers: Mapping[str, str], now: float) -> float | None:
    """Tell how long the server asks us to wait, from `retry-after-ms` or `retry-after` (seconds, or a date)."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        value = headers.get(name, "")
        try:
            seconds = float(value) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(seconds, 0.0)
    try:
        return max(parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None
