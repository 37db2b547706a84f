"""Values that stand in a text: quotations, addresses, files, dates, times, sums, numbers and names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

from toolkit.engine.offline.words import ARTICLES, VERBS, Word, is_little, stem, words_in

__all__ = ["Kind", "Value", "values_in"]

Kind = Literal["quoted", "url", "email", "file", "date", "time", "sum", "number", "code", "name"]


class Value(NamedTuple):
    """A value: its text as an argument, where it stands, and the word that leads to it (in, from, to ...)."""

    kind: Kind
    text: str
    start: int
    end: int
    lead: str = ""


_MONTHS: Final = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTH: Final = "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in _MONTHS)
_NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
_INNER: Final = frozenset(
    [
        "of",
        "de",
        "da",
        "do",
        "dos",
        "das",
        "del",
        "la",
        "le",
        "les",
        "du",
        "von",
        "van",
        "der",
        "am",
        "den",
        "upon",
        "al",
        "el",
    ]
)
"""Small words inside a name."""
_SUFFIXES: Final = frozenset(["City", "State", "Town", "Island", "Islands", "County", "Street", "Airport"])
"""Words that belong to the name before them, whatever else they mean."""
_COUNTRIES: Final = (
    "Argentina|Australia|Austria|Belgium|Brazil|Britain|Canada|Chile|China|Colombia|Croatia|Denmark|Egypt|England|Finland"
    "|France|Germany|Greece|Hungary|Iceland|India|Indonesia|Ireland|Israel|Italy|Japan|Kenya|Korea|Malaysia|Mexico|Morocco"
    "|Netherlands|New Zealand|Nigeria|Norway|Peru|Philippines|Poland|Portugal|Romania|Scotland|Singapore|South Africa"
    "|South Korea|Spain|Sweden|Switzerland|Taiwan|Thailand|Turkey|Ukraine|United Kingdom|United States|Vietnam|Wales"
    "|California|Colorado|Florida|Georgia|Hawaii|Illinois|Massachusetts|Nevada|Ohio|Oregon|Texas|Virginia|Washington"
)
_REGION: Final = re.compile(rf",? [A-Z]{{2}}\b(?!-)|, (?:{_COUNTRIES})\b")
"""What follows the name of a place: San Francisco, CA; Paris, France."""
_NO_NAMES: Final = frozenset(
    {"i", "ok", "am", "celsius", "fahrenheit", "kelvin", "csv", "json"}.union(_MONTHS, _DAYS, (m[:3] for m in _MONTHS))
)

_PATTERNS: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    (
        "quoted",
        re.compile(r'"([^"\n]+)"|“([^”\n]+)”|«([^»\n]+)»|`([^`\n]+)`|„([^“”\n]+)[“”]|(?<!\w)\'([^\'\n]+)\'(?!\w)'),
    ),
    ("url", re.compile(r"\bhttps?://[^\s<>\"]+[^\s<>\".,;:!?)\]]")),
    ("email", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("date", re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?\b")),
    ("date", re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({_MONTH})\b\.?,?(?: (\d{{4}}))?", re.IGNORECASE)),
    ("date", re.compile(rf"\b({_MONTH})\b\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (\d{{4}}))?", re.IGNORECASE)),
    ("date", re.compile(rf"\b(?:today|tonight|tomorrow|(?:(?:next|on|this) )(?:{'|'.join(_DAYS)}))\b", re.IGNORECASE)),
    ("date", re.compile(rf"\b(?:{'|'.join(_DAYS)})\b", re.IGNORECASE)),
    ("time", re.compile(r"\b(\d{1,2}):(\d{2})(?::\d{2})?\s?(am|pm)?\b|\b(\d{1,2})\s?(am|pm)\b", re.IGNORECASE)),
    (
        "file",
        re.compile(
            r"(?<![\w@])(?:[\w.~-]+/)*[\w~-]+(?:\.[\w~-]+)*\.[A-Za-z][A-Za-z0-9]{0,4}\b(?!\.\w)|(?<!\w)[\w.~-]+/[\w./~-]*"
        ),
    ),
    ("code", re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w]+(?:-[\w]+)*\b")),
    ("sum", re.compile(r"(?<![\w.])\(*-?\d[\d.]*\)*(?:\s*(?:[-+*/^%×÷]|\*\*)\s*\(*-?\d[\d.]*\)*)+")),
    ("number", re.compile(r"(?<![\w.,])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w])|-?(?<!\w)\.\d+")),
    ("number", re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)),
)


def values_in(text: str, today: Callable[[], date], *, known: Collection[str] = ()) -> list[Value]:
    """Find the values of a text, in order. `known` are stems that name tools or parameters, so they are no names."""
    taken = bytearray(len(text))
    found: list[Value] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if any(taken[match.start() : match.end()]):
                continue
            said = _said(kind, match, today)
            if said is None:
                continue
            taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
            found.append(Value(kind, said, match.start(), match.end()))
    words = words_in(text)
    end = 0
    for name in _names(text, [word for word in words if not any(taken[word.start : word.end])], known):
        if name.start >= end:  # else it is the region of the name before
            found.append(name)
            end = name.end
    found.sort(key=lambda value: value.start)
    return [value._replace(lead=_lead(text, words, value.start)) for value in found]


def _said(kind: Kind, match: re.Match[str], today: Callable[[], date]) -> str | None:
    """Give a value's text as an argument has it; None when the match is none after all."""
    if kind == "quoted":
        return next(group for group in match.groups() if group)
    if kind == "date":
        return _date(match, today)
    if kind == "time":
        hour, minute, half = match[1] or match[4], match[2] or "00", (match[3] or match[5] or "").lower()
        clock = int(hour) % 12 + 12 * (half == "pm") if half else int(hour)
        return f"{clock:02}:{minute}" if clock < 24 and int(minute) < 60 else None
    if kind == "number" and match[0].casefold() == "one":  # seldom a number
        return None
    if kind == "file" and match[0].casefold() in ("and/or", "e.g", "i.e", "a.m", "p.m"):
        return None
    if kind == "number":
        return str(_NUMBERS.get(match[0].casefold(), match[0].replace(",", "")))
    return match[0].strip()


