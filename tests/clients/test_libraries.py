"""Libraries that were built on the Assistants API, each used as its own documentation shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.certificates import Certificate, certificate
from tests.cli.test_serve import serve
from tests.clients.catalogue import CLIENTS, Client, each
from tests.clients.conftest import KEY, Facts
from tests.clients.environments import NotInstalled, python
from tests.clients.model import serving_model

HELLO, AGAIN = "You said: Hello there", "You said: Hello again"
BOTH, OSLO = "It is 21 degrees and 9 degrees.", "It is 9 degrees."

TOLD: dict[str, Facts] = {
    "langchain_agent": {
        "answer": HELLO,
        "answer in the same thread": [AGAIN],
        "calls": [["get_weather", {"city": "Seoul"}]],
        "executed": [BOTH, []],
        "outputs by hand": OSLO,
        "awaited": ["get_weather", {"city": "Oslo"}],
    },
    "llama_index_agent": {
        "chat": HELLO,
        "chat with calls": BOTH,
        "awaited": OSLO,
        "history": [
            ["user", "Hello there"],
            ["assistant", HELLO],
            ["user", "The weather in Seoul and Oslo?"],
            ["assistant", BOTH],
            ["user", "The weather in Oslo?"],
            ["assistant", OSLO],
        ],
        "uploaded": "notes.txt",
        "attached": [True],
        "found again": ["Weather", 7],
        "reset": 0,
    },
    "autogen_agent": {
        "answer": HELLO,
        "answer with calls": BOTH,
        "what happened": ["ToolCallRequestEvent", "ToolCallExecutionEvent"],
        "found again": AGAIN,
        "messages": 6,
        "reset": 0,
        "files": [["notes.txt"], 1],
        "searched": "My notes say so 【0:0†source】.",
        "deleted": [0, 0],
    },
    "pyautogen_agent": {"answer": HELLO, "answer with calls": BOTH, "found again": True, "reset": AGAIN},
    "semantic_kernel_agent": {
        "answer": HELLO,
        "answer with calls": [BOTH],
        "what happened": [*["FunctionCallContent"] * 2, *["FunctionResultContent"] * 2],
        "streamed": OSLO,
        "thread": ["Hello there", HELLO, "The weather in Seoul and Oslo?", BOTH, "The weather in Oslo?", OSLO],
    },
    "agency_swarm_agency": {
        "answer": HELLO,
        "answer with calls": BOTH,
        "streamed": OSLO,
        "settings": ["Weather"],
        "found again": [True, AGAIN],
        "uploaded, first time": ["oslo.md", True],
        "uploaded, second time": ["oslo.md", True],
        "searched": "My notes say so 【0:0†source】.",
    },
    "litellm_assistants": {
        "made": ["Plain", "gpt-4o"],
        "assistants": ["Plain"],
        "run": "completed",
        "messages": [HELLO, "Hello there", "Hello"],
        "streamed": AGAIN,
        "awaited": ["completed", "You said: Hi"],
        "deleted": True,
    },
    "vercel_ai": {
        "codes": "540",
        "answer": HELLO,
        "answer with calls": BOTH,
        "data": [{"calls": 2}],
        "errors": [],
    },
}
MARVIN: Facts = {
    "answer": ["completed", HELLO],
    "answer with calls": ["completed", BOTH],
    "steps": ["tool_calls", "message_creation"],
    "events": ["thread.run.created", "thread.run.completed"],
    "thread": ["Hello", "Hello again", AGAIN],
    "thread, newest": [AGAIN],
    "deleted": True,
}
AZURE: Facts = {
    "agent": ["Weather", "my-deployment", {"a": "b"}],
    "agent changed": "Skies",
    "agents": ["Other 2", "Other 1", "Other 0", "Skies"],
    "thread changed": {"user": "ada"},
    "run": ["completed", 25],
    "messages": ["Hello there", HELLO],
    "last": HELLO,
    "run with calls": ["completed", BOTH],
    "steps": [["tool_calls", "completed"], ["message_creation", "completed"]],
    "runs": ["completed", "completed"],
    "streamed": [
        OSLO,
        ["queued", "queued", "in_progress", "requires_action", "done", "queued", "in_progress", "completed", "done"],
    ],
    "file": ["azure_ai_agents.py", True],
    "attached": [True],
    "store": ["Notes", "completed", 1],
    "store file": "completed",
    "batch": ["completed", 1],
    "store files": [True],
    "store changed": "Cities",
    "searched": ["completed", "My notes say so [1].", True],
    "search in steps": ["file_search"],
    "stores": [],
    "cancelled": "cancelled",
    "cancelled twice": [400, True],
    "deleted": 404,
}


@pytest.mark.parametrize("client", each(*TOLD))
def test_a_library_does_what_it_did(client: Client, server: str, tell: Callable[..., Facts]) -> None:
    environment = {"OPENAI_BASE_URL": f"{server}/v1", "OPENAI_API_KEY": KEY}
    if client.package == "litellm":
        environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would fetch a list of prices
    assert tell(client, **environment) == TOLD[client.program.partition(".")[0]]


@pytest.mark.parametrize("client", each("marvin_assistant"))
def test_marvin(client: Client, server: str, tell: Callable[..., Facts], tokenizers: Path) -> None:
    environment = {"OPENAI_BASE_URL": f"{server}/v1", "OPENAI_API_KEY": KEY, "TIKTOKEN_CACHE_DIR": str(tokenizers)}
    assert tell(client, **environment) == MARVIN


@pytest.mark.parametrize("client", each("azure_ai_agents"))
def test_azure_ai_agents(client: Client, secure: tuple[str, Certificate], tell: Callable[..., Facts]) -> None:
    endpoint, made = secure
    assert tell(client, ENDPOINT=endpoint, KEY=KEY, AUTHORITY=str(made.authority)) == AZURE


@pytest.fixture
def tokenizers() -> Path:
    """The tables that marvin fetches from elsewhere when it is imported; the package of litellm has them too."""
    [litellm] = [client for client in CLIENTS if client.package == "litellm"]
    try:
        environment = python(litellm.requirements).parents[1]
    except NotInstalled as error:
        pytest.skip(f"{litellm}, which has tables that marvin needs, cannot be installed here: {error}")
    [folder] = environment.glob("lib/python*/site-packages/litellm/litellm_core_utils/tokenizers")
    return folder


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Certificate]]:
    """Serve over https: Azure's clients send no token without it."""
    made = certificate(tmp_path / "tls")
    flags = ["--tls-cert", str(made.cert), "--tls-key", str(made.key), "--store", f"sqlite:///{tmp_path}/store.db"]
    with serving_model() as model, serve(*flags, "--model-url", model, TOOLKIT_API_KEYS=KEY) as serving:
        yield serving.url.removesuffix("/v1"), made
