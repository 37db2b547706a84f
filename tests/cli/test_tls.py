"""The server over TLS: its clients, its mistakes, and the same bounds as without."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, AuthenticationError, AzureOpenAI, OpenAI

from tests.cli.certificates import Certificate, certificate
from tests.cli.conftest import Cli
from tests.cli.test_serve import serve
from tests.contract.raw import LOOPS, Raw, bounded, post, raw, read, request
from toolkit.cli.tls import checked, options_of
from toolkit.engine import Engine


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


@contextmanager
def secure(engine: Engine, made: Certificate, loop: str, **bounds: Any) -> Iterator[Raw]:
    options: dict[str, Any] = {**options_of(checked(made.cert, made.key))}
    with raw(engine.app, bounded(**bounds), loop=loop, drain_s=20, timeout_keep_alive=60, **options) as server:
        yield server


def shaken(server: Raw, made: Certificate) -> ssl.SSLSocket:
    return made.trusting.wrap_socket(server.connect(), server_hostname="localhost")


def left(line: socket.socket) -> float:
    """Wait until the server has closed a connection, and say how long that took."""
    began = time.monotonic()
    try:
        while line.recv(65536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - began


def test_requests_are_answered_one_after_the_other(engine: Engine, made: Certificate, loop: str) -> None:
    with secure(engine, made, loop) as server:
        with shaken(server, made) as line:
            assert line.version() == "TLSv1.3"
            for number in range(3):
                line.sendall(post("/v1/threads", {"metadata": {"number": str(number)}}))
                assert read(line).json["metadata"] == {"number": str(number)}
        large = {"messages": [{"role": "user", "content": "x" * 200_000}]}
        with shaken(server, made) as line:
            line.sendall(post("/v1/threads", large))
            thread = read(line).json["id"]
            line.sendall(request("GET", f"/v1/threads/{thread}/messages"))
            assert len(read(line).json["data"][0]["content"][0]["text"]["value"]) == 200_000
        assert server.quiet()[0] == server.tasks()


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(engine: Engine, made: Certificate, loop: str) -> None:
    """Many at once: a request in the packet of the client's last word, before the server knows of the connection."""
    with secure(engine, made, loop) as server:
        for _ in range(30):
            inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = made.trusting.wrap_bio(inbound, outbound, server_hostname="localhost")
            with server.connect() as line:
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        line.sendall(outbound.read())
                        inbound.write(line.recv(65536))
                tls.write(request("GET", "/v1/models", connection="close"))
                line.sendall(outbound.read())  # the last of the handshake, and the request
                said = b""
                while b'"offline"' not in said:
                    try:
                        said += tls.read(65536)
                    except ssl.SSLWantReadError:
                        got = line.recv(65536)
                        assert got, said
                        inbound.write(got)


def test_a_client_that_says_nothing_is_cut(engine: Engine, made: Certificate, loop: str) -> None:
    with secure(engine, made, loop, head_s=0.3, linger_s=0.3) as server:
        with shaken(server, made) as silent:
            assert left(silent) < 10
        with shaken(server, made) as slow:
            slow.sendall(b"GET /v1/mod")
            assert read(slow).status == 408
            assert left(slow) < 10
        server.quiet()


def test_a_client_that_speaks_no_tls_is_cut(engine: Engine, made: Certificate, loop: str) -> None:
    with secure(engine, made, loop) as server:
        with server.connect() as plain:
            plain.sendall(request("GET", "/v1/models"))
            assert left(plain) < 10
        with pytest.raises(ssl.SSLError), server.connect() as line:
            ssl.create_default_context().wrap_socket(line, server_hostname="localhost")  # trusts others
        with server.connect() as line:
            line.sendall(b"\x16\x03\x01")
        server.quiet()


