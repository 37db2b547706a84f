"""`from_openapi`: an API's document becomes a toolset."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.assistants.limits import MOST_TOOLS
from toolkit.errors import DefinitionError
from toolkit.openapi.auth import Auth, Keys
from toolkit.openapi.building import request
from toolkit.openapi.document import PORTS, Document, Source, checked_base, origin, read
from toolkit.openapi.operations import LONGEST, Operation, operations
from toolkit.openapi.sending import Sender
from toolkit.tools.attachments import Image
from toolkit.tools.tool import Tool
from toolkit.tools.toolset import Toolset

if TYPE_CHECKING:
    import httpx2

__all__ = ["from_openapi"]


def from_openapi(
    source: Source,
    *,
    only: Collection[str] | None = None,
    auth: Auth = None,
    base_url: str | None = None,
    allow_hosts: Collection[str] = (),
    prefix: str = "",
    approve: bool | Collection[str] = False,
    timeout_s: float = 30.0,
    transport: httpx2.BaseTransport | None = None,
) -> Toolset:
    """Make a toolset of an OpenAPI document (3.0 or 3.1): its URL, its file, or what was read from it.

        pets = from_openapi("https://api.example/openapi.json", only=["listPets", "getPet"], auth=os.environ["KEY"])

    only: operations to take, by operationId, by the tool's name or as `GET /pets/{id}`; all by default.
    auth: a key or token, or (user, password), sent where the document says; `{scheme: ...}` where it has several; or a
        function that gives these anew for each call. The model never sees them, nor does any log.
    base_url: where calls go, in place of the servers that the document names.
    allow_hosts: further hosts that calls may go to, `host` or `host:port`. Without it they go to one server: base_url,
        or the document's first, which must be where the document itself came from when it was fetched.
    approve: operations whose calls a person must approve, named as in `only`; True for all.
    timeout_s: how long a call may take.
    transport: what carries requests, such as `httpx2.HTTPTransport(proxy=...)`.
    Raises DefinitionError for documents, operations and servers that cannot be, ServerUnavailable for a URL that does
    not answer.
    """
    document = read(source)
    keys = Keys(document, auth)
    longest = LONGEST - len(prefix)
    taken = operations(document, only, keys.hidden, longest)
    if len(taken) > MOST_TOOLS:
        raise DefinitionError(
            f"the document has {len(taken)} operations, more than the {MOST_TOOLS} tools that an assistant may have: "
            "say which, only=[...]"
        )
    base = None if base_url is None else checked_base(base_url)
    servers = {each.name: base or _server(each) for each in taken}
    origins = _origins(document, base, list(servers.values()), allow_hosts)
    sender = Sender(origins, timeout_s, transport)
    asked = (
        {each.name for each in operations(document, approve, (), longest)}
        if not isinstance(approve, bool)
        else set[str]()
    )
    return Toolset(
        *(
            _tool(each, servers[each.name], keys, sender, prefix, approve is True or each.name in asked)
            for each in taken
        )
    )


def _tool(operation: Operation, server: str, keys: Keys, sender: Sender, prefix: str, approve: bool) -> Tool[..., Any]:
    def function(**arguments: Any) -> str | Image:
        return sender.send(request(operation, server, arguments), keys.seal(operation.security))

    return Tool.from_schema(
        function,
        operation.schema,
        name=prefix + operation.name,
        description=operation.description,
        approve=approve,
        read_only=operation.method == "get",
        idempotent=operation.method in ("get", "put", "delete"),
    )


def _server(operation: Operation) -> str:
    if operation.server is None:
        raise DefinitionError(f"{operation.name}: the document does not say where its server is: give base_url=")
    return operation.server


def _origins(
    document: Document, base: str | None, servers: list[str], allow_hosts: Collection[str]
) -> set[tuple[str, str, int]]:
    """Give the places that calls may go to. Raises DefinitionError for a server that is none of them."""
    allowed = {place for host in allow_hosts for place in _places(host)}
    trusted = base or document.url or document.server(document.root) or next(iter(servers), None)
    if trusted is not None:
        allowed.add(origin(trusted))
    for server in servers:
        if base is None and (document.url or "").startswith("https:") and server.startswith("http:"):
            raise DefinitionError(f"calls would go to {server} unencrypted: if that is right, say base_url={server!r}")
        if origin(server) not in allowed:
            host = urlsplit(server).netloc
            raise DefinitionError(
                f"calls would go to {server}, and the document is of {_place(trusted)}: "
                f"if that is right, say allow_hosts=[{host!r}], or give base_url="
            )
    return {origin(server) for server in servers}


def _places(host: str) -> list[tuple[str, str, int]]:
    """Give the places that an entry stands for. Raises DefinitionError for one that is no host."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        parts, name, port = urlsplit(""), "", None
    if not name or parts.path or parts.username is not None:
        raise DefinitionError(f"allow_hosts={host!r}: write a host, or host:port")
    return [(scheme, name, port or default) for scheme, default in PORTS.items()]


def _place(url: str | None) -> str:
    return "nowhere" if url is None else f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
