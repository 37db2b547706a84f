from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.models import model_server
from tests.engine.search.concepts import concepts
from tests.sandbox.sessions import needs_wall, strongest
from toolkit.cli.doctor import _sandbox


def test_a_machine_where_all_works(cli: Cli, tmp_path: Path) -> None:
    said = cli("doctor")
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert all(line.startswith(("ok    ", "      ")) for line in lines)
    assert max(len(line) for line in lines if "/" not in line) <= 80
    assert lines[0].startswith("ok    assistants-toolkit ")
    store = tmp_path / "home" / "assistants-toolkit" / "assistants.db"
    assert re.search(rf"ok    store is writable, \d\.\d MB:\s+sqlite:///{store}\n", said.out)
    assert lines[-2:] == [
        "ok    no model endpoint set; for one: TOOLKIT_MODEL_URL, or OPENAI_API_KEY",
        "ok    files are found by their words alone; more: TOOLKIT_EMBEDDINGS_MODEL",
    ]


@needs_wall
def test_every_layer_around_strange_code_is_named(cli: Cli) -> None:
    said = " ".join(cli("doctor").out.split())
    assert (
        f"ok sandbox by {strongest().wall.name}; its layers hold: mnt namespace, pid namespace, net namespace" in said
    )
    assert all(name in said for name in ("capabilities", "seccomp", "limits", "disk", "environment"))


def test_a_machine_without_a_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    (finding,) = _sandbox(unsafe=False, image=None)
    assert finding.works
    assert "cannot run here" in finding.what
    assert "needs Linux" in finding.remedy


def test_no_wall_is_named_as_what_it_is(cli: Cli) -> None:
    said = cli("doctor", "--unsafe-code-interpreter")
    assert "UNSAFE: code_interpreter has no wall" in said.out
    assert "its layers hold" not in said.out


def test_an_image_that_is_not_there_does_not_work(cli: Cli) -> None:
    said = cli("doctor", "--sandbox-image", "nobody/has:this")
    assert (said.code, "FAIL  no sandbox: code of a model's cannot run here" in said.out) == (1, True)


def test_a_wall_and_none_is_a_mistake(cli: Cli) -> None:
    for command in ("doctor", "serve"):
        said = cli(command, "--sandbox-image", "x", "--unsafe-code-interpreter")
        assert (said.code, said.err) == (
            2,
            "Give either --sandbox-image or --unsafe-code-interpreter: a container is a wall.\n",
        )


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
        assert "FAIL  model gpt-9\n      The endpoint has: llama3:latest, mistral\n" in said.out


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


def test_models_that_say_what_files_are_about(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with concepts() as models:
        told = ("--embeddings-url", models.url, "--embeddings-model", "concepts")
        said = cli("doctor", *told, "--rerank-url", models.url, "--rerank-model", "order")
        assert said.code == 0
        assert said.out.endswith(
            "ok    files are found by words and by the embedding model concepts, 5 numbers\n"
            "ok    what was found is put in order by the reranking model order\n"
        )
        (tmp_path / "toolkit.toml").write_text(
            f'[endpoints.local]\nurl = "{models.url}"\n[search]\nembeddings_model = "local/wide"\n'
        )
        assert "by the embedding model wide, 6 numbers\n" in cli("doctor", "--config", "toolkit.toml").out
        models.status = 401
        monkeypatch.setenv("TOOLKIT_EMBEDDINGS_KEY", "sk-secret")
        said = cli("doctor", *told)
        assert models.headers["authorization"] == "Bearer sk-secret"
    assert said.code == 1
    assert "FAIL  embedding model concepts: files are found by their words alone\n" in said.out
    assert "refused the key (401)" in " ".join(said.out.split())
    assert "sk-secret" not in said.out


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            ("--embeddings-model", "m"),
            "The model 'm' of --embeddings-model needs an endpoint: give --embeddings-url URL",
        ),
        (("--rerank-model", "m"), "The model 'm' of --rerank-model needs an endpoint: give --rerank-url URL"),
        (("--rerank-url", "http://x"), "Which model is it at --rerank-url? Name it: --rerank-model NAME."),
        (
            ("--embeddings-model", "m", "--embeddings-url", "x"),
            "--embeddings-url: The model URL 'x' is not understood.",
        ),
    ],
)
def test_models_for_search_that_are_not_there(cli: Cli, told: tuple[str, ...], said: str) -> None:
    for command in ("doctor", "serve"):
        done = cli(command, *told)
        assert done.code == (1 if command == "doctor" else 2)
        assert said in " ".join((done.out + done.err).split())
