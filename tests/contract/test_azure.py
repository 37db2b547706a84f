"""Clients of Azure; the numbers are those of the list of clients' behaviours (test_clients.py)."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import AzureOpenAI

from tests.contract.talk import BOTH, FLIGHTS, TOOLS, WEATHER, until
from tests.engine.scripted import answer, ask


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_the_azure_class_of_the_sdk(begin: Any) -> None:
    """1. Paths under /openai, the key in `api-key`, an api-version on each request."""
    talk = begin(ask(WEATHER, FLIGHTS), answer("Done."), api_keys={"secret": "default"})
    hooks: Any = {"response": [talk.inspector.hook]}
    http = httpx2.Client(event_hooks=hooks, verify=False)
    endpoint = str(talk.http.base_url)
    client = AzureOpenAI(azure_endpoint=endpoint, api_key="secret", api_version="2024-05-01-preview", http_client=http)
    assistant = client.beta.assistants.create(model="my-deployment", tools=TOOLS)
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        run = stream.get_final_run()
    outputs: Any = BOTH
    done = client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs
    )
    assert done.status == "completed"
    assert client.beta.threads.messages.list(thread.id).data[0].run_id == run.id
    http.close()


def test_azure_ai_agents(begin: Any) -> None:
    """2, 17. Paths right after the endpoint, api-version=v1, no beta header; lists until `last_id` is null."""
    talk = begin(answer("Hi"))
    version = {"api-version": "v1"}
    headers = {"x-ms-client-request-id": "0b2b1a", "accept": "application/json"}
    agent = talk.sent("POST", "/assistants", params=version, headers=headers, json={"model": "m", "tools": []})
    thread = talk.sent("POST", "/threads", params=version, headers=headers, json={})
    for number in range(3):
        body = {"role": "user", "content": f"{number}"}
        talk.sent("POST", f"/threads/{thread['id']}/messages", params=version, headers=headers, json=body)
    body = {"assistant_id": agent["id"], "stream": False, "tool_resources": {}, "tools": [], "metadata": {}}
    run = talk.sent("POST", f"/threads/{thread['id']}/runs", params=version, headers=headers, json=body)
    path = f"/threads/{thread['id']}/runs/{run['id']}"
    until(lambda: talk.sent("GET", path, params=version, headers=headers)["status"] == "completed")
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        query = {**version, "limit": "2", "order": "asc", **after}
        page = talk.sent("GET", f"/threads/{thread['id']}/messages", params=query, headers=headers)
        seen += [message["content"][0]["text"]["value"] for message in page["data"]]
        if page["last_id"] is None:
            break
        after = {"after": page["last_id"]}
    assert seen == ["0", "1", "2", "Hi"]


@pytest.mark.parametrize("prefix", ["/v1", "/openai", "/openai/v1", ""])
def test_the_same_under_every_prefix(begin: Any, prefix: str) -> None:
    """1, 2. Clients append the paths to whatever they take for the base."""
    talk = begin()
    made = talk.sent("POST", f"{prefix}/threads", json={})
    assert talk.sent("GET", f"{prefix}/threads/{made['id']}") == made
    assert talk.sent("GET", f"{prefix}/models")["data"][-1]["id"] == "offline"
