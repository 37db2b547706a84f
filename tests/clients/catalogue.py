"""The clients that are run here, as their registries know them; docs/compatibility.md lists the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

__all__ = ["CLIENTS", "Client", "each"]


@dataclass(frozen=True)
class Client:
    """A published package, and the program in `programs/` that uses it as its users do."""

    package: str
    version: str
    program: str
    """Its ending says the language: .py or .mjs."""
    beside: tuple[str, ...] = ()
    """What its users install with it, as pip or npm take it."""
    face: str = ""
    """The class that is used, where one package has several."""
    slow: bool = True
    """Part of `make test-all` only."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.package, self.version, self.face)))

    @property
    def requirements(self) -> tuple[str, ...]:
        return (f"{self.package}{'@' if self.is_node else '=='}{self.version}", *self.beside)

    @property
    def is_node(self) -> bool:
        return self.program.endswith(".mjs")


_OLD_HTTPX = ("httpx<0.28",)
"""What came later no longer takes the arguments that the SDK passed then."""

CLIENTS = (
    Client("openai", "1.3.0", "openai_v1_overview.py", _OLD_HTTPX),  # the first days of the API
    Client("openai", "1.17.1", "openai_v1_overview.py", _OLD_HTTPX),  # the last with version 1
    Client("openai", "1.17.1", "openai_v1_streamed.py", _OLD_HTTPX),
    Client("openai", "1.21.0", "openai_tour.py", _OLD_HTTPX),  # the first with version 2 of the API
    Client("openai", "1.109.1", "openai_tour.py"),
    Client("openai", "2.0.0", "openai_tour.py"),
    Client("openai", "2.54.0", "openai_tour.py"),
    Client("openai", "3.0.0", "openai_tour.py"),
    Client("openai", "3.50.0", "openai_tour.py", slow=False),  # the oldest and the newest that the toolkit takes
    Client("openai", "3.57.0", "openai_tour.py", slow=False),
    Client("openai", "1.21.0", "openai_tour.py", _OLD_HTTPX, face="AzureOpenAI"),
    Client("openai", "3.57.0", "openai_tour.py", face="AzureOpenAI"),
    Client("openai", "4.104.0", "openai_tour.mjs"),
    Client("openai", "6.49.0", "openai_tour.mjs"),
    Client("openai", "7.59.0", "openai_tour.mjs"),
    Client("openai", "4.104.0", "openai_tour.mjs", face="AzureOpenAI"),
    Client("openai", "7.59.0", "openai_tour.mjs", face="AzureOpenAI"),
    Client("azure-ai-agents", "1.1.0", "azure_ai_agents.py"),
    Client("langchain", "0.3.27", "langchain_agent.py", ("openai==1.109.1",)),
    Client("langchain-classic", "1.0.8", "langchain_agent.py", ("openai==3.57.0",)),
    Client("llama-index-agent-openai", "0.4.12", "llama_index_agent.py"),
    Client("autogen-ext", "0.7.5", "autogen_agent.py", ("autogen-ext[openai]", "autogen-agentchat==0.7.5")),
    Client("pyautogen", "0.2.35", "pyautogen_agent.py", ("openai==1.109.1",)),
    Client("semantic-kernel", "1.45.0", "semantic_kernel_agent.py"),
    Client("agency-swarm", "0.7.2", "agency_swarm_agency.py"),
    Client("marvin", "2.3.8", "marvin_assistant.py"),
    Client("litellm", "1.106.12", "litellm_assistants.py"),
    Client("ai", "3.4.33", "vercel_ai.mjs", ("openai@4.104.0",)),
)


def each(*programs: str) -> list[Any]:
    """Give the clients that run one of these programs, as parameters of a test; the slow ones are marked."""
    return [
        pytest.param(client, id=str(client), marks=[pytest.mark.slow] * client.slow)
        for client in CLIENTS
        if client.program.partition(".")[0] in programs
    ]
