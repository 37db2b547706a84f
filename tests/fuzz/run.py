"""Send what no client would, and hold every answer to the official description: `python tests/fuzz/run.py`.

Requests are made by schemathesis, right ones and wrong ones, of a description with the official operations and shapes:
each alone, and in chains (made, read, changed, deleted). They go to a server like that of `toolkit serve`, once with
nothing in it and once with an object of each kind, whose ids are used. Then hypothesis sends bytes (attacks.py). The
exit code is 1 when anything was found.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings

if __name__ == "__main__":  # started as a program, so that this folder is on the path instead of the checkout
    sys.path[0] = str(Path(__file__).parents[2])

from tests.benchmarks.servers import environment
from tests.fuzz.attacks import ATTACKS
from tests.fuzz.checks import KEY
from tests.fuzz.description import described
from tests.fuzz.world import World, world

__all__ = ["main"]

_STATES = ("fresh", "settled")
_PHASES = "examples,coverage,fuzzing,stateful"
_HASTY = {"head_s": 0.15, "body_s": 0.15, "linger_s": 0.05}
"""Bounds of connections for attacks, of which many are never whole."""


def fuzz(world: World, options: Sequence[str]) -> bool:
    """Let schemathesis loose on a server; says whether it found nothing."""
    with TemporaryDirectory() as folder:
        config, description = Path(folder) / "schemathesis.toml", Path(folder) / "openapi.json"
        config.write_text(world.config())
        description.write_text(json.dumps(described(world.kept, world.doomed)))
        program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(description)]
        told = ["--url", f"{world.url}/v1", "--header", f"Authorization: Bearer {KEY}", "--no-color", *options]
        kept = {**environment(), "SCHEMATHESIS_HOOKS": "tests.fuzz.checks"}
        return subprocess.run([*program, *told], cwd=folder, env=kept, check=False).returncode == 0


def attack(world: World, options: settings) -> bool:
    """Send bytes; says whether nothing was found."""
    for name, send in ATTACKS.items():
        print(f"# {name}", flush=True)
        try:
            send(world, options)
        except AssertionError:
            print(traceback.format_exc())
            return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; the exit code is 1 when there was anything."""
    parser = argparse.ArgumentParser(description="Hold the answers to whatever is sent to the official description.")
    parser.add_argument("--states", default=",".join(_STATES), help=f"what is there at first: {', '.join(_STATES)}")
    parser.add_argument("--phases", default=_PHASES, help=f"of schemathesis: {_PHASES}")
    parser.add_argument("--examples", type=int, default=100, help="requests of each kind to each operation. 100")
    parser.add_argument("--attacks", type=int, default=5000, help="of each kind. 5000")
    parser.add_argument("--seed", type=int, help="of what schemathesis sends; without, it is always the same")
    given = parser.parse_args(arguments)
    options = ["--phases", given.phases, "--max-examples", str(given.examples), "--continue-on-failure"]
    options += ["--generation-deterministic"] if given.seed is None else ["--seed", str(given.seed)]
    bytes_ = settings(
        max_examples=given.attacks,
        derandomize=given.seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    good = True
    for state in given.states.split(","):
        print(f"# {state}", flush=True)
        with world() as server:
            if state == "settled":
                server.settle()
            good &= fuzz(server, options) and server.is_well()
    with world(**_HASTY) as server:
        server.settle()
        good &= attack(server, bytes_) and server.is_well()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
