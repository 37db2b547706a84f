"""A short fuzz, the same each time, which finds nothing; and what is found when something is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.contract.operations import OFFICIAL
from tests.contract.raw import raw
from tests.fuzz.attacks import forms, heads
from tests.fuzz.checks import KEY
from tests.fuzz.run import fuzz, main
from tests.fuzz.world import Faults, World

SHORT = ("--states", "settled", "--phases", "fuzzing", "--examples", "1", "--attacks", "40")
CHAINS = ("--states", "settled", "--phases", "stateful", "--examples", "30", "--attacks", "400")


@pytest.mark.parametrize("asked", [SHORT, pytest.param(CHAINS, marks=pytest.mark.slow)])
def test_a_short_fuzz_finds_nothing(capfd: pytest.CaptureFixture[str], asked: tuple[str, ...]) -> None:
    code = main(asked)
    said = capfd.readouterr()
    assert (code, said.err) == (0, ""), said.out
    assert re.findall("^# .*$", said.out, re.MULTILINE) == ["# settled", "# heads", "# forms", "# texts"]
    assert asked == CHAINS or f"Tested: {len(OFFICIAL) + 1}\n" in said.out, "all that there is, and the list of threads"


def saying(text: str, *, status: int = 200, **headers: str) -> Any:
    """Make a server that answers everything alike."""
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for part in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{part}.complete"})
            return
        length = (b"content-length", str(len(text)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [length, *told]})
        await send({"type": "http.response.body", "body": text.encode()})

    return app


RIGHT = {"x_request_id": f"req_{'0' * 32}", "openai_version": "2020-10-01", "openai_processing_ms": "1"}
ERROR = '{"error":{"message":"%s","type":"invalid_request_error","param":null,"code":null}}'
ONCE = settings(max_examples=3, phases=[Phase.generate], derandomize=True, database=None, deadline=None)


@pytest.mark.parametrize(
    "app",
    [
        saying("{}"),
        saying(ERROR % "no", status=500, **RIGHT),
        saying('{"detail":"no"}', status=400, **RIGHT),
        saying(f'{{"key":"{KEY}"}}', **RIGHT),
        saying(ERROR % 'File \\"/srv/app.py\\", line 3', status=400, **RIGHT),
    ],
    ids=["headers", "a fault", "another shape", "a key", "insides"],
)
def test_what_is_wrong_is_found(app: Any) -> None:
    with raw(app) as server:
        for attack in (heads, forms):
            with pytest.raises((AssertionError, ExceptionGroup)):
                attack(World(server, Faults(), {"upload_id": "upload_a"}), ONCE)


@pytest.mark.slow
def test_what_is_wrong_is_found_by_schemathesis_too(capfd: pytest.CaptureFixture[str]) -> None:
    with raw(saying('{"object":"list"}', content_type="application/json")) as server:
        asked = ("--phases", "fuzzing", "--max-examples", "1", "--include-operation-id", "listModels")
        assert not fuzz(World(server, Faults()), asked)
    said = capfd.readouterr().out
    for found in ("no x-request-id", '"data" is a required property', "Response violates schema"):
        assert found in said
