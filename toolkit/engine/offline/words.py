"""Words: how a text is taken apart, which forms are one word, which words say little, which mean nearly the same.

Small tables of everyday English, enough for requests to tools; a word that is in none of them is matched as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["ARTICLES", "CONNECTORS", "VERBS", "Word", "is_little", "name_words", "related", "stem", "words_in"]

_WORD = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")
_NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


class Word(NamedTuple):
    """A word of a text, and where it stands."""

    text: str
    stem: str
    start: int
    end: int


def words_in(text: str) -> list[Word]:
    """Take a text apart into words."""
    return [Word(found[0], stem(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]


def name_words(name: str) -> tuple[str, ...]:
    """Take a name apart into stems: `get_weather`, `getWeather` and `get-weather` are the same."""
    return tuple(stem(part) for part in _NAME_PART.findall(name))


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """Reduce a word to what its forms share: flights, flight; raining, rain; planned, plan; What's, what."""
    word = re.split("['’]", word.casefold(), maxsplit=1)[0]
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            if word[-1] == word[-2] and word[-1] not in "aeiouls":
                word = word[:-1]
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


ARTICLES: Final = frozenset(
    ["a", "an", "the", "my", "our", "your", "his", "her", "their", "this", "that", "these", "those", "some", "any"]
)
CONNECTORS: Final = frozenset(["and", "or", "plus", "also", "then", "vs", "versus", "&", "as", "well", "both"])
_LITTLE: Final = (
    ARTICLES
    | CONNECTORS
    | _stems("""
    about again all am are as at be been but by can could do does did done for from get gets give given go going
    got had has have hello help here hey hi how i i'd if in into is it it'll its just know let like likely
    made make may me might much near need needs no not now of off ok okay on one only onto out over per
    please really shall she he should so such tell than thank thanks them there they to today tomorrow tonight too
    under up us use used user using very want was we were what when where which while who whose why will with
    within without would yes you e g i.e e.g specific current currently value values name return returns optional
    default example
    """)
)
VERBS: Final = _stems("""
    add analyse analyze archive average book buy calculate call change check choose compare compute confirm
    convert copy count create decrease delete describe dim display divide download draft explain extract fetch
    figure filter find forecast get give help increase list lock look make mark move multiply mute open order pick
    plan play post print rank rate read remind remove rename reply reserve resume roll run save say schedule
    search send set share show sort start stop store subtract sum summarise summarize switch tell translate try
    turn unlock update upload use watch write
""")
"""What requests begin with: a capital letter there makes no name."""

_GROUPS: Final = tuple(
    _stems(group)
    for group in (
        "weather forecast temperature climate",
        "rain rainy umbrella precipitation wet shower",
        "probability likelihood chance odds risk likely",
        "flight fly plane airline fare",
        "find search look seek lookup query grep locate",
        "search say said mention contain about wrote written",
        "read open show display view print content contents inside text",
        "figure figures statistics stats average mean sum total maximum minimum largest smallest highest lowest median",
        "list show which available every overview",
        "mail email message",
        "send write mail",
        "note file document doc",
        "delete remove erase drop",
        "cancel stop abort",
        "create make new add write",
        "price cost quote worth",
        "time clock hour timezone",
        "city town place location",
        "buy order purchase book reserve reservation booking",
        "convert exchange currency",
        "calculate compute calculator math evaluate expression",
        "table csv spreadsheet column",
        "folder directory",
        "user person people customer member",
        "remember remind reminder",
        "meeting event appointment calendar",
        "stock share ticker",
        "light lamp",
        "roll throw dice die",
        "picture image photo",
        "route direction distance far",
        "status state progress",
        "latest newest recent news",
    )
)
_GROUPS_OF: Final[Mapping[str, frozenset[int]]] = {
    word: frozenset(number for number, group in enumerate(_GROUPS) if word in group)
    for word in frozenset[str]().union(*_GROUPS)
}
_NONE: Final = frozenset[int]()
_ASK_FOR: Final = {
    stem(word): _stems(asked)
    for words, asked in (
        ("hot cold warm cool degree", "temperature weather forecast"),
        ("rain raining rainy snow sunny wind windy storm humid umbrella wear outside", "weather forecast"),
    )
    for word in words.split()
}
"""Words that ask for another thing, which does not ask for them: whether it rains is weather, weather is not rain."""


def is_little(word: str) -> bool:
    """Say whether a stem says nothing of what is wanted."""
    return word in _LITTLE


def related(said: str, meant: str) -> bool:
    """Say whether a stem that was said may mean another: they mean nearly the same, or one is a longer form."""
    if _GROUPS_OF.get(said, _NONE) & _GROUPS_OF.get(meant, _NONE) or meant in _ASK_FOR.get(said, ()):
        return True
    shorter, longer = sorted((said, meant), key=len)
    return len(shorter) >= 5 and longer.startswith(shorter)
