"""Let many users talk for long while servers are killed, and count what is lost: `python tests/soak/run.py`.

First the servers (one, or two on one file) are killed with SIGKILL every so many seconds, in turn, and started again at
once; then, for half as long, they are left alone, so that their memory can be compared between the first quarter after
a warm-up and the last one. Prints a table (docs/performance.md explains it). The exit code is 1 when anything was
lost, crossed, doubled, stuck or wrong, or when memory grew by more than a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx2
from openai import AsyncOpenAI

if __name__ == "__main__":  # started as a program, so that this folder is on the path instead of the checkout
    sys.path[0] = str(Path(__file__).parents[2])

from tests.soak.conversation import PATIENCE_S, Conversation
from tests.soak.servers import Model, Server
from tests.soak.tally import KINDS, Problem, Tally

__all__ = ["main"]

_GROWTH = 1.1
_LIVES = 8
"""How many lives of killed servers are the least whose memory is compared."""
_SAMPLES = 40
_SETTLED_MINUTES = 4
"""How long a server is left alone at least before its memory is judged: a young one grows to its size first."""


@dataclass(frozen=True)
class Plan:
    """How long, how many and how hard."""

    minutes: float
    workers: int
    kill_every_s: float
    servers: int
    seed: int


@dataclass
class Report:
    """What a soak found."""

    plan: Plan
    tally: Tally = field(default_factory=Tally)
    kills: int = 0
    seconds: float = 0.0
    lives: list[float] = field(default_factory=list[float])
    """Memory (MiB) of each server at its kill, in order."""
    long_life: list[float] = field(default_factory=list[float])
    """Memory of the server that was left alone, at even intervals."""

    def rows(self) -> Iterator[tuple[str, str, bool]]:
        """Give what is printed, and whether it is as it should be."""
        plan, tally = self.plan, self.tally
        yield "workers / servers on one file / kills", f"{plan.workers} / {plan.servers} / {self.kills}", True
        ends = ", ".join(f"{count} {end}" for end, count in sorted(tally.ends.items()))
        yield "conversations / runs", f"{tally.conversations} / {tally.runs} ({ends})", tally.runs > 0
        yield "runs a second", f"{tally.runs / self.seconds:.1f}", True
        yield "requests / sent again after a break", f"{tally.requests} / {tally.repeats}", True
        if silences := tally.silences_s:
            yield "kill to next answer, median / longest", f"{median(silences):.2f} s / {max(silences):.2f} s", True
        for kind in KINDS:
            yield kind, str(tally.count(kind)), tally.count(kind) == 0
        lives = {
            "memory of a server left alone": (
                self.long_life[len(self.long_life) // 5 :],
                plan.minutes / 2 >= _SETTLED_MINUTES,
            ),
            "memory of killed servers, at their ends": (self.lives, len(self.lives) >= _LIVES),
        }
        for what, (samples, judged) in lives.items():
            if len(samples) >= 4 and samples[0]:
                quarter = len(samples) // 4
                first, last = median(samples[:quarter]), median(samples[-quarter:])
                told = f"{first:.1f} -> {last:.1f} MiB ({last / first - 1:+.1%})"
                yield what, told, not judged or last / first <= _GROWTH


async def soak(plan: Plan, folder: Path) -> Report:
    """Do it all."""
    report = Report(plan)
    began = time.monotonic()
    async with AsyncExitStack() as exits:
        model = exits.enter_context(Model())
        servers = [Server(folder, model) for _ in range(plan.servers)]
        for server in servers:
            exits.enter_context(server)
        http = await exits.enter_async_context(
            httpx2.AsyncClient(verify=False, limits=httpx2.Limits(), timeout=PATIENCE_S)
        )
        clients = [
            AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0, http_client=http) for server in servers
        ]
        over = asyncio.Event()
        workers = [_work(number, clients, report.tally, plan.seed, over) for number in range(plan.workers)]
        killing = asyncio.create_task(_kill_and_watch(plan, servers, report, over))
        await asyncio.gather(*workers, killing)
    report.seconds = time.monotonic() - began
    return report


async def _work(number: int, clients: Sequence[AsyncOpenAI], tally: Tally, seed: int, over: asyncio.Event) -> None:
    """Hold one conversation after the other, each with what a chance of its own decides."""
    chance = random.Random(f"{seed} {number}")
    assistant_id = ""
    while not over.is_set():
        try:
            conversation = Conversation(clients, assistant_id, tally, chance)
            assistant_id = assistant_id or await conversation.make_assistant()
            await conversation.hold()
        except Problem as problem:
            tally.problems.append(problem)
        except Exception as error:
            tally.problems.append(Problem("wrong", repr(error)))


async def _kill_and_watch(plan: Plan, servers: Sequence[Server], report: Report, over: asyncio.Event) -> None:
    began = time.monotonic()
    for kill in range(int(plan.minutes * 60 / plan.kill_every_s)):
        await asyncio.sleep(max(0.0, began + (kill + 1) * plan.kill_every_s - time.monotonic()))
        server = servers[kill % len(servers)]
        report.lives.append(server.mebibytes())
        server.kill()
        report.kills, report.tally.killed_at = kill + 1, time.monotonic()
        await asyncio.to_thread(server.start)
    for _ in range(_SAMPLES):
        await asyncio.sleep(plan.minutes * 30 / _SAMPLES)
        report.long_life.append(servers[0].mebibytes())
    over.set()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code is 1 when something is not as it should be."""
    parser = argparse.ArgumentParser(description="Let many users talk while servers are killed; count what is lost.")
    parser.add_argument("--minutes", type=float, default=10, help="with kills; half as long follows without. 10")
    parser.add_argument("--workers", type=int, default=32, help="users at once. 32")
    parser.add_argument("--kill-every", type=float, default=20, metavar="SECONDS", help="20")
    parser.add_argument("--servers", type=int, default=1, choices=(1, 2), help="on one file. 1")
    parser.add_argument("--seed", type=int, default=0, help="of what the users do. 0")
    given = parser.parse_args(arguments)
    plan = Plan(given.minutes, given.workers, given.kill_every, given.servers, given.seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*deprecated", DeprecationWarning)
        report = asyncio.run(soak(plan, Path(folder)))
    rows = list(report.rows())
    width = max(len(what) for what, _, _ in rows)
    for what, told, good in rows:
        print(f"| {what:<{width}} | {told}{'' if good else ' **bad**'} |")
    for problem in report.tally.problems[:20]:
        print(problem, file=sys.stderr)
    return 0 if all(good for _, _, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
