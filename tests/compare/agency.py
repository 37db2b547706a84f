"""What agency-swarm does in runs: `run.py` starts it, with the engine's address and the names of cases."""

from __future__ import annotations

import sys
import time
import warnings
from functools import partial
from importlib.metadata import version

from agency_swarm import Agency, Agent, BaseTool
from agency_swarm.util.oai import set_openai_client
from agency_swarm.util.streaming import AgencyEventHandler
from cases import go_through
from openai import OpenAI


class weather(BaseTool):
    """Weather in a city."""

    city: str

    def run(self) -> str:
        return f"Sunny in {self.city}."


class breaks(BaseTool):
    """Break."""

    city: str

    def run(self) -> str:
        raise RuntimeError("the lamp fell over")


class slow(BaseTool):
    """Take a while."""

    city: str

    def run(self) -> str:
        time.sleep(0.5)
        return "slow"


class slower(BaseTool):
    """Take longer than the run may."""

    city: str

    def run(self) -> str:
        time.sleep(2)
        return "slower"


class Leaves(AgencyEventHandler):
    """The one way out of a stream: to raise."""

    def on_text_delta(self, delta: object, snapshot: object) -> None:
        raise EOFError("enough")


def ask(client: OpenAI, case: str) -> str:
    agent = Agent(name="a", model=case, tools=[weather, breaks, slow, slower])
    agency = Agency([agent])
    thread = agency.main_thread
    thread.init_thread()
    if case in ("broken stream", "left early"):
        try:
            return repr(agency.get_completion_stream("Hi", Leaves if case == "left early" else AgencyEventHandler))
        finally:
            print(f"    the run is {[run.status for run in client.beta.threads.runs.list(thread.id)]} then")
    if case == "busy thread":
        other = client.beta.threads.runs.create(thread.id, assistant_id=agent.id)
        try:
            return repr(agency.get_completion("Hi"))
        finally:
            status = client.beta.threads.runs.retrieve(other.id, thread_id=thread.id).status
            print(f"    the run that was there is {status} then")
    return repr(agency.get_completion("Hi"))


def main(url: str, cases: list[str]) -> None:
    warnings.simplefilter("ignore")
    print(f"\nagency-swarm {version('agency-swarm')}, openai {version('openai')}", flush=True)
    client = OpenAI(base_url=url, api_key="none", default_headers={"OpenAI-Beta": "assistants=v2"})
    set_openai_client(client)
    go_through(cases, partial(ask, client))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
