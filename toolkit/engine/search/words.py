"""The words of a text, as the keyword index has them, and those of a question that are worth looking for.

Scripts that put no blanks between words (Chinese, Japanese, Thai) and Korean, whose words end in particles, are
indexed by their characters, one by one and in pairs: a word of two syllables is found inside any longer one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, Final

__all__ = ["indexed", "is_spaced", "named", "wanted"]

_MOST_WANTED: Final = 64
"""Words of one question that are looked for: the index pays for each."""
_LONGEST: Final = 64
"""Longer ones are no words (encoded bytes, say), and are cut."""

_UNSPACED: Final = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"  # Hangul
    "\u3005-\u3007\u3040-\u312f\u31f0-\u31ff"  # kana and what stands among them
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_UNSPACED_LETTER: Final = re.compile(f"[{_UNSPACED}]")
_ALIKE: Final = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_LEFT_OUT: Final = re.compile(
    "[\u00ad\u200d\u20d0-\u20ff\ufe00-\ufe0f"  # soft hyphens, joiners, variants
    "\u0300-\u036f"  # accents, which the index leaves out as well
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"  # Arabic ones
)
"""What a word may be written with or without."""

_COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        "a about all also am an and any are as at be been but by can could d did do does for from had has have he "
        "her his how i if in into is it its ll m me my no not of on one or our re s she should so some such t than "
        "that the their them then there these they this to too up us ve was we were what when where which who whom "
        "why will with would you your",
    )
)
"""English words, and what an apostrophe leaves of some, that are in nearly every text and say little of any."""


def indexed(text: str) -> str:
    """Give a text's words as the index takes them: one blank between two."""
    return " ".join(_words(text, alone=True))


def is_spaced(word: str) -> bool:
    """Say whether a word is of a script that puts blanks between words; of others, words are characters and pairs."""
    return _UNSPACED_LETTER.search(word) is None


def named(store: Mapping[str, Any]) -> str:
    """Give the one word by which the index knows a vector store, of its row."""
    return f"s{store['seq']}"


def wanted(question: str) -> Sequence[str]:
    """Give the words of a question to look for, each once; common ones only when there are no others."""
    words = list(dict.fromkeys(_words(question, alone=False)))
    telling = [word for word in words if word not in _COMMON]
    return (telling or words)[:_MOST_WANTED]


def _words(text: str, *, alone: bool) -> Iterator[str]:
    """Walk the words; of a run of unspaced script its pairs, and its characters when they are wanted `alone` too."""
    plain = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", text).casefold().replace("_", " "))
    for found in _written_together().finditer(plain):
        together = found.group()
        if together.isascii() or not _UNSPACED_LETTER.search(together):
            yield together[:_LONGEST]
            continue
        for part in _ALIKE.findall(together):
            if not _UNSPACED_LETTER.match(part):
                yield part[:_LONGEST]
                continue
            if alone or len(part) == 1:
                yield from part
            yield from (part[at : at + 2] for at in range(len(part) - 1))


@cache
def _written_together() -> re.Pattern[str]:
    """Make the pattern of letters, digits and marks without anything between them. Some scripts write vowels as marks.

    When it is first needed: to look through the characters takes a while.
    """
    marks = [code for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M"]
    ranges = groupby(enumerate(marks), key=lambda numbered: numbered[1] - numbered[0])
    ends = ([code for _, code in numbered] for _, numbered in ranges)
    return re.compile(rf"[\w{_UNSPACED}{''.join(f'{chr(codes[0])}-{chr(codes[-1])}' for codes in ends)}]+")
