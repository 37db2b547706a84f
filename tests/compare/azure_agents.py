"""What azure-ai-agents does in runs: `run.py` starts it, with the engine's address and the names of cases."""

from __future__ import annotations

import sys
import time
from functools import partial
from importlib.metadata import version
from typing import Any

from azure.ai.agents import AgentsClient
from azure.ai.agents.models import FunctionTool, ToolSet
from azure.core.pipeline.policies import SansIOHTTPPolicy
from cases import breaks, go_through, slow, weather


def slower(city: str) -> str:
    """Take longer than the run may."""
    time.sleep(2)
    return "slower"


def ask(client: AgentsClient, case: str) -> str:
    tools = ToolSet()
    tools.add(FunctionTool({weather, breaks, slow, slower}))
    client.enable_auto_function_calls(tools)
    agent = client.create_agent(model=case, name="a", toolset=tools)
    thread = client.threads.create()
    client.messages.create(thread.id, role="user", content="Hi")
    if case == "broken stream":
        try:
            with client.runs.stream(thread.id, agent_id=agent.id) as events:
                events.until_done()
        finally:
            print(f"    the run is {[str(run.status) for run in client.runs.list(thread.id)]} then")
    if case == "left early":
        with client.runs.stream(thread.id, agent_id=agent.id) as events:
            next(event for event, *_ in events if event == "thread.message.delta")
        return f"run {[str(run.status) for run in client.runs.list(thread.id)]} after the block"
    if case == "busy thread":
        client.runs.create(thread.id, agent_id=agent.id)
    run = client.runs.create_and_process(thread.id, agent_id=agent.id, polling_interval=0.05)
    return str(run.status)


def main(url: str, cases: list[str]) -> None:
    print(f"\nazure-ai-agents {version('azure-ai-agents')}", flush=True)
    nobody: Any = object()  # no service is reached that would ask who this is
    with AgentsClient(url, credential=nobody, authentication_policy=SansIOHTTPPolicy()) as client:
        go_through(cases, partial(ask, client))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
