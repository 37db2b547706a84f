"""An agency of agency-swarm: two agents that talk to each other, settings kept in a file, and a stream."""

import json
from pathlib import Path

from agency_swarm import Agency, Agent, BaseTool
from agency_swarm.util.streaming import AgencyEventHandler
from pydantic import Field


def tell(name, value):
    print(json.dumps([name, value]), flush=True)


class GetWeather(BaseTool):
    """Weather in a city."""

    city: str = Field(..., description="The city.")

    def run(self):
        return {"Seoul": "21 degrees", "Oslo": "9 degrees"}[self.city]


class Collecting(AgencyEventHandler):
    text = ""

    def on_text_delta(self, delta, snapshot):
        Collecting.text += delta.value


def agency():
    weather = Agent(name="Weather", description="Knows the weather.", instructions="Be brief.", tools=[GetWeather])
    return Agency([weather], temperature=0.5), weather


team, weather = agency()
tell("answer", team.get_completion("Hello there", yield_messages=False))
tell("answer with calls", team.get_completion("The weather in Seoul and Oslo?", yield_messages=False))
team.get_completion_stream("The weather in Oslo?", event_handler=Collecting)
tell("streamed", Collecting.text)
tell("settings", [one["name"] for one in json.load(Path("settings.json").open())])
again, same = agency()
tell("found again", [same.id == weather.id, again.get_completion("Hello again", yield_messages=False)])
team.delete()

folder = Path("notes").absolute()
folder.mkdir()
(folder / "oslo.md").write_text("Oslo is cold in winter.")
for round in ("first", "second"):  # it renames a file to bear its id, and knows it by that the next time
    keeper = Agent(name="Keeper", description="Keeps notes.", instructions="Be brief.", files_folder=str(folder))
    team = Agency([keeper])
    [file], [uploaded] = folder.iterdir(), keeper.client.files.list()
    tell(f"uploaded, {round} time", [uploaded.filename, file.name == f"oslo_{uploaded.id}.md"])
tell("searched", team.get_completion("Search where it is cold in winter", yield_messages=False))
