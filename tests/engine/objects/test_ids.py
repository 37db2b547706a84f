from __future__ import annotations

import re

import pytest

from toolkit.engine.objects.ids import new_id


@pytest.mark.parametrize(("prefix", "begin"), [("asst", "asst_"), ("msg", "msg_"), ("file", "file-")])
def test_an_id_is_its_prefix_and_24_letters_and_digits(prefix: str, begin: str) -> None:
    assert re.fullmatch(begin + "[A-Za-z0-9]{24}", new_id(prefix))


def test_ids_differ_and_use_every_letter() -> None:
    ids = {new_id("run") for _ in range(2000)}
    assert len(ids) == 2000
    assert len(set("".join(identifier.removeprefix("run_") for identifier in ids))) == 62
