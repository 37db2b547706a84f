from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.models import model_server
from tests.cli.test_serve import serve
from tests.contract.doors import served
from toolkit.engine import Engine
from toolkit.testing import ScriptedModel

MEMORY = ("--store", "sqlite:///:memory:")


@pytest.mark.usefixtures("tools")
def test_calls_and_results_are_shown_as_they_happen(cli: Cli) -> None:
    said = cli("run", "sky.py", "What is the current weather in Seoul?", *MEMORY)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "you        What is the current weather in Seoul?"
    assert lines[1].startswith('call       weather(city="Seoul"')
    assert lines[2] == "result     weather: 'Seoul' c 1"
    assert re.fullmatch(r"\(completed, 1 call in 1 turn, [\d,]+ \+ [\d,]+ tokens, \d+\.\d\d s\)", lines[-1])


@pytest.mark.usefixtures("tools")
def test_steps_show_the_objects_and_read_the_thread_back(cli: Cli) -> None:
    said = cli("run", "sky.py", "What is the current weather in Seoul?", "--steps", *MEMORY)
    assert re.search(r"^assistant  asst_\w+, model offline, 2 tools$", said.out, re.MULTILINE)
    assert re.search(r"^run        run_\w+$", said.out, re.MULTILINE)
    assert "run        requires_action: 1 call\n" in said.out
    assert "run        completed\n" in said.out
    assert re.search(r"^thread     thread_\w+ now holds:$", said.out, re.MULTILINE)
    assert "user       What is the current weather in Seoul?\n" in said.out


@pytest.mark.usefixtures("tools")
def test_a_thread_goes_on_and_no_assistant_is_left_behind(cli: Cli) -> None:
    first = cli("run", "sky.py", "Current weather in Seoul?", "--steps", "--store", "sqlite:///a.db")
    thread = re.search(r"thread_\w+", first.out)
    assert thread is not None
    second = cli("run", "sky.py", "Current weather in Oslo?", "--thread", thread[0], "--store", "sqlite:///a.db")
    assert second.code == 0
    with Engine("sqlite:///a.db") as engine:
        client = engine.client()
        assert len(client.beta.threads.messages.list(thread[0]).data) == 4
        assert client.beta.assistants.list().data == []


@pytest.mark.usefixtures("tools")
def test_what_went_wrong_in_a_call(cli: Cli) -> None:
    said = cli("run", "sky.py", "Current weather in Hades?", *MEMORY)
    assert "result     weather: The tool weather failed.\n" in said.out
    assert "(what the model is not told: ValueError: secret of the application)" in said.out
    assert "Traceback" not in said.out + said.err


def test_instructions_of_the_toolset_are_told_too(cli: Cli, tools: Path) -> None:
    tools.write_text(
        tools.read_text() + 'from toolkit import Toolset\nall = Toolset(rain, instructions="Say degrees.")\n'
    )
    model = ScriptedModel("Fine.")
    with Engine("sqlite:///:memory:", model=model) as engine, served(engine.app) as address:
        arguments = ("--model", "any", "--instructions", "Be brief.", "--url", f"{address}/v1")
        assert cli("run", "sky.py", "Hello", *arguments).code == 0
    assert model.asked[0].messages[0]["content"] == "Be brief.\n\nSay degrees."


