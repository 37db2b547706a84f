from __future__ import annotations

from typing import Any

import pytest

from toolkit.engine.endpoint.listing import window_of, windows_in


@pytest.mark.parametrize(
    ("entry", "window"),
    [
        ({"max_model_len": 32768, "root": "m", "permission": []}, 32768),  # vLLM, SGLang
        ({"context_length": 131072, "top_provider": {"context_length": 65536}}, 65536),  # OpenRouter
        ({"context_window": 131072, "max_completion_tokens": 32768}, 131072),  # Groq
        ({"max_context_length": 32768, "capabilities": {}}, 32768),  # Mistral
        ({"max_context_length": 131072, "loaded_context_length": 4096, "state": "loaded"}, 4096),  # LM Studio, own API
        ({"meta": {"n_ctx_train": 131072, "n_ctx": 8192, "n_params": 7}}, 8192),  # llama.cpp
        ({"meta": {"n_ctx_train": 131072}}, 131072),  # llama.cpp, older
        ({"max_context": 524288}, 524288),  # ArliAI
        ({"owned_by": "openai"}, None),
        ({"context_length": None, "max_model_len": "8192", "context_window": 0}, None),
        ({"context_length": True, "max_context": -1, "meta": [], "top_provider": None}, None),
        ({"context_length": 1.5e5}, None),
    ],
)
def test_windows(entry: dict[str, Any], window: int | None) -> None:
    assert windows_in({"object": "list", "data": [{"id": "m", **entry}]}) == {"m": window}


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, ["a", "b"]),
        ([{"id": "a"}], ["a"]),
        ({"models": [{"name": "a", "model": "a:latest"}, {"name": "b"}]}, ["a:latest", "b"]),
        ({"data": ["a", {"id": None, "name": "b"}, {}, None, 7, {"id": ""}]}, ["a", "b"]),
        ({"data": None}, []),
        (None, []),
        ("a", []),
    ],
)
def test_names(answer: object, names: list[str]) -> None:
    assert list(windows_in(answer)) == names


def test_looking_up() -> None:
    windows = {"llama3:latest": 8192, "big": 4096, "small": None}
    assert [window_of(name, windows) for name in ("llama3", "big", "small", "none")] == [8192, 4096, None, None]
    assert window_of("any", {"model.gguf": 8192}) == 8192
    assert window_of("any", {}) is None
