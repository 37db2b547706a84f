"""The certificate of a server: read and checked before anything is started."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypedDict

import typer

from toolkit.cli.mistakes import Mistake

__all__ = ["Cert", "Key", "Tls", "checked", "options_of"]

Cert = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert", envvar="TOOLKIT_TLS_CERT", metavar="FILE", help="Serve https: the certificate and its chain, PEM."
    ),
]
Key = Annotated[
    Path | None,
    typer.Option("--tls-key", envvar="TOOLKIT_TLS_KEY", metavar="FILE", help="The certificate's key, PEM."),
]


_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: those with forward secrecy that are not known to be weak. TLS 1.3 has no others."""


class Options(TypedDict, total=False):
    """Options of `uvicorn.Config`."""

    ssl_certfile: str
    ssl_keyfile: str
    ssl_ciphers: str


@dataclass(frozen=True, slots=True)
class Tls:
    """A certificate and its key, which fit."""

    cert: Path
    key: Path


def checked(cert: Path | None, key: Path | None) -> Tls | None:
    """See that a server can use what it was given; None serves plain http. Raises Mistake."""
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise Mistake("TLS takes both, a certificate and its key: --tls-cert FILE --tls-key FILE.")
    for flag, file in (("--tls-cert", cert), ("--tls-key", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise Mistake(f"{flag}: {file} cannot be read ({error.strerror}).") from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key, password=_no_password(key))
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise Mistake(f"--tls-key: {key} is not the key of the certificate in {cert}.") from None
        raise Mistake(f"--tls-cert, --tls-key: {cert} and {key} are no certificate and key in PEM form.") from None
    return Tls(cert, key)


def options_of(tls: Tls | None) -> Options:
    """Give what uvicorn is told of it. (TLS 1.2 at least is Python's own default.)"""
    if tls is None:
        return {}
    return {"ssl_certfile": str(tls.cert), "ssl_keyfile": str(tls.key), "ssl_ciphers": _CIPHERS}


def _no_password(key: Path) -> Callable[[], str]:
    def ask() -> str:  # by default OpenSSL would ask on the terminal
        raise Mistake(f"--tls-key: {key} needs a password. Give one without: openssl pkey -in {key} -out FILE")

    return ask
