"""The approval desk of the examples, driven over HTTP as a browser does, killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parent.parent


class DeskServer:
    """The desk as a process, and a person at its page."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "TOOLKIT_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "examples/approval_desk.py", "0"],
            cwd=ROOT,
            env=kept | {"DESK_DIR": str(folder)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def page(self) -> str:
        with urlopen(self.url, timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **form: str) -> str:
        with urlopen(self.url + path, urlencode(form).encode(), timeout=60) as answer:
            return str(answer.read().decode())

    def ask(self, question: str) -> str:
        token = re.findall(r'name="token" value="(\w+)"', self.page())[0]
        return self.post("/ask", token=token, question=question)

    def form(self) -> dict[str, str]:
        """The fields of the first call that waits, as the page has them; nothing is decided yet."""
        part = self.page().partition('<section class="waits">')[2].partition("</section>")[0]
        named = re.findall(r'name="([^"]+)" value="([^"]*)"', part)
        named += re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', part)
        return {unescape(name): unescape(value) for name, value in named if not name.startswith("decision")}

    def decide(self, decision: str, **changed: str) -> str:
        form = self.form()
        call = next(name for name in form if name.startswith("arguments ")).removeprefix("arguments ")
        more = {f"{name} {call}": value for name, value in {"decision": decision, **changed}.items()}
        return self.post("/decide", **{**form, **more})

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_approval_desk(tmp_path: Path) -> None:
    def made() -> list[str]:
        return sorted(file.read_text(encoding="utf-8") for file in (tmp_path / "refunds").iterdir())

    desk = DeskServer(tmp_path)
    assert "20 euros refunded for order A-1001." in desk.ask("Refund 20 euros for order A-1001")
    page = desk.ask("Refund 80 euros for order A-1002")
    assert "Waiting for a decision: 1" in page
    assert "{&quot;order&quot;:&quot;A-1002&quot;,&quot;amount&quot;:80}" in page
    assert "<script>" not in desk.ask("Refund 90 euros for order <script>alert(1)</script>")
    assert made() == ["20 euros for order A-1001\n"]
    for path, form in (("/ask", {"question": "Refund 20 euros for order A-1"}), ("/decide", desk.form())):
        with pytest.raises(HTTPError, match="403"):
            desk.post(path, **{**form, "token": "forged"})
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(desk.url, headers={"host": "evil.example:80"}), timeout=60)
    desk.end(signal.SIGKILL)

    desk = DeskServer(tmp_path)  # another process, which knows what was stored
    assert "Waiting for a decision: 2" in desk.page()
    assert "Not this one." in desk.decide("deny", reason="Not this one.")
    with pytest.raises(HTTPError, match="400") as wrong:
        desk.decide("approve", arguments='{"order": "A-1002", "amount": "all"}')
    told = wrong.value.read().decode()
    assert "do not fit" in told
    assert told.startswith("<!doctype html>")  # a page like the others
    before = desk.form()
    less = '{"order": "A-1002", "amount": 75}'
    assert "75 euros refunded for order A-1002." in desk.decide("approve", arguments=less)
    assert "Waiting for a decision: 0" in desk.post("/decide", **before)  # a second click
    assert made() == ["20 euros for order A-1001\n", "75 euros for order A-1002\n"]
    desk.end(signal.SIGINT)
    assert desk.process.returncode == 0
