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


def test_every_list_ends_with_null(begin: Any) -> None:
    """17. azure-ai-agents asks again until `last_id` is null, whatever `has_more` says: on every list."""
    talk = begin(answer("Hi"))
    run = talk.poll()
    file = talk.client.files.create(file=("notes.txt", b"Some notes."), purpose="assistants")
    store = talk.client.vector_stores.create(name="Notes")
    batch = talk.client.vector_stores.file_batches.create(store.id, file_ids=[file.id])
    runs = f"/threads/{run.thread_id}/runs"
    stores = f"/vector_stores/{store.id}"
    paths = ["/assistants", "/threads", f"/threads/{run.thread_id}/messages", runs, f"{runs}/{run.id}/steps"]
    paths += ["/files", "/vector_stores", f"{stores}/files", f"{stores}/file_batches/{batch.id}/files"]
    for path in paths:
        page = talk.sent("GET", path, params={"limit": "1"})
        pages = [page]
        while page["last_id"] is not None:
            page = talk.sent("GET", path, params={"limit": "1", "after": page["last_id"]})
            pages.append(page)
            assert len(pages) < 5, path
        assert len(pages) > 1, path
        assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}, path


@pytest.mark.parametrize("prefix", ["/v1", "/openai", "/openai/v1", ""])
def test_the_same_under_every_prefix(begin: Any, prefix: str) -> None:
    """1, 2. Clients append the paths to whatever they take for the base."""
    talk = begin()
    made = talk.sent("POST", f"{prefix}/threads", json={})
    assert talk.sent("GET", f"{prefix}/threads/{made['id']}") == made
    assert talk.sent("GET", f"{prefix}/models")["data"][-1]["id"] == "offline"
