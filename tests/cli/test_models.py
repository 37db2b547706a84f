from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.models import model_server
from toolkit.cli.config import Config
from toolkit.cli.mistakes import Mistake
from toolkit.cli.models import answering_of, models_at, offers
from toolkit.cli.settings import ModelSettings
from toolkit.engine.model import ModelError

A, B = ModelSettings("http://a/v1"), ModelSettings("http://b/v1")
FILE = Path("etc/toolkit.toml")


def test_flags_win_over_the_file() -> None:
    answering = answering_of(A, Config(FILE, {"b": B}, {"x": "b/one", "*": "b/two"}), {"*": "three"})
    assert answering.names == {"x": "b/one", "*": "three"}
    assert answering.urls == {"": "http://a/v1", "b": "http://b/v1"}
    assert list(answering.all) == ["", "b"]
    assert answering.used() == {"b": ["one"], "": ["three"]}


def test_urls_are_shown_without_what_may_be_secret() -> None:
    urls = ModelSettings("http://me:secret@a/v1?key=secret"), ModelSettings("http://b/v1/chat/completions")
    answering = answering_of(urls[0], Config(FILE, {"b": urls[1]}, {}), {})
    assert answering.urls == {"": "http://a/v1", "b": "http://b/v1"}
    assert "secret" not in repr(answering)


def test_without_a_model_url_the_endpoints_of_the_file_are_all() -> None:
    answering = answering_of(ModelSettings(), Config(FILE, {"b": B}, {"x": "b/one", "y": "two", "z": "offline"}), {})
    assert answering.default is None
    assert answering.used() == {"b": ["one", "two"]}
    assert answering_of(ModelSettings(), Config(), {}).all == {}


@pytest.mark.parametrize(
    ("default", "config", "names", "said"),
    [
        (ModelSettings(), Config(), {"*": "x"}, "The model 'x' needs an endpoint. Give --model-url URL"),
        (
            ModelSettings(),
            Config(FILE, {"a": A, "b": B}, {"x": "c/one"}),
            {},
            "etc/toolkit.toml: [models] 'x': the model 'c/one' names no endpoint that is there. There is: a, b",
        ),
        (
            ModelSettings(),
            Config(FILE, {"a": A, "b": B}, {}),
            {"x": "one"},
            "The model 'one' names no endpoint that is",
        ),
        (A, Config(FILE, {"default": B}, {}), {}, "etc/toolkit.toml: There is a model URL and an endpoint called"),
        (A, Config(FILE, {"a b": B}, {}), {}, "etc/toolkit.toml: No endpoint can be called 'a b'."),
        (
            A,
            Config(FILE, {"b": ModelSettings("http://b", "\n\0")}, {}),
            {},
            "etc/toolkit.toml: [endpoints.b] The model",
        ),
        (
            A,
            Config(FILE, {"b": ModelSettings("http://b", headers={"A B": "secret"})}, {}),
            {},
            "etc/toolkit.toml: [endpoints.b] 'A B' is no header",
        ),
    ],
)
def test_mistakes(default: ModelSettings, config: Config, names: Mapping[str, str], said: str) -> None:
    with pytest.raises(Mistake) as mistake:
        answering_of(default, config, names)
    assert str(mistake.value).startswith(said)
    assert "secret" not in str(mistake.value)


def test_what_an_endpoint_has() -> None:
    with model_server(["b", "a"]) as url:
        endpoint = answering_of(ModelSettings(url), Config(), {}).default
        assert endpoint is not None
        assert models_at(endpoint, url) == ["a", "b"]
    with pytest.raises(ModelError) as error:
        models_at(endpoint, url)
    assert error.value.retry


def test_names_that_can_be_asked_for() -> None:
    assert offers(["llama3:latest"], "llama3")
    assert offers([], "any")
    assert not offers(["llama3:latest"], "llama")
