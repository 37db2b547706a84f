from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

from toolkit import Toolset, run, stream
from toolkit.engine import Engine


@pytest.mark.parametrize("verb", [run, stream])
def test_other_clients_and_tools_are_refused_in_one_sentence(verb: Any) -> None:
    with pytest.raises(TypeError, match=r"openai\.OpenAI or openai\.AsyncOpenAI first, not str"):
        verb("client", Toolset(), assistant_id="a", thread_id="t")
    with OpenAI(base_url="http://127.0.0.1:9", api_key="k") as client:
        with pytest.raises(TypeError, match=r"Toolset\(f, g\), not list"):
            verb(client, [], assistant_id="a", thread_id="t")
        with pytest.raises(TypeError, match=r"Limits\(seconds=60\), not dict"):
            verb(client, assistant_id="a", thread_id="t", limits={"seconds": 60})
        with pytest.raises(ValueError, match=r"\(missing='ignore'\): write \"raise\" or \"tell\""):
            verb(client, assistant_id="a", thread_id="t", missing="ignore")


@pytest.mark.parametrize("verb", [run, stream])
def test_an_engine_is_asked_for_its_client(verb: Any) -> None:
    with (
        Engine("sqlite:///:memory:") as engine,
        pytest.raises(TypeError, match=r"not Engine; write engine\.client\(\)"),
    ):
        verb(engine, assistant_id="a", thread_id="t")
