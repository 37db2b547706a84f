from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.assistants.fingerprints import (
    canonical,
    fingerprint,
    of_definition,
    recorded,
    recorded_by_others,
    with_record,
)
from toolkit.errors import RegistrationError

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-0123456789", min_size=1, max_size=64)


def functions(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "description": f"Do {name}."} for name in names]


def many(count: int) -> list[dict[str, object]]:
    return functions(*(f"function_{number}" for number in range(count)))


def test_six_characters_that_metadata_takes() -> None:
    assert fingerprint({"a": 1}) == fingerprint({"a": 1})
    assert len(fingerprint("")) == 6
    assert len({fingerprint(number) for number in range(10_000)}) == 10_000


def test_what_a_server_may_write_otherwise_is_the_same() -> None:
    said = {"name": "f", "description": "Do.", "parameters": {"maximum": 1.0, "enum": [2.0, "x"]}, "strict": False}
    back = {"name": "f", "parameters": {"enum": [2, "x"], "maximum": 1}, "description": "Do."}
    assert of_definition(said) == of_definition(back)
    assert of_definition({"name": "f"}) == of_definition(
        {"name": "g", "description": None, "parameters": {}, "strict": None}
    )


@pytest.mark.parametrize("part", [{"description": "Do it."}, {"parameters": {"type": "object"}}, {"strict": True}])
def test_what_a_model_sees_counts(part: dict[str, object]) -> None:
    assert of_definition({"name": "f", **part}) != of_definition({"name": "f"})


def test_canonical_leaves_alone_what_differs() -> None:
    assert canonical({"a": (1.5, True, None)}) == {"a": [1.5, True, None]}


def test_two_fingerprints_a_function_in_pairs_of_metadata() -> None:
    metadata = with_record({"team": "sky"}, "", functions("f", "g"))
    assert metadata.keys() == {"team", "toolkit-functions"}
    assert len(metadata["toolkit-functions"]) == 24
    assert recorded(metadata, "") == {
        fingerprint(each["name"]): of_definition(each) for each in functions("f", "g")
    }  # fmt: skip


def test_as_many_functions_as_there_may_be_fill_three_pairs() -> None:
    metadata = with_record({}, "", many(128))
    assert [len(value) for value in metadata.values()] == [512, 512, 512]
    assert len(recorded(metadata, "")) == 128
    assert [len(with_record({}, "", many(count))) for count in (0, 1, 42, 43, 86)] == [0, 1, 1, 2, 3]


def test_fewer_functions_leave_no_pair_behind() -> None:
    assert with_record(with_record({"a": "b"}, "", many(128)), "", many(1)).keys() == {"a", "toolkit-functions"}
    assert with_record(with_record({"a": "b"}, "", many(128)), "", []) == {"a": "b"}


def test_pairs_of_others_stay_and_take_room() -> None:
    others = {f"key_{number}": "" for number in range(14)}
    assert with_record(others, "", many(43)).keys() > others.keys()
    with pytest.raises(RegistrationError, match=r"has 14 pairs of others, 16 are the most, .* 86 functions take 3"):
        with_record(others, "", many(86))


def test_each_owner_has_pairs_of_its_own() -> None:
    metadata = with_record(with_record({}, "", functions("f")), "billing", functions("g"))
    assert metadata.keys() == {"toolkit-functions", "toolkit-functions:billing"}
    assert recorded(metadata, "").keys() == {fingerprint("f")}
    assert recorded(metadata, "billing").keys() == {fingerprint("g")}
    assert len(max(with_record({}, "x" * 40, many(128)), key=len)) <= 64


def test_functions_of_other_owners_are_known() -> None:
    metadata = with_record(with_record({"a": "b"}, "", many(43)), "x-23", functions("g"))
    metadata = with_record(metadata, "billing", many(86))
    assert recorded_by_others(metadata, "billing") == {fingerprint("g"), *recorded(metadata, "")}
    assert recorded_by_others(metadata, "") == {fingerprint("g"), *recorded(metadata, "billing")}
    assert recorded_by_others({"toolkit-functionsx": "x" * 24}, "") == set()


@given(st.sets(NAMES, max_size=128), st.dictionaries(NAMES, NAMES, max_size=13))
def test_whatever_is_written_is_read(names: set[str], others: dict[str, str]) -> None:
    metadata = with_record(others, "", functions(*names))
    assert recorded(metadata, "") == {fingerprint(each["name"]): of_definition(each) for each in functions(*names)}
    assert {key: value for key, value in metadata.items() if not key.startswith("toolkit-functions")} == others
    assert all(len(value) <= 512 for value in metadata.values())
    json.dumps(metadata)


@given(st.text(max_size=600))
def test_what_somebody_else_wrote_there_is_no_trouble(text: str) -> None:
    recorded({"toolkit-functions": text}, "")
