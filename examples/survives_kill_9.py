"""A program that is killed in the middle of its calls, and goes on without making one twice.

    python examples/survives_kill_9.py

It starts itself as a child and lets that be killed (kill -9) right after money was sent and before anybody was told.
Then it goes on from the journal. `send_money` carries an idempotency key, so it may be called again: the bank makes one
payment of a key. `look_up_account` had finished: its result is handed in, and it is not called again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from toolkit import CallFinished, CallStarted, Journal, RunContext, Toolset, resume_stream, stream, tool
from toolkit.engine import Engine

FOLDER = Path(os.environ.get("KILL_DIR") or mkdtemp(prefix="survives-"))


class Bank:
    """Stands for a service elsewhere: it remembers the keys of the payments it has made."""

    def pay(self, key: str, amount: float, person: str) -> bool:
        payment = FOLDER / f"payment {key}"
        is_new = not payment.exists()
        payment.write_text(f"{amount:g} euros to {person}", encoding="utf-8")
        return is_new


@tool
def look_up_account(person: str) -> str:
    """Look up the account of a person.

    Args:
        person: Name of the person, such as Ada.
    """
    return f"DE02 1203 0000 {len(person):04d}"


@tool(idempotent=True)
def send_money(ctx: RunContext[bool], person: str, amount: float) -> str:
    """Send money to a person.

    Args:
        person: Name of the person, such as Ada.
        amount: How much to send, in euros.
    """
    if ctx.deps:  # whether this process is to die
        time.sleep(0.5)  # the other call has finished by then
    is_new = Bank().pay(ctx.idempotency_key, amount, person)
    print(f"bank    {'has paid' if is_new else 'had paid already'}: {amount:g} euros to {person}", flush=True)
    if ctx.deps:
        print("killed", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{amount:g} euros sent to {person}."


tools = Toolset(look_up_account, send_money)


def live(*, dies: bool) -> None:
    """Go on with what the journal has; without such, begin."""
    with Engine(f"sqlite:///{FOLDER}/assistants.db") as engine, Journal(FOLDER / "calls.db") as journal:
        client = engine.client()
        if left := journal.unfinished():
            begun = resume_stream(client, tools, left[0], journal=journal, deps=dies)
        else:
            assistant = client.beta.assistants.create(model="offline", tools=tools.definitions)
            question = "Look up the account of Ada, and send money to Ada: 50 euros"
            begun = stream(client, tools, assistant_id=assistant.id, input=question, journal=journal, deps=dies)
        with begun as events:
            for event in events:
                match event:
                    case CallStarted(call):
                        print(f"call    {call.name}({call.arguments})", flush=True)
                    case CallFinished(finished):
                        print(f"result  {finished.call.name}: {finished.output.content}", flush=True)
                    case _:
                        pass
        print(events.result.text)


def main() -> None:
    if sys.argv[1:] == ["--dies"]:
        return live(dies=True)
    environment = os.environ | {"KILL_DIR": str(FOLDER)}
    child = subprocess.run([sys.executable, __file__, "--dies"], env=environment, check=False)
    print(f"\nThe first process ended with {child.returncode}. Another one goes on:\n", flush=True)
    live(dies=False)
    print(f"\nPayments that the bank has made: {len(list(FOLDER.glob('payment *')))}")
    return None


if __name__ == "__main__":
    main()
