"""A large API by its own description: ours, whose description is the official one."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.doors import served
from tests.fuzz.description import described
from toolkit import Toolset
from toolkit.engine import Engine
from toolkit.openapi import from_openapi


def answer(tools: Toolset, name: str, **arguments: Any) -> Any:
    output = tools[name].call(json.dumps(arguments))
    assert output.ok, output.content
    return json.loads(output.content)


def test_the_assistants_api_as_tools() -> None:
    with Engine("sqlite:///:memory:") as engine, served(engine.app) as url:
        said = from_openapi(described({}, {}), base_url=f"{url}/v1", auth="sesame", prefix="api_")
        assert len(said) == 52
        assert sum(tool.strict for tool in said.values()) > 30
        tools = Toolset(*said.values(), strict=False)
        thread = answer(tools, "api_createThread", body={"metadata": {"a": "b/c?d"}})
        assert thread["metadata"] == {"a": "b/c?d"}
        assert answer(tools, "api_getThread", thread_id=thread["id"]) == thread
        body = {"role": "user", "content": "Grüße & more"}
        message = answer(tools, "api_createMessage", thread_id=thread["id"], body=body)
        assert message["content"][0]["text"]["value"] == "Grüße & more"
        assert answer(tools, "api_listMessages", thread_id=thread["id"], limit=1, order="asc")["data"] == [message]
        assert answer(tools, "api_deleteThread", thread_id=thread["id"])["deleted"] is True
        missing = tools["api_getThread"].call(json.dumps({"thread_id": thread["id"]}))
        assert missing.content.startswith('The API answered with status 404. {"error":')
