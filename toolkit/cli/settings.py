"""What flags and environment say about the model, the store and the keys, checked before anything is started.

A flag wins over TOOLKIT_..., and TOOLKIT_MODEL_URL with TOOLKIT_MODEL_KEY over OPENAI_BASE_URL with OPENAI_API_KEY. The
two pairs are never mixed: a key goes to the endpoint it was given for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from toolkit.cli.mistakes import Mistake
from toolkit.engine.store.address import url_of

__all__ = [
    "DataDir",
    "ModelKey",
    "ModelKeyFile",
    "ModelName",
    "ModelSettings",
    "ModelUrl",
    "Store",
    "api_keys",
    "check_server",
    "check_url",
    "is_loopback",
    "is_own_address",
    "is_url",
    "key_in",
    "model_settings",
    "name_map",
    "store_url",
    "text_in",
]

OPENAI = "https://api.openai.com/v1"

Store = Annotated[
    str | None,
    typer.Option(
        envvar="TOOLKIT_STORE", metavar="URL", help="sqlite:///PATH; by default a file in your data directory."
    ),
]
DataDir = Annotated[
    Path | None, typer.Option(envvar="TOOLKIT_DATA_DIR", metavar="DIR", help="Folder of the store, without --store.")
]
ModelUrl = Annotated[
    str | None,
    typer.Option(
        envvar="TOOLKIT_MODEL_URL", metavar="URL", help="OpenAI-compatible endpoint, such as http://localhost:11434/v1."
    ),
]
ModelKey = Annotated[
    str | None,
    typer.Option(envvar="TOOLKIT_MODEL_KEY", metavar="KEY", help="Its key. Process lists show flags: better a file."),
]
ModelKeyFile = Annotated[
    Path | None, typer.Option(envvar="TOOLKIT_MODEL_KEY_FILE", metavar="FILE", help="File that holds its key.")
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", envvar="TOOLKIT_MODEL", metavar="NAME", help="What the endpoint calls its model."),
]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """An endpoint, as `toolkit.engine.Endpoint` takes it; `url` None means that there is only the offline model."""

    url: str | None = None
    key: str | None = field(default=None, repr=False)
    key_header: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    context_tokens: int | None = None


def model_settings(url: str | None, key: str | None, key_file: Path | None, *, ambient: bool = True) -> ModelSettings:
    """Settle on an endpoint and its key. Raises Mistake for a URL that is none, or a key that is missing.

    OPENAI_BASE_URL and OPENAI_API_KEY count when nothing else was said, unless `ambient` is false: a config file says
    which endpoints there are, and one that it does not name is not to be sent anything.
    """
    if key_file is not None:
        key = key_in(key_file, "--model-key-file")
    if not ambient and not url and not key:
        return ModelSettings()
    if not url and not key:
        url, key = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_KEY")
    if not url and not key:
        return ModelSettings()
    url = check_url(url or os.environ.get("OPENAI_BASE_URL") or OPENAI)
    if url == OPENAI and not key:
        raise Mistake(f"{OPENAI} needs a key: set TOOLKIT_MODEL_KEY, or give --model-key-file FILE.")
    return ModelSettings(url, key or None)


def check_server(url: str) -> None:
    """Raise Mistake for an address of a server that no request could be sent to."""
    if not is_url(url):
        raise Mistake(f"--url {url!r} is not understood. Write it like http://127.0.0.1:8000/v1")


def is_url(text: str) -> bool:
    """Say whether requests could be sent there."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number, or a bracket that is not closed
        return False


def check_url(url: str, place: str = "") -> str:
    """Give a URL without a slash at its end. Raises Mistake for one that is none; `place` says where it was read."""
    if not is_url(url):
        raise Mistake(f"{place}The model URL {url!r} is not understood. Write it like http://localhost:11434/v1")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Say whether an address can only be reached from this machine."""
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def is_own_address(url: str, host: str, port: int) -> bool:
    """Say whether a model URL leads to the very address that is to be served."""
    parts = urlsplit(url)
    there, here = parts.hostname or "", host
    same_port = (parts.port or {"http": 80, "https": 443}[parts.scheme]) == port
    both_local = is_loopback(there) and (is_loopback(here) or here in ("0.0.0.0", "::"))  # noqa: S104 - compared, not bound
    return same_port and (there == here or both_local)


def name_map(model: str | None, pairs: Sequence[str]) -> dict[str, str]:
    """Read `--model NAME` and `--model-map ASKED=USED`. Raises Mistake."""
    names = {"*": model} if model else {}
    for pair in [*_listed("TOOLKIT_MODEL_MAP"), *pairs]:
        asked, separator, used = pair.partition("=")
        if not (separator and asked and used):
            raise Mistake(
                f"--model-map {pair!r} is not understood. Write ASKED=USED, such as gpt-4o=llama3 or '*=local/llama3'"
            )
        names[asked] = used
    if "offline" in names:
        raise Mistake("The name offline always means the offline model and cannot be mapped.")
    return names


def api_keys(given: Sequence[str], file: Path | None) -> Mapping[str, str]:
    """Read the server's keys, `KEY` or `NAME=KEY`, as key -> project. Raises Mistake.

    TOOLKIT_API_KEY, as the flag is called, counts like TOOLKIT_API_KEYS: a key set and not read is an open door.
    """
    keys: dict[str, str] = {}
    from_file = text_in(file, "--api-key-file").splitlines() if file is not None else []
    for entry in [*_listed("TOOLKIT_API_KEYS"), *_listed("TOOLKIT_API_KEY"), *from_file, *given]:
        text = entry.strip()
        if not text or text.startswith("#"):
            continue
        named = re.fullmatch(r"([A-Za-z0-9_.-]+)=(.*[^=].*)", text)  # the = at the end of base64 is part of a key
        project, key = named.groups() if named else ("default", text)
        if keys.setdefault(key, project) != project:
            raise Mistake(f"One key is given for two projects, {keys[key]} and {project}. Give each its own.")
    if not keys and (given or file is not None):  # "$UNSET" or an empty file does not mean a server without keys
        raise Mistake("There is no key in --api-key or --api-key-file. Write KEY or NAME=KEY, or leave both out.")
    return keys


def store_url(store: str | None, data_dir: Path | None) -> str | None:
    """Settle on a store; None is the engine's default. Raises Mistake."""
    if store or data_dir is None:
        return store or None
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mistake(f"The folder {data_dir} cannot be made ({error.strerror}). Choose another --data-dir.") from error
    return url_of(data_dir.resolve() / "assistants.db")


def _listed(variable: str) -> list[str]:
    return [part.strip() for part in os.environ.get(variable, "").split(",") if part.strip()]


def key_in(file: Path, flag: str) -> str:
    """Read the key that a file holds; `flag` is what named the file. Raises Mistake."""
    text = text_in(file, flag).strip()
    if not text or "\n" in text:
        raise Mistake(f"{flag}: {file} must hold the key, alone on one line.")
    return text


def text_in(file: Path, flag: str) -> str:
    """Read a file; `flag` is what named it. Raises Mistake."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Mistake(f"{flag}: {file} cannot be read ({reason}).") from error
