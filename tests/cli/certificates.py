"""A certificate for this machine, and the authority that signed it: made by openssl, thrown away afterwards."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Certificate", "certificate"]

_OF_SERVER = """
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True)
class Certificate:
    """Files, in PEM form."""

    authority: Path
    cert: Path
    key: Path

    @property
    def trusting(self) -> ssl.SSLContext:
        """What a client needs that trusts this authority and no other."""
        return ssl.create_default_context(cafile=self.authority)

    @property
    def serving(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        return context


def certificate(folder: Path) -> Certificate:
    """Make a certificate for localhost, 127.0.0.1 and ::1."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.ext").write_text(_OF_SERVER)
    elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    _openssl(
        folder, "req", "-x509", *elliptic, "-days", "2", "-subj", "/CN=tests", *usage,
        "-keyout", "ca.key", "-out", "ca.pem",
    )  # fmt: skip
    _openssl(folder, "req", *elliptic, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    _openssl(
        folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "server.ext", "-out", "server.pem",
    )  # fmt: skip
    return Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def _openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
