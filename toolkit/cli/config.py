"""The config file: model endpoints by name, and which model answers for which name.

    [endpoints.local]
    url = "http://localhost:11434/v1"

    [endpoints.azure]
    url = "https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT"
    key_file = "azure.key"                      # relative to this file; or key_env, a variable's name
    key_header = "api-key"                      # instead of Authorization: Bearer
    query = { api-version = "2024-10-21" }      # headers likewise
    context_tokens = 128000

    [models]
    "gpt-4o" = "local/llama3"
    "*" = "azure/gpt-4.1"

    [search]
    embeddings_model = "local/bge-m3"
    reranking_model = "local/bge-reranker-v2-m3"

What is wrong in it is told with its place, and never with a value that may be a key.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from toolkit.cli.mistakes import Mistake
from toolkit.cli.settings import ModelSettings, check_url, key_in

__all__ = ["Config", "ConfigFile", "config_of"]

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="TOOLKIT_CONFIG", metavar="FILE", help="TOML file of model endpoints and names."),
]


@dataclass(frozen=True, slots=True)
class Config:
    """What a config file says; all of it may be left out."""

    file: Path | None = None
    endpoints: Mapping[str, ModelSettings] = field(default_factory=dict[str, ModelSettings])
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name asked for -> name used, which may be `endpoint/model`."""
    embeddings_model: str | None = None
    reranking_model: str | None = None


def config_of(file: Path | None) -> Config:
    """Read a config file; None is an empty one. Raises Mistake."""
    if file is None:
        return Config()
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Mistake(f"--config: {file} cannot be read ({reason}).") from error
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"--config: {file} is no TOML: {error}.") from None
    _only(read, ("endpoints", "models", "search"), f"{file}:")
    endpoints = _table(read.get("endpoints", {}), f"{file}: [endpoints]")
    models = _texts(read.get("models", {}), f"{file}: [models]")
    if "offline" in models:
        raise Mistake(f"{file}: [models] 'offline' always means the offline model and cannot be mapped.")
    search = _texts(read.get("search", {}), f"{file}: [search]")
    _only(search, ("embeddings_model", "reranking_model"), f"{file}: [search]")
    named = {name: _endpoint(file, name, value) for name, value in endpoints.items()}
    return Config(file, named, models, search.get("embeddings_model"), search.get("reranking_model"))


def _endpoint(file: Path, name: str, value: object) -> ModelSettings:
    place = f"{file}: [endpoints.{name}]"
    told = _table(value, place)
    if {"key", "api_key"} & told.keys():
        raise Mistake(f"{place} keys are not kept in this file. Give key_file = FILE or key_env = VARIABLE.")
    _only(told, tuple(_FIELDS), place)
    read = {field: read(told[field], f"{place} {field}") for field, read in _FIELDS.items() if field in told}
    if "url" not in read:
        raise Mistake(f'{place} has no url. Write one, such as url = "http://localhost:11434/v1"')
    if "key_file" in read and "key_env" in read:
        raise Mistake(f"{place} has key_file and key_env. Leave one out.")
    return ModelSettings(
        check_url(read["url"], f"{place} url: "),
        _key(file, read, place),
        read.get("key_header"),
        read.get("headers", {}),
        read.get("query", {}),
        read.get("context_tokens"),
    )


def _key(file: Path, read: Mapping[str, Any], place: str) -> str | None:
    if "key_file" in read:
        return key_in(file.parent / Path(read["key_file"]).expanduser(), f"{place} key_file")
    if "key_env" not in read:
        return None
    if key := os.environ.get(read["key_env"]):
        return key
    raise Mistake(f"{place} key_env: the environment has no {read['key_env']}. Set it, or leave key_env out.")


def _only(table: Mapping[str, object], known: tuple[str, ...], place: str) -> None:
    for name in table:
        if name not in known:
            raise Mistake(f"{place} {name!r} is not known. It can have: {', '.join(known)}")


def _table(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Mistake(f"{place} must be a table.")
    return cast("dict[str, Any]", value)


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Mistake(f"{place} must be a text in quotes, and not empty.")
    return value.strip()


def _texts(value: object, place: str) -> dict[str, str]:
    return {name: _text(text, f"{place} {name!r}") for name, text in _table(value, place).items()}


def _tokens(value: object, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Mistake(f"{place} must be a whole number above 0.")
    return value


_FIELDS: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "url": _text,
    "key_file": _text,
    "key_env": _text,
    "key_header": _text,
    "headers": _texts,
    "query": _texts,
    "context_tokens": _tokens,
}
