"""A desk where people approve what an assistant wants to do: a small web service with one page.

    python examples/approval_desk.py            # then open http://127.0.0.1:8080

Ask it to "Refund 20 euros for order A-1001", and it is done. Ask it to "Refund 80 euros for order A-1002", and the call
waits on the page for somebody to decide, who sees its exact arguments and may change them. What waits is stored in
DESK_DIR (./approval-desk): stop the server, even with kill -9, start it again, and decide then.

The model is the offline one: it calls tools, but it is not a language model.
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs

from openai import OpenAI

from toolkit import Approve, Call, Deny, Journal, Pending, Result, RunContext, RunKept, Toolset, resume, run, tool
from toolkit.engine import Engine

FOLDER = Path(os.environ.get("DESK_DIR") or "approval-desk")
LARGEST_FORM_BYTES = 100_000


@tool(approve=lambda amount: amount > 50, idempotent=True)
def refund(ctx: RunContext[None], order: str, amount: float) -> str:
    """Refund money for an order.

    Args:
        order: Number of the order, such as A-1001.
        amount: How much to refund, in euros.
    """
    # A payment service takes such a key too, and makes one payment of it however often it is asked.
    receipt = FOLDER / "refunds" / ctx.idempotency_key
    receipt.parent.mkdir(parents=True, exist_ok=True)
    if not receipt.exists():
        receipt.write_text(f"{amount:g} euros for order {order}\n", encoding="utf-8")
    return f"{amount:g} euros refunded for order {order}."


tools = Toolset(refund)


class Desk:
    """Requests and what became of them, each in a file of its own."""

    def __init__(self, client: OpenAI, assistant_id: str) -> None:
        self.client, self.assistant_id = client, assistant_id
        self.journal = Journal(FOLDER / "calls.db")
        self._lock = Lock()

    def ask(self, question: str) -> None:
        """Take a request in, and let the assistant work on it as far as it may without asking."""
        thread = self.client.beta.threads.create(messages=[{"role": "user", "content": question}])
        number = secrets.token_hex(8)
        self._write(number, {"question": question, "thread": thread.id, "pending": "", "answer": ""})
        self._work(number)

    def go_on(self) -> None:
        """After a crash, finish what had begun, and begin what had not."""
        left = {pending.thread_id: pending for pending in self.journal.unfinished()}
        for number, request in self.requests().items():
            if not request["pending"] and not request["answer"]:
                self._work(number, left.get(request["thread"]))

    def _work(self, number: str, left: Pending | None = None) -> None:
        request = self.requests()[number]
        if left is not None:
            result = resume(self.client, tools, left, journal=self.journal, on_expiry="new_run")
        else:  # what the journal does not know of has called nothing
            assistant_id, thread_id = self.assistant_id, request["thread"]
            result = run(
                self.client,
                tools,
                assistant_id=assistant_id,
                thread_id=thread_id,
                journal=self.journal,
                on_active="replace",
            )
        self._note(number, request, result)

    def decide(self, number: str, form: Mapping[str, str]) -> None:
        """Go on with a request as somebody has decided; a second click, or a page out of date, changes nothing."""
        with self._lock:  # in another process the journal sees to it
            request = self.requests()[number]
            pending = Pending.from_json(request["pending"]) if request["pending"] else None
            if pending is None or pending.hash != form["hash"]:
                return
            result = resume(
                self.client,
                tools,
                pending,
                approvals={call.id: decision(call, form) for call in pending.calls},
                journal=self.journal,
                on_expiry="new_run",  # people take longer than a run lives
            )
            self._note(number, request, result)

    def requests(self) -> dict[str, dict[str, str]]:
        """All requests, newest first."""
        files = sorted((FOLDER / "requests").glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}

    def _note(self, number: str, request: dict[str, str], result: Result) -> None:
        pending = result.pending.to_json() if result.pending else ""
        self._write(number, {**request, "pending": pending, "answer": "" if pending else result.text})

    def _write(self, number: str, request: dict[str, str]) -> None:
        file = FOLDER / "requests" / f"{number}.json"
        file.with_suffix(".new").write_text(json.dumps(request), encoding="utf-8")
        file.with_suffix(".new").rename(file)  # whole, or not at all


def decision(call: Call, form: Mapping[str, str]) -> Approve | Deny:
    """Read what somebody has decided on one call; only the word itself approves it."""
    if form.get(f"decision {call.id}") != "approve":
        return Deny(form.get(f"reason {call.id}", "").strip())
    arguments = form[f"arguments {call.id}"].replace("\r\n", "\n").strip()
    return Approve() if arguments == call.arguments.strip() else Approve(arguments)


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin: 2rem 0 .5rem; color: #566; font-weight: 600 }
section { border: 1px solid #d5dbe3; border-radius: 8px; padding: 1rem; margin: .75rem 0 }
section.waits { border-color: #d9a400; background: #fffaf0 }
p { margin: .25rem 0 } .small { color: #667; font-size: .85rem }
input, textarea { font: inherit; padding: .4rem .5rem; border: 1px solid #b8c0cc; border-radius: 6px; width: 100%;
  box-sizing: border-box } textarea { font-family: ui-monospace, monospace; font-size: .9rem }
button { font: inherit; padding: .35rem .9rem; border-radius: 6px; border: 1px solid #2f6b3a; background: #2f6b3a;
  color: #fff; margin-top: .5rem; cursor: pointer } label { margin-right: 1rem } [type=radio] { width: auto }
"""
HEAD = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Approval desk</title><style>{STYLE}</style>'


