"""What schemathesis is to look at besides what it knows itself: loaded by it, see run.py."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import schemathesis
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from tests.contract.official import event_problems, problems

__all__ = ["KEY", "MARKS", "STATUSES"]

KEY: Final = "sk-fuzz-0123456789abcdef"
"""The key that requests come with, which no answer may show."""

STATUSES: Final = {200, 204, 206, 400, 401, 404, 405, 408, 411, 413, 414, 415, 416, 417, 431}
"""Whatever is sent, it is carried out or is the client's mistake."""

MARKS: Final = re.compile(r"Traceback|File \"/|sqlite3?\.|pydantic|\.py\b|SELECT |INSERT |/tmp/|site-packages")
"""Signs that insides of the engine are shown."""

STATES: Final = re.compile(
    r"already has an active run|while a run .* is active|do not accept tool outputs|Cannot cancel run with status"
    r"|Expected tool outputs for call_ids|No object found with id .* to list from|it cannot .* any more"
    r"|has no part with id|is listed more than once|Expected \d+ bytes|is not among the run's tools"
    r"|needs purpose 'vision'|cannot run the tool 'code_int|has no vector stores yet|they cannot be deleted here"
    r"|is not the one that was sent|Cannot cancel file batch|not both|Give either|must be specified for each file"
    r"|expected an integer, but got a decimal number instead"
)
"""Why a request that is right may be refused: for what is there, or is not; and 1.0 is no integer for the API."""


@schemathesis.check
def has_the_headers_of_the_api(ctx: Any, response: Any, case: Any) -> None:
    """Look at the headers that every answer has."""
    headers = {name.lower(): value[0] for name, value in response.headers.items()}
    assert re.fullmatch(r"req_[0-9a-f]{32}", headers.get("x-request-id", "")), "no x-request-id"
    assert headers.get("openai-version") == "2020-10-01", "no openai-version"
    assert headers.get("openai-processing-ms", "").isdigit(), "no openai-processing-ms"


@schemathesis.check
def is_done_or_the_client_s_mistake(ctx: Any, response: Any, case: Any) -> None:
    """Look at the status, and at the shape of what says why."""
    assert response.status_code in STATUSES, response.status_code
    if response.status_code >= 400 and case.method.upper() != "HEAD":
        value = response.json()
        assert problems("ErrorResponse", value) == []
        assert value["error"]["type"] == "invalid_request_error"
        assert value["error"]["message"].strip()


@schemathesis.check
def shows_nothing_of_its_insides(ctx: Any, response: Any, case: Any) -> None:
    """Look for keys, tracebacks, SQL and paths."""
    text = response.content.decode("utf-8", "replace")
    assert KEY not in text
    if response.status_code >= 400:
        found = MARKS.search(text)
        assert found is None or found.group(0) in repr(case.body) + case.formatted_path, f"shows {found and found[0]}"


@schemathesis.check
def streams_official_events(ctx: Any, response: Any, case: Any) -> None:
    """Look at the events of a stream, which ends with `done`."""
    if response.headers.get("content-type", [""])[0].startswith("text/event-stream"):
        *blocks, rest = response.content.decode().split("\n\n")
        assert rest == ""
        assert blocks[-1] == "event: done\ndata: [DONE]"
        for block in blocks[:-1]:
            name, data = block.removeprefix("event: ").split("\ndata: ")
            assert event_problems(name, json.loads(data)) == []


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Pass over refusals of state, and what is not found because the body names what nobody has."""
    if isinstance(failure, RejectedPositiveData):
        return STATES.search(response.text) is None
    if isinstance(failure, EnsureResourceAvailability):
        return any(id_ in response.json()["error"]["message"] for id_ in (case.path_parameters or {}).values())
    return True
