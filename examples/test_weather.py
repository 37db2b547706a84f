"""Tests of an assistant, as you would write them: no key, no network, no waiting.

    python -m pytest examples/test_weather.py

The fixtures come with the package. `--toolkit-update` writes the snapshot anew, `--toolkit-record` the recording.
"""

from __future__ import annotations

from pathlib import Path

from examples.weather_assistant import tools
from toolkit import run
from toolkit.engine import Engine
from toolkit.testing import Asked, assert_schema, call

HERE = Path(__file__).parent


def test_both_functions_are_called_and_their_results_reach_the_model(toolkit_server):
    def answer(asked: Asked) -> str:
        assert asked.outputs == ["21.5 C", "0.35"]
        return "Mild, and dry."

    both = [call("get_current_temperature", location="Seoul"), call("get_rain_probability", location="Seoul")]
    server = toolkit_server(both, answer)
    with server.client() as client:
        result = run(client, tools, assistant_id=server.assistant(tools), input="Weather in Seoul?")
    assert result.text == "Mild, and dry."


def test_a_server_that_fails_and_a_model_that_writes_nonsense_change_nothing(toolkit_server):
    server = toolkit_server(
        call("get_rain_probability", '{"location": "Os'),  # broken off
        call("get_rain_probability", location="Oslo"),
        "Take an umbrella.",
        faults={"create": "429", "submit": "drop-done 500 twice"},
    )
    with server.client() as client:
        result = run(client, tools, assistant_id=server.assistant(tools), input="Rain in Oslo?")
    assert result.calls[-1].output.content == "0.7"


def test_a_run_that_was_recorded_goes_as_it_went(toolkit_cassette):
    client = toolkit_cassette(lambda: Engine("sqlite:///:memory:").client())  # for a service: toolkit_cassette()
    assistant = client.beta.assistants.create(model="offline", tools=tools.definitions)
    result = run(client, tools, assistant_id=assistant.id, input="Temperature in Lisbon?")
    assert [one.output.content for one in result.calls] == ["24.0 C"]


def test_models_are_told_what_they_were_told_before():
    assert_schema(tools, HERE / "schemas" / "weather.json")