def page(desk: Desk, token: str) -> Iterator[str]:
    """Write the page. Whatever a person or a model wrote is escaped."""
    hidden = f'<input type="hidden" name="token" value="{token}">'
    yield f"{HEAD}<h1>Approval desk</h1>"
    yield f'<form method="post" action="/ask">{hidden}<input name="question" required autofocus'
    yield ' placeholder="Refund 80 euros for order A-1002" aria-label="Request"><button>Ask</button></form>'
    requests = desk.requests()
    waiting = {number: one for number, one in requests.items() if one["pending"]}
    yield f"<h2>Waiting for a decision: {len(waiting)}</h2>"
    for number, one in waiting.items():
        pending = Pending.from_json(one["pending"])
        yield f'<section class="waits"><p>{html.escape(one["question"])}</p><p class="small">{_until(pending)}</p>'
        yield f'<form method="post" action="/decide">{hidden}<input type="hidden" name="number" value="{number}">'
        yield f'<input type="hidden" name="hash" value="{pending.hash}">'
        yield from (fields(call) for call in pending.calls)
        yield "<button>Decide</button></form></section>"
    yield "<h2>Done</h2>"
    for number, one in requests.items():
        if number not in waiting:
            yield f"<section><p>{html.escape(one['question'])}</p><p>{html.escape(one['answer'])}</p></section>"


def fields(call: Call) -> str:
    """Show a call with its exact arguments, and what may be decided on it."""
    call_id, name = html.escape(call.id), html.escape(call.name)
    return (
        f'<p><b>{name}</b> with</p><textarea name="arguments {call_id}" rows="2" aria-label="Arguments">'
        f"{html.escape(call.arguments)}</textarea>"
        f'<p><label><input type="radio" name="decision {call_id}" value="approve" required> Approve</label>'
        f'<label><input type="radio" name="decision {call_id}" value="deny"> Deny</label></p>'
        f'<input name="reason {call_id}" placeholder="Why not, if you deny it" aria-label="Reason">'
    )


def _until(pending: Pending) -> str:
    if pending.expires_at is None:
        return "The run has expired; a decision starts a new one."
    return (
        f"The run waits until {datetime.fromtimestamp(pending.expires_at, UTC):%H:%M:%S} UTC; later a new one begins."
    )


class Handler(BaseHTTPRequestHandler):
    """Three requests: the page, a question, a decision."""

    desk: Desk
    token = secrets.token_hex(16)  # in every form of ours, and in nobody else's

    def do_GET(self) -> None:
        if self._is_ours():
            self._answer(200 if self.path == "/" else 404, "".join(page(self.desk, self.token)))

    def do_POST(self) -> None:
        length = min(int(self.headers.get("content-length") or 0), LARGEST_FORM_BYTES)
        fields = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
        form = {name: values[0] for name, values in fields.items()}
        if not (self._is_ours() and self._is_from_our_page(form)):
            return
        try:
            if self.path == "/ask":
                self.desk.ask(form["question"])
            elif self.path == "/decide":
                self.desk.decide(form["number"], form)
        except (KeyError, ValueError, RunKept) as error:  # such as arguments that do not fit: the request waits on
            self._answer(
                400, f"{HEAD}<h1>That did not work</h1><p>{html.escape(str(error))}</p><p><a href='/'>Back</a>"
            )
            return
        self.send_response(303)
        self.send_header("location", "/")
        self.end_headers()

    def _is_ours(self) -> bool:
        """Refuse requests under another host name: a foreign page could have had it resolve to this machine."""
        if self.headers.get("host", "").rpartition(":")[0] in ("127.0.0.1", "localhost"):
            return True
        self._answer(403, "This is not the host you asked for.")
        return False

    def _is_from_our_page(self, form: dict[str, str]) -> bool:
        if secrets.compare_digest(form.get("token", "").encode(), self.token.encode()):
            return True
        self._answer(403, "This form is not of this server, or was there before it started again: reload the page.")
        return False

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        self.end_headers()
        self.wfile.write(text.encode(errors="replace"))

    def log_message(self, *_: object) -> None:
        """Say nothing: the page shows it."""


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    (FOLDER / "requests").mkdir(parents=True, exist_ok=True)
    with Engine(f"sqlite:///{FOLDER}/assistants.db") as engine:
        client = engine.client()
        assistant = client.beta.assistants.create(model="offline", tools=tools.definitions)
        Handler.desk = Desk(client, assistant.id)
        Handler.desk.go_on()
        with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            print(f"http://127.0.0.1:{server.server_port}", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()


if __name__ == "__main__":
    main()
