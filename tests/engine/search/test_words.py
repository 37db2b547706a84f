from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.search.words import indexed, named, wanted
from toolkit.engine.store.statements import migrations, statements


class Index:
    """The index of words as a store has it, with one text in it."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")
        for _, script in migrations("sqlite"):
            self._connection.executescript(script)

    def finds(self, word: str, text: str) -> bool:
        """Say whether a word of a question finds a text."""
        insert, count = statements()["chunk.insert_words"], statements()["chunk.count"]
        self._connection.execute(insert, {"seq": 1, "store": "s1", "words": indexed(text)})
        found: int = self._connection.execute(count, {"words": f'store : "s1" AND words : "{word}"'}).fetchone()[0]
        self._connection.execute(statements()["chunk.delete_words"], {"seq": 1})
        return bool(found)

    def answers(self, question: str, text: str) -> bool:
        return all(self.finds(word, text) for word in wanted(question))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    made = Index()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The quick brown fox", "the quick brown fox"),
        ("get_weather(city) -> getWeather", "get weather city getweather"),
        ("CVE-2024-1234, v1.2; e-mail@example.com", "cve 2024 1234 v1 2 e mail example com"),
        ("Straße ＡＢＣ x² ﬁn ½", "strasse abc x2 fin 1 2"),
        ("Donau\u00addampf", "donaudampf"),
        ("İstanbul Ärger", "istanbul ärger"),
        ("हिन्दी भाषा", "हिन्दी भाषा"),
        ("العَرَبِيَّة شـكرا", "العربية شكرا"),
        ("שָׁלוֹם", "שלום"),
        ("東京", "東 京 東京"),
        ("abc東京def", "abc 東 京 東京 def"),
        ("人々", "人 々 人々"),
        ("ｶﾞﾗｽ", "ガ ラ ス ガラ ラス"),
        ("날씨가", "날 씨 가 날씨 씨가"),
        ("\u1102\u1161\u11af", "날"),
        ("\U0002ebf0\U00031350", "\U0002ebf0 \U00031350 \U0002ebf0\U00031350"),
        ("!? 🙂 ❤️ \0 \u200d", ""),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_the_words_of_a_text(text: str, words: str) -> None:
    assert indexed(text) == words


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What is the capital of France?", ["capital", "france"]),
        ("what's Tom's dog?", ["tom", "dog"]),
        ("to be or not to be", ["to", "be", "or", "not"]),
        ("cats cats CATS", ["cats"]),
        ("東京都", ["東京", "京都"]),
        ("水", ["水"]),
        ("오늘 날씨", ["오늘", "날씨"]),
        ('"NEAR(a b)" AND OR NOT *', ["near", "b"]),
        ("🙂", []),
    ],
)
def test_the_words_of_a_question(question: str, words: list[str]) -> None:
    assert wanted(question) == words


def test_a_question_has_its_most_words() -> None:
    assert wanted(" ".join(f"word{number}" for number in range(1000))) == [f"word{number}" for number in range(64)]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("날씨", "오늘의 날씨가 좋다"),
        ("서울", "대한민국 서울특별시에서"),
        ("京都", "東京都に住む"),
        ("図書館", "国立図書館へ行く"),
        ("天气", "北京今天天气很好"),
        ("好", "北京今天天气很好"),
        ("น้ำ", "น้ำตกสวยงาม"),
        ("ภาษาไทย", "ผมเรียนภาษาไทยทุกวัน"),
        ("हिन्दी", "मैं हिन्दी बोलता हूँ"),
        ("العربية", "تعلم العَرَبِيَّة بسرعة"),
        ("Istanbul", "İSTANBUL’da"),
        ("naive", "a naïve question"),
        ("naïve", "a naive question"),
        ("running", "he runs"),
        ("refunds", "the refund policy"),
        ("weather", "def get_weather(city):"),
        ("get_weather", "def get_weather(city):"),
        ("1234", "see CVE-2024-1234"),
        ("x" * 80, "x" * 90),
    ],
)
def test_a_word_is_found_in_a_text(index: Index, question: str, text: str) -> None:
    assert wanted(question)
    assert index.answers(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("京都", "東の京と都"),
        ("हिन्दी", "हिन्दा"),  # vowels are marks, and count
        ("气天", "北京今天天气很好"),
        ("cat", "category"),
    ],
)
def test_another_word_is_not(index: Index, question: str, text: str) -> None:
    assert not index.answers(question, text)


LETTERS = st.characters(max_codepoint=0x2FFFF, exclude_categories=("Cs", "Cn", "Co"))
ODD = (
    st.text()
    | st.text(LETTERS, max_size=40)
    | st.text(st.sampled_from("a_é 東京날น้ำहि\u0301\u200d\u00ad\"'*^:()\0"), max_size=30)
)


@given(ODD)
def test_a_text_is_found_by_its_own_words(index: Index, text: str) -> None:
    found: Any = {word: index.finds(word, text) for word in wanted(text)}
    assert all(found.values()), found


@given(ODD)
def test_words_are_words_for_the_index_alone(text: str) -> None:
    """Nothing of a question is read as an operator, and blanks part the words of a text."""
    for word in (*wanted(text), *indexed(text).split(" ")):
        assert not set(word) & set("\"'*^:(){}+-_ \0\n")
        assert len(word) <= 64


def test_the_word_of_a_store_is_one_word() -> None:
    assert named({"seq": 12}) == "s12"