@pytest.mark.usefixtures("tools")
def test_a_real_endpoint(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server(["llama3"]) as url:
        said = cli("run", "sky.py", "Hello", "--model-url", url, "--model", "llama3", *MEMORY)
        assert (said.code, said.err) == (0, "")
        assert "I am llama3, at your service.\n" in said.out
        monkeypatch.setenv("TOOLKIT_MODEL_URL", url)
        said = cli("run", "sky.py", "Hello", *MEMORY)
        assert (said.code, said.out) == (2, "")
        assert said.err == f"Which model at {url}? Set TOOLKIT_MODEL=NAME or give --model NAME.\n"
        assert cli("run", "sky.py", "Current weather in Seoul?", "--model", "offline", *MEMORY).code == 0
        said = cli("run", "sky.py", "Hello", "--model", "gpt-9", *MEMORY)
        assert said.code == 1
        assert said.err.startswith("The run failed (")
        assert len(said.err.splitlines()) <= 3


@pytest.mark.usefixtures("tools")
def test_endpoints_of_a_config_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server(["llama3"]) as local, model_server(["big"]) as far:
        text = f'[endpoints.local]\nurl = "{local}"\n[endpoints.far]\nurl = "{far}"\n[models]\n"x" = "far/big"\n'
        Path("toolkit.toml").write_text(text)
        monkeypatch.setenv("TOOLKIT_CONFIG", "toolkit.toml")
        monkeypatch.setenv("OPENAI_API_KEY", "of another program")
        assert "I am llama3, at" in cli("run", "sky.py", "Hello", "--model", "local/llama3", *MEMORY).out
        assert "I am big, at" in cli("run", "sky.py", "Hello", "--model", "x", *MEMORY).out
        said = cli("run", "sky.py", "Hello", *MEMORY)
        assert said.err == f"Which model at {local}, {far}? Set TOOLKIT_MODEL=NAME or give --model NAME.\n"
        said = cli("run", "sky.py", "Hello", "--model", "y", *MEMORY)
        assert said.err.startswith("The model 'y' is at no endpoint: ask for local/MODEL, far/MODEL")
        Path("toolkit.toml").write_text(text + '"*" = "local/llama3"\n')
        assert "I am llama3, at" in cli("run", "sky.py", "Hello", *MEMORY).out


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "gpt-4o"], 2, "The model 'gpt-4o' needs an endpoint"),
        (["--thread", "thread_none"], 1, "The server refused (404): "),
        (["--url", "http://127.0.0.1:9/v1", "--model", "offline"], 1, "No server answers at http://127.0.0.1:9/v1"),
        (["--url", "127.0.0.1:9/v1"], 2, "--url '127.0.0.1:9/v1' is not understood. Write it like http://"),
        (["--url", "http://127.0.0.1:9/v1"], 2, "Which model at http://127.0.0.1:9/v1?"),
        (["--model-url", "http://127.0.0.1:9/v1", "--model", "x"], 2, "The model endpoint http://127.0.0.1:9/v1"),
    ],
)
def test_mistakes(cli: Cli, arguments: list[str], code: int, said: str) -> None:
    left = cli("run", "sky.py", "Current weather in Seoul?", *arguments)
    assert (left.code, left.err[: len(said)]) == (code, said)
    assert len(left.err.splitlines()) <= 3


@pytest.mark.usefixtures("tools")
def test_an_endpoint_that_refuses_the_key_is_told_by_the_run(cli: Cli) -> None:
    with model_server(["x"], status=401) as url:
        said = cli("run", "sky.py", "Hello", "--model-url", url, "--model", "x", *MEMORY)
    assert said.code == 1
    assert "refused the key" in said.err
    assert len(said.err.splitlines()) <= 3


@pytest.mark.usefixtures("tools")
def test_an_empty_request(cli: Cli) -> None:
    said = cli("run", "sky.py", " ", *MEMORY)
    assert (said.code, said.err) == (2, "Ask for something: the request is empty.\n")


@pytest.mark.usefixtures("tools")
def test_against_a_server(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # which never leads to this machine itself
    with serve(*MEMORY, "--api-key", "k") as server:
        arguments = ("run", "sky.py", "Current weather in Seoul?", "--url", server.url, "--model", "offline")
        said = cli(*arguments, "--url-key", "k")
        assert (said.code, said.err) == (0, "")
        assert "result     weather: 'Seoul' c 1\n" in said.out
        said = cli(*arguments, "--url-key", "wrong")
        assert said.code == 1
        assert said.err.startswith("The server refused the key: ")


def test_ctrl_c_stops_the_run(tmp_path: Path) -> None:
    import signal

    (tmp_path / "slow.py").write_text(
        "import time\nfrom toolkit import tool\n"
        "@tool\ndef wait(city: str) -> str:\n    'Wait for a city.'\n    time.sleep(30)\n    return ''\n"
    )
    command = [str(Path(sys.executable).with_name("toolkit")), "run", "slow.py", "Wait for Seoul", *MEMORY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("call"):
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read() == "Stopped.\n"
