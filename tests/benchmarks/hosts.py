"""CPU of the run loop on chat completions, responses and sessions: `run` against a bare loop of `client.post`.

So are other libraries, by `peers`, where `make peers` has installed them.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from openai import OpenAI

from tests.benchmarks import bare
from tests.benchmarks.bare import CALLS, LOOPS, MODEL, TURNS
from tests.benchmarks.peers import PEERS
from tests.benchmarks.servers import ROOT, environment, fake_model
from tests.benchmarks.table import Pair, Row, Scale, against, middle, ms
from toolkit import Chat, Limits, Responses, Sessions, Toolset, run, stream, tool

__all__ = ["measure"]

_LONG = 80
_THEIR_PYTHON = ROOT / ".venv" / "peers" / "bin" / "python"


def measure(scale: Scale) -> Iterator[Row]:
    tools = Toolset(tool(bare.note))
    with fake_model() as url, OpenAI(base_url=url, api_key="none") as client:

        def chat(turns: int = TURNS) -> None:
            on = Chat(model=f"calls-{CALLS}-{turns}", messages="What is the weather in Seoul?")
            result = run(client, tools, on=on, limits=Limits(turns=turns, calls=turns * CALLS))
            assert len(result.calls) == turns * CALLS

        def streamed_chat() -> None:
            with stream(client, tools, on=Chat(model=MODEL, messages="What is the weather in Seoul?")) as events:
                for _ in events:
                    pass

        def responses() -> None:
            result = run(client, tools, on=Responses(model=MODEL, input="What is the weather in Seoul?"))
            assert len(result.calls) == TURNS * CALLS

        def sessions() -> None:
            result = run(client, tools, on=Sessions(agent={"model": MODEL}, input="What is the weather in Seoul?"))
            assert len(result.calls) == TURNS * CALLS

        others = _others(url, round(5 * scale.factor))
        for (api, floor), ours in zip(LOOPS.items(), (chat, streamed_chat, responses, sessions), strict=True):
            ours_s, floor_s = _interleaved(ours, partial(floor, client), scale.times(25))
            row = against(f"{api}, CPU of a tool round, {CALLS} calls", ours_s, floor_s, 1.5, ms)
            yield replace(row, others=others.get(api, "") if others else "not installed")
        long_s, short_s = _interleaved(partial(chat, _LONG), chat, scale.times(5))
        what = f"chat completions, CPU of a tool round of {_LONG}, against {TURNS}"
        yield against(what, long_s * TURNS / _LONG, short_s, 1.5, ms)


def _interleaved(ours: Callable[[], None], floor: Callable[[], None], rounds: int) -> Pair:
    took: list[Pair] = []
    for _ in range(rounds):
        seconds: list[float] = []
        for work in (ours, floor):
            began = time.process_time()
            work()
            seconds.append((time.process_time() - began) / TURNS)
        took.append((seconds[0], seconds[1]))
    return middle(took)


def _others(url: str, rounds: int) -> Mapping[str, str]:
    """Say what the same takes other libraries, by API; nothing where they are not there, or no round is asked for."""
    if not (rounds and _THEIR_PYTHON.exists()):
        return {}
    scores = defaultdict[str, list[str]](list)
    for peer in PEERS:  # a process each: what is imported weighs on the collector of garbage
        command = [str(_THEIR_PYTHON), "-m", "tests.benchmarks.peers", peer, url, str(rounds)]
        said = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, timeout=1800)
        for one in map(json.loads, said.stdout.splitlines()):
            scores[one["api"]].append(f"{peer} {one['score']:.3g}x")
    return {api: ", ".join(found) for api, found in scores.items()}