def test_slow_bodies_and_readers_are_cut(engine: Engine, made: Certificate, loop: str) -> None:
    with secure(engine, made, loop, body_s=0.3, stall_s=0.3, linger_s=0.3) as server:
        with shaken(server, made) as line:
            line.sendall(post("/v1/threads", {"metadata": {}})[:-1])
            assert read(line).status == 408
        with shaken(server, made) as line:
            line.sendall(b"GET /v1/models?" + b"x" * 10_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (said := read(line)).status == 414, said
            assert left(line) < 10
        server.quiet()


def test_idle_clients_do_not_hold_up_the_end(engine: Engine, made: Certificate, loop: str) -> None:
    """They are told that it is over, and do not listen."""
    with ExitStack() as stack:
        with secure(engine, made, loop, linger_s=0.3) as server:
            for _ in range(3):
                line = stack.enter_context(shaken(server, made))
                line.sendall(request("GET", "/v1/models"))
                assert read(line).status == 200
            began = time.monotonic()
        assert time.monotonic() - began < 10


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_the_official_clients_over_https(made: Certificate, cli: Cli) -> None:
    """A key of the store, a private authority, runs that are polled and streamed; Azure's class likewise."""
    key = cli("keys", "create", "--store", "sqlite:///a.db").out.strip()
    with (
        serve("--store", "sqlite:///a.db", *flags(made.cert, made.key)) as server,
        httpx2.Client(verify=made.trusting, trust_env=False) as http,
    ):
        assert server.url.startswith("https://127.0.0.1:")
        root = server.url.removesuffix("/v1")
        clients = [
            OpenAI(base_url=server.url, api_key=key, http_client=http),
            AzureOpenAI(azure_endpoint=root, api_key=key, api_version="2024-05-01-preview", http_client=http),
        ]
        for client in clients:
            assistant = client.beta.assistants.create(model="offline")
            run = client.beta.threads.create_and_run_poll(
                assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "hello"}]}
            )
            assert run.status == "completed"
            client.beta.threads.messages.create(run.thread_id, role="user", content="and again")
            with client.beta.threads.runs.stream(thread_id=run.thread_id, assistant_id=assistant.id) as stream:
                said = "".join(stream.text_deltas)
            newest = client.beta.threads.messages.list(run.thread_id).data[0]
            assert newest.content[0].type == "text"
            assert said == newest.content[0].text.value != ""
        with pytest.raises(APIConnectionError):  # trusts others
            OpenAI(base_url=server.url, api_key=key, max_retries=0).models.list()
        with pytest.raises(AuthenticationError):
            OpenAI(base_url=server.url, api_key="wrong", http_client=http).models.list()


def test_mistakes_are_one_line(made: Certificate, cli: Cli, tmp_path: Path) -> None:
    other = certificate(tmp_path / "other")
    locked, nonsense = tmp_path / "locked.key", tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    command = ["openssl", "pkey", "-in", str(made.key), "-aes256", "-passout", "pass:x", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    for cert, key, told in (
        (made.cert, None, "TLS takes both, a certificate and its key: --tls-cert FILE --tls-key FILE."),
        (None, made.key, "TLS takes both, a certificate and its key: --tls-cert FILE --tls-key FILE."),
        (tmp_path / "none.pem", made.key, "none.pem cannot be read (No such file or directory)."),
        (made.cert, tmp_path, "cannot be read (Is a directory)."),
        (made.cert, other.key, f"--tls-key: {other.key} is not the key of the certificate in {made.cert}."),
        (made.cert, locked, f"--tls-key: {locked} needs a password."),
        (made.cert, nonsense, "are no certificate and key in PEM form."),
        (nonsense, made.key, "are no certificate and key in PEM form."),
        (made.key, made.cert, "are no certificate and key in PEM form."),
    ):
        said = cli("serve", "--store", "sqlite:///:memory:", *flags(cert, key))
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said
        assert told in said.err


def test_its_own_address_is_no_model(made: Certificate, cli: Cli) -> None:
    arguments = ["--port", "8443", "--model-url", "https://localhost:8443/v1", *flags(made.cert, made.key)]
    assert "is this server's own address" in cli("serve", *arguments).err


def flags(cert: Path | None, key: Path | None) -> list[str]:
    given = {"--tls-cert": cert, "--tls-key": key}
    return [part for flag, file in given.items() if file is not None for part in (flag, str(file))]
