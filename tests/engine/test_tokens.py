from __future__ import annotations

import pytest

from toolkit.engine.tokens import Scale


def test_four_bytes_make_a_token_until_more_is_known() -> None:
    scale = Scale()
    assert [scale.tokens("m", size) for size in (0, 1, 4, 5, 400)] == [0, 1, 1, 2, 100]


def test_what_a_server_counts_scales_the_next_estimate_for_its_model() -> None:
    scale = Scale()
    scale.learn("dense", 2000, 1000)
    assert (scale.tokens("dense", 2000), scale.tokens("other", 2000)) == (1000, 500)
    scale.learn("dense", 3000, 1000)
    assert scale.bytes_per_token("dense") == 2.25, "little by little"


@pytest.mark.parametrize(("size", "tokens"), [(10, 5), (100, 49), (100, 1000), (100_000, 100), (0, 100)])
def test_what_says_nothing_of_the_text_is_not_learned(size: int, tokens: int) -> None:
    scale = Scale()
    scale.learn("m", size, tokens)
    assert scale.bytes_per_token("m") == 4


def test_the_models_remembered_are_the_latest() -> None:
    scale = Scale()
    scale.learn("first", 200, 100)
    for number in range(999):
        scale.learn(f"model {number}", 200, 100)
    scale.learn("first", 200, 100)
    scale.learn("one more", 200, 100)
    assert [scale.bytes_per_token(name) for name in ("first", "one more", "model 0")] == [2, 2, 4]