def _date(match: re.Match[str], today: Callable[[], date]) -> str | None:
    text = match[0].casefold()
    if text[0].isdigit() and not match.re.groups:
        return match[0]
    if match.re.groups:
        day, month, year = (match[1], match[2], match[3]) if text[0].isdigit() else (match[2], match[1], match[3])
        number = next(n for n, name in enumerate(_MONTHS, start=1) if name.startswith(month[:3].casefold()))
        return _day(int(day), number, int(year) if year else None, today)
    now = today()
    if text in ("today", "tonight"):
        return now.isoformat()
    if text == "tomorrow":
        return (now + timedelta(days=1)).isoformat()
    ahead = (_DAYS.index(text.split()[-1]) - now.weekday()) % 7
    return (now + timedelta(days=ahead or 7)).isoformat()


def _day(day: int, month: int, year: int | None, today: Callable[[], date]) -> str | None:
    """Give a day; one without a year is the next there will be."""
    try:
        if year:
            return date(year, month, day).isoformat()
        now = today()
        this_year = date(now.year, month, day)
        return (this_year if this_year >= now else date(now.year + 1, month, day)).isoformat()
    except ValueError:
        return None


def _names(text: str, words: list[Word], known: Collection[str]) -> Iterator[Value]:
    """Find names: words with a capital letter, or of a script that has none, and what belongs to them."""
    run: list[Word] = []
    inner: list[Word] = []
    for word in words:
        joined = bool(run) and text[(inner or run)[-1].end : word.start] in (" ", "\u00a0")
        if joined and word.text in _INNER:
            inner.append(word)
        elif (joined and word.text in _SUFFIXES) or _is_name(text, word, known):
            if not joined:
                yield from _name(text, run)
                run = []
            run += [*inner, word] if joined else [word]
            inner = []
        else:
            yield from _name(text, run)
            run, inner = [], []
    yield from _name(text, run)


def _name(text: str, run: list[Word]) -> Iterator[Value]:
    if run:
        start, end = run[0].start, run[-1].end
        if region := _REGION.match(text, end):
            end = region.end()
        said = re.sub(r"['’]s$", "", text[start:end])
        yield Value("name", said, start, end)


def _is_name(text: str, word: Word, known: Collection[str]) -> bool:
    first = word.text[0]
    if first.isupper() and not text.isupper():
        plain = word.text.casefold()
        if plain in _NO_NAMES or word.stem in _NO_NAMES:
            return False
        if _begins_sentence(text, word.start) and _begins_request(text, word):
            return False
        return word.stem not in known and not (len(word.text) > 1 and is_little(word.stem) and not word.text.isupper())
    return first.isalpha() and first.lower() == first.upper()


def _begins_request(text: str, word: Word) -> bool:
    """Say whether the first word of a sentence is no name: a small word, a verb, or followed by an article."""
    after = words_in(text[word.end : word.end + 20])[:1]
    followed = bool(after) and after[0].text.casefold() in (*ARTICLES, "me", "us")
    return followed or is_little(word.stem) or word.stem in VERBS


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"'“„«(*-")
    return not before or before[-1] in ".!?:;\n"


def _lead(text: str, words: list[Word], start: int) -> str:
    """Tell the word that leads to a place in the text, articles left out."""
    lead = ""
    for word in reversed([word for word in words if word.end <= start]):
        if text[word.end : start].strip(" \t\"'“„«`(") and not lead:
            return ""
        if word.text.casefold() in ARTICLES:
            start = word.start
            continue
        return stem(word.text)
    return lead
