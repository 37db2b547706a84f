from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import blocks
from toolkit.cli.config import Config, config_of
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import answering_of
from toolkit.cli.settings import ModelSettings

WHOLE = """
[endpoints.local]
url = "http://localhost:11434/v1/"

[endpoints.azure]
url = "https://name.example/openai/deployments/big"
key_file = "keys/azure"
key_header = "api-key"
headers = { X-Team = "a" }
query = { api-version = "2024-10-21" }
context_tokens = 128000

[endpoints.router]
url = "https://router.example/v1"
key_env = "ROUTER_KEY"

[models]
"gpt-4o" = "local/llama3"
"*" = "azure/big"
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "toolkit.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_is_said_without_a_file(tmp_path: Path) -> None:
    assert config_of(None) == Config()
    assert config_of(written(tmp_path, "")) == Config(tmp_path / "toolkit.toml", {}, {})


def test_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc" / "keys").mkdir(parents=True)
    (tmp_path / "etc" / "keys" / "azure").write_text("azure-key\n")
    monkeypatch.setenv("ROUTER_KEY", "router-key")
    monkeypatch.chdir(tmp_path)
    file = written(Path("etc"), WHOLE)  # the key file is beside it, wherever the command is run
    assert config_of(file) == Config(
        file,
        {
            "local": ModelSettings("http://localhost:11434/v1"),
            "azure": ModelSettings(
                "https://name.example/openai/deployments/big",
                "azure-key",
                "api-key",
                {"X-Team": "a"},
                {"api-version": "2024-10-21"},
                128000,
            ),
            "router": ModelSettings("https://router.example/v1", "router-key"),
        },
        {"gpt-4o": "local/llama3", "*": "azure/big"},
    )
    assert "azure-key" not in repr(config_of(file))
    assert "router-key" not in repr(config_of(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[endpoints", "is no TOML: "),
        ("[endpoint.x]", "'endpoint' is not known. It can have: endpoints, models"),
        ("endpoints = 1", "[endpoints] must be a table."),
        ("endpoints.x = 1", "[endpoints.x] must be a table."),
        ("[endpoints.x]", '[endpoints.x] has no url. Write one, such as url = "http://localhost:11434/v1"'),
        ("[endpoints.x]\nurl = 'here'", "[endpoints.x] url: The model URL 'here' is not understood."),
        ("[endpoints.x]\nurl = 7", "[endpoints.x] url must be a text in quotes, and not empty."),
        ("[endpoints.x]\nurl = ' '", "[endpoints.x] url must be a text in quotes, and not empty."),
        (
            "[endpoints.x]\nurl = 'http://a'\ntimeout = 1",
            "[endpoints.x] 'timeout' is not known. It can have: url, key_",
        ),
        (
            "[endpoints.x]\nurl = 'http://a'\nkey = 'sk-1'",
            "[endpoints.x] keys are not kept in this file. Give key_file",
        ),
        ("[endpoints.x]\nurl = 'http://a'\nkey_file = 'no'", "[endpoints.x] key_file: "),
        ("[endpoints.x]\nurl = 'http://a'\nkey_env = 'NO'", "[endpoints.x] key_env: the environment has no NO."),
        (
            "[endpoints.x]\nurl = 'http://a'\nkey_env = 'NO'\nkey_file = 'no'",
            "[endpoints.x] has key_file and key_env. Leave one out.",
        ),
        ("[endpoints.x]\nurl = 'http://a'\nheaders = 'a'", "[endpoints.x] headers must be a table."),
        ("[endpoints.x]\nurl = 'http://a'\nheaders.A = 1", "[endpoints.x] headers 'A' must be a text in quotes"),
        ("[endpoints.x]\nurl = 'http://a'\nquery.v = ['sk-1']", "[endpoints.x] query 'v' must be a text in quotes"),
        ("[endpoints.x]\nurl = 'http://a'\ncontext_tokens = 0", "context_tokens must be a whole number above 0."),
        ("[endpoints.x]\nurl = 'http://a'\ncontext_tokens = true", "context_tokens must be a whole number above 0."),
        ("[endpoints.x]\nurl = 'http://a'\ncontext_tokens = 8.5", "context_tokens must be a whole number above 0."),
        ("[models]\ngpt-4o = ''", "[models] 'gpt-4o' must be a text in quotes"),
        ("[models]\ngpt-4o = 1", "[models] 'gpt-4o' must be a text in quotes"),
        ("models = ['sk-1']", "[models] must be a table."),
        ("[models]\noffline = 'x'", "[models] 'offline' always means the offline model"),
    ],
)
def test_mistakes_name_the_file_and_the_place(tmp_path: Path, text: str, said: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(Mistake) as mistake:
        config_of(file)
    assert str(file) in str(mistake.value)
    assert said in str(mistake.value)
    assert len(str(mistake.value).splitlines()) <= 3
    assert "sk-1" not in str(mistake.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="No such file or directory"):
        config_of(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(Mistake, match="it is not text"):
        config_of(tmp_path / "bytes")


def test_the_files_on_the_page_are_read(tmp_path: Path) -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "models.md"
    files = [block.text for block in blocks(page.read_text(encoding="utf-8")) if block.language == "toml"]
    for text in files:
        for key_file in re.findall(r'^key_file = "(.*)"$', text, re.MULTILINE):
            (tmp_path / key_file).write_text("sk-1")
        answering = answering_of(ModelSettings(), config_of(written(tmp_path, text)), {})
        assert answering.all
    assert len(files) == 2
