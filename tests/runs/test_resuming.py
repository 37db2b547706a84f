from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

from toolkit import Journal, Pending, Toolset, resume, resume_stream, run, stream
from toolkit.tools.calls import Call

PENDING = Pending("run_1", "thread_1", (Call("call_1", "pay", "{}"),))


@pytest.mark.parametrize("verb", [resume, resume_stream])
@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (("run_1",), TypeError, "takes a Pending, such as result.pending, not str"),
        ((None,), TypeError, "not NoneType"),
        ((PENDING, {"approvals": {"call_1": None}}), TypeError, "None decides nothing on the call of pay"),
        ((PENDING, {"approvals": {"call_1": "yes"}}), TypeError, "'yes' decides nothing"),
        ((PENDING, {"approvals": {"call_2": True}}), ValueError, r"on 'call_2', which is not one of \['call_1'\]"),
        ((PENDING, {"on_unknown": "guess"}), ValueError, "on_unknown='guess'.*'raise', 'tell'"),
        ((PENDING, {"on_expiry": "wait"}), ValueError, "on_expiry='wait'.*'raise', 'new_run'"),
    ],
)
def test_what_cannot_be_resumed(verb: Any, arguments: Any, kind: type[Exception], said: str) -> None:
    with OpenAI(base_url="http://127.0.0.1:9", api_key="k") as client:
        pending, named = (*arguments, {})[:2]
        with pytest.raises(kind, match=said):
            verb(client, Toolset(), pending, **named)


@pytest.mark.parametrize("verb", [run, stream, resume, resume_stream])
def test_journals_and_approvers_of_another_kind(verb: Any) -> None:
    given = {"assistant_id": "a", "thread_id": "t"} if verb in (run, stream) else {"pending": PENDING}
    with OpenAI(base_url="http://127.0.0.1:9", api_key="k") as client:
        with pytest.raises(TypeError, match=r"journal=...\) takes a Journal or a path, not dict"):
            verb(client, Toolset(), **given, journal={})
        with pytest.raises(TypeError, match=r"approve=...\) takes a function that decides on a Call, not bool"):
            verb(client, Toolset(), **given, approve=True)
    with pytest.raises(TypeError, match=r"openai\.OpenAI or openai\.AsyncOpenAI first, not str"):
        verb("client", Toolset(), **given, journal=Journal("calls.db"))
