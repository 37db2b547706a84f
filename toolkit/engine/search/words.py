"""The words of a text, as the keyword index has them, and those of a question that are worth looking for.

Scripts that put no blanks between words (Chinese, Japanese, Thai) and Korean, whose words end in particles, are
indexed by their characters, one by one and in pairs: a word of two syllables is found inside any longer one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["indexed", "named", "wanted"]

_MOST_WANTED: Final = 64
"""Words of one question that are looked for: the index pays for each."""
_LONGEST: Final = 64
"""Longer ones are no words (encoded bytes, say), and are cut."""

_UNSPACED: Final = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"  # Hangul
    "\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_WORD: Final = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_FIRST_UNSPACED: Final = "\u0e00"

_COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        "a about all also am an and any are as at be been but by can could did do does for from had has have he "
        "her his how i if in into is it its me my no not of on one or our she should so some such than that the "
        "their them then there these they this to too up us was we were what when where which who whom why will "
        "with would you your ",
    )
)
"""English words that are in nearly every text and say little about what one is about."""


def indexed(text: str) -> str:
    """Give a text's words as the index takes them: one blank between two."""
    return " ".join(_words(text, alone=True))


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
    for found in _WORD.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = found.group()
        if word[0] < _FIRST_UNSPACED or not _is_unspaced(word[0]):
            yield word[:_LONGEST]
            continue
        if alone or len(word) == 1:
            yield from word
        yield from (word[at : at + 2] for at in range(len(word) - 1))


def _is_unspaced(letter: str) -> bool:
    return _UNSPACED_LETTER.match(letter) is not None


_UNSPACED_LETTER: Final = re.compile(f"[{_UNSPACED}]")
