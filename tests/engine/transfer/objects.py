"""Objects of the API, and lines of an export, for tests that need a few."""

from __future__ import annotations

import json
from typing import Any

__all__ = [
    "assistant",
    "file",
    "item",
    "jsonl",
    "line",
    "message",
    "run",
    "step",
    "thread",
    "vector_store",
    "vector_store_file",
]


def jsonl(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def line(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "project": "default", **more, "object": value}


def item(message: str | None, *chats: Any, turn: str | None = None, thread: str = "thread_a") -> dict[str, Any]:
    names = {"message": message, "turn": turn}
    named = {name: value for name, value in names.items() if value is not None}
    return {"kind": "item", "project": "default", "thread": thread, **named, "chats": list(chats)}


def assistant(name: str = "asst_a", at: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "assistant",
        "created_at": at,
        "name": None,
        "description": None,
        "model": "m",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "top_p": 1.0,
        "temperature": 1.0,
        "response_format": "auto",
        **more,
    }


def vector_store(name: str = "vs_a", at: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "vector_store",
        "created_at": at,
        "name": "",
        "usage_bytes": 0,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "status": "completed",
        "expires_at": None,
        "last_active_at": at,
        "metadata": {},
        **more,
    }


def vector_store_file(name: str = "file-a", store: str = "vs_a", at: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": at,
        "vector_store_id": store,
        "status": "completed",
        "last_error": None,
        "chunking_strategy": {
            "type": "static",
            "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
        },
        "attributes": {},
        **more,
    }


def file(name: str = "file-a", at: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "file",
        "bytes": 3,
        "created_at": at,
        "filename": "a.txt",
        "purpose": "assistants",
        "status": "processed",
        **more,
    }


def thread(name: str = "thread_a", at: int = 100, **more: Any) -> dict[str, Any]:
    return {"id": name, "object": "thread", "created_at": at, "metadata": {}, "tool_resources": {}, **more}


def message(name: str, at: int = 101, text: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "thread.message",
        "created_at": at,
        "assistant_id": None,
        "thread_id": "thread_a",
        "run_id": None,
        "status": "completed",
        "incomplete_details": None,
        "incomplete_at": None,
        "completed_at": at,
        "role": "user",
        "content": [{"type": "text", "text": {"value": text or name, "annotations": []}}],
        "attachments": [],
        "metadata": {},
        **more,
    }


def run(name: str = "run_a", at: int = 102, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "object": "thread.run",
        "created_at": at,
        "assistant_id": "asst_a",
        "thread_id": "thread_a",
        "model": "m",
        "instructions": "",
        "tools": [],
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        "max_prompt_tokens": None,
        "max_completion_tokens": None,
        "truncation_strategy": {"last_messages": None, "type": "auto"},
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "tool_resources": {},
        "status": "completed",
        "required_action": None,
        "last_error": None,
        "started_at": at,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": at,
        "incomplete_details": None,
        "usage": None,
        "expires_at": None,
        "metadata": {},
        **more,
    }


def step(name: str = "step_a", at: int = 103, *, made: str | None = None, **more: Any) -> dict[str, Any]:
    calls = {"type": "tool_calls", "tool_calls": []}
    details = {"type": "message_creation", "message_creation": {"message_id": made}} if made else calls
    return {
        "id": name,
        "object": "thread.run.step",
        "created_at": at,
        "run_id": "run_a",
        "assistant_id": "asst_a",
        "thread_id": "thread_a",
        "type": details["type"],
        "status": "completed",
        "cancelled_at": None,
        "completed_at": at,
        "expired_at": None,
        "failed_at": None,
        "last_error": None,
        "step_details": details,
        "usage": None,
        "metadata": {},
        **more,
    }
