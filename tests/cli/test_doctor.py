from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.models import model_server


def test_a_machine_where_all_works(cli: Cli, tmp_path: Path) -> None:
    said = cli("doctor")
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert all(line.startswith(("ok    ", "      ")) for line in lines)
    assert max(len(line) for line in lines if "/" not in line) <= 80
    assert lines[0].startswith("ok    assistants-toolkit ")
    store = tmp_path / "home" / "assistants-toolkit" / "assistants.db"
    assert re.search(rf"ok    store is writable, \d\.\d MB:\s+sqlite:///{store}\n", said.out)
    assert lines[-1] == "ok    no model endpoint set; for one: TOOLKIT_MODEL_URL, or OPENAI_API_KEY"


def test_a_store_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    said = cli("doctor", "--store", "sqlite:///taken")
    assert said.code == 1
    assert "FAIL  store sqlite:///taken\n" in said.out
    assert "Choose another with --store or TOOLKIT_STORE." in " ".join(said.out.split())


def test_a_model_endpoint(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server(["llama3:latest", "mistral"]) as url:
        monkeypatch.setenv("TOOLKIT_MODEL_URL", url)
        said = cli("doctor")
        assert said.code == 0
        assert f"ok    model endpoint {url}, 2 models\n" in said.out
        assert "TOOLKIT_MODEL is not set, and toolkit run needs it: llama3:latest, mistral" in " ".join(
            said.out.split()
        )
        assert cli("doctor", "--model", "llama3").code == 0
        said = cli("doctor", "--model", "gpt-9")
        assert said.code == 1
        assert said.out.endswith("FAIL  model gpt-9\n      The endpoint has: llama3:latest, mistral\n")


def test_each_endpoint_of_a_config_file(cli: Cli, tmp_path: Path) -> None:
    with model_server(["llama3"]) as local, model_server(["big"], status=401) as far:
        text = f'[endpoints.local]\nurl = "{local}"\n[endpoints.far]\nurl = "{far}"\n[models]\n"x" = "local/llama"\n'
        (tmp_path / "toolkit.toml").write_text(text)
        said = cli("doctor", "--config", "toolkit.toml")
    assert said.code == 1
    assert f"ok    model endpoint local {local}, 1 model\n" in said.out
    assert "FAIL  model llama\n      The endpoint has: llama3\n" in said.out
    assert f"FAIL  model endpoint far {far}\n" in said.out
    assert "refused the key" in " ".join(said.out.split())
    (tmp_path / "toolkit.toml").write_text("[endpoints]\nlocal = 1")
    said = cli("doctor", "--config", "toolkit.toml")
    assert said.code == 1
    assert "FAIL  model endpoint\n      toolkit.toml: [endpoints.local] must be a table.\n" in said.out


def test_an_endpoint_that_does_not_answer_or_is_none(cli: Cli) -> None:
    said = cli("doctor", "--model-url", "http://127.0.0.1:9/v1")
    assert said.code == 1
    assert "FAIL  model endpoint http://127.0.0.1:9/v1\n" in said.out
    assert cli("doctor", "--model-url", "here").code == 1
