from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

from toolkit import Toolset, run, stream


@pytest.mark.parametrize("verb", [run, stream])
def test_other_clients_and_tools_are_refused_in_one_sentence(verb: Any) -> None:
    with pytest.raises(TypeError, match=r"openai\.OpenAI or openai\.AsyncOpenAI first, not str"):
        verb("client", Toolset(), assistant_id="a", thread_id="t")
    with (
        OpenAI(base_url="http://127.0.0.1:9", api_key="k") as client,
        pytest.raises(TypeError, match=r"Toolset\(f, g\), not list"),
    ):
        verb(client, [], assistant_id="a", thread_id="t")
