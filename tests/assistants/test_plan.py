"""What would change, decided from values."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.assistants.plan import Change, Plan, decide
from toolkit.assistants.wanted import Wanted
from toolkit.errors import RegistrationError

Json = dict[str, Any]


def function(name: str, text: str = "Do it.") -> Json:
    return {"type": "function", "function": {"name": name, "description": text, "parameters": {}, "strict": True}}


def wanted(*functions: Json, **options: Any) -> Wanted:
    return Wanted(functions, **{"name": "Weather", "fields": {"model": "m"}, **options})


def made(*functions: Json, **options: Any) -> Json:
    """An assistant as a plan leaves it."""
    return {"id": "asst_1", **decide(wanted(*functions, **options), None).request}


def kinds(plan: Plan) -> dict[str, str]:
    return {change.what: change.kind for change in plan.changes}


FILE_SEARCH: Json = {"type": "file_search", "file_search": {"max_num_results": 7}}
F, G, H = function("f"), function("g"), function("h")


def test_an_assistant_to_be_made() -> None:
    plan = decide(wanted(F, G), None)
    assert (plan.assistant_id, plan.name, plan.seen, plan.kept, plan.conflicts) == (None, "Weather", None, (), ())
    assert kinds(plan) == {"name": "add", "model": "add", "f": "add", "g": "add"}
    assert plan.request["tools"] == [F, G]
    assert plan.request.keys() == {"name", "model", "tools", "metadata"}


def test_one_without_functions_is_made_too() -> None:
    assert decide(wanted(), None).request == {"name": "Weather", "model": "m"}


def test_a_second_time_there_is_nothing_to_do() -> None:
    plan = decide(wanted(F, G), made(F, G))
    assert (plan.changes, plan.request) == ((), {})
    assert decide(wanted(G, F), made(F, G)).request == {}  # in another order


def test_each_tool_in_its_place_and_those_of_others_as_they_are() -> None:
    there = made(F, G)
    there["tools"] = [FILE_SEARCH, F, H, G]
    changed, new = function("f", "Do it well."), function("new")
    plan = decide(wanted(changed, new), there)
    assert kinds(plan) == {"f": "change", "new": "add", "g": "remove"}
    assert plan.request["tools"] == [FILE_SEARCH, changed, H, new]
    assert plan.request.keys() == {"tools", "metadata"}
    assert plan.kept == ("file_search", "h")
    assert decide(wanted(changed, new), {**there, **plan.request}).changes == ()


def test_a_hosted_tool_is_no_function_of_its_name() -> None:
    there = {**made(), "tools": [FILE_SEARCH]}
    plan = decide(wanted(function("file_search")), there)
    assert (kinds(plan), plan.kept) == ({"file_search": "add"}, ("file_search",))


def test_what_others_did_is_a_conflict() -> None:
    there = made(F, G, H)
    theirs = function("f", "Do it their way.")
    there["tools"] = [theirs, function("h", "Hm."), function("new", "Theirs.")]
    plan = decide(wanted(F, G, function("new")), there)
    assert plan.conflicts == plan.changes
    assert plan.functions == (
        Change("conflict", "f", theirs["function"], F["function"], "somebody else changed it"),
        Change("conflict", "g", None, G["function"], "somebody else took it off"),
        Change("conflict", "new", there["tools"][2]["function"], function("new")["function"],
               "somebody else's function has this name"),
        Change("conflict", "h", there["tools"][1]["function"], None, "somebody else changed it"),
    )  # fmt: skip


def test_what_others_did_is_written_over_when_told() -> None:
    there = made(F, G, H)
    there["tools"] = [function("f", "Theirs."), function("h", "Hm."), function("other")]
    plan = decide(wanted(F, G, overwrite=True), there)
    assert kinds(plan) == {"f": "change", "g": "add", "h": "remove"}
    assert {change.why for change in plan.functions} == {"somebody else changed it", "somebody else took it off"}
    assert plan.request["tools"] == [F, function("other"), G]
    assert plan.conflicts == ()


def test_what_is_there_already_becomes_ours_without_sending_tools() -> None:
    by_hand = {"id": "asst_1", "model": "m", "name": "Weather", "tools": [F], "metadata": {"a": "b"}}
    plan = decide(wanted(F), by_hand)
    assert kinds(plan) == {"f": "adopt"}
    assert plan.request == {"metadata": {"a": "b", **made(F)["metadata"]}}


def test_after_somebody_replaced_the_metadata_nothing_is_lost() -> None:
    there = {**made(F, G), "metadata": {}}
    assert kinds(decide(wanted(F, function("g", "Better.")), there)) == {"f": "adopt", "g": "conflict"}
    assert kinds(decide(wanted(F), there)) == {"f": "adopt"}  # g is taken for another's


def test_shown_to_a_programmer_it_is_what_changes_and_not_the_whole_assistant() -> None:
    plan = decide(wanted(F), {**made(F), "instructions": "x" * 1000, "model": "old"})
    assert "before='old', after='m'" in repr(plan)
    assert "xxx" not in repr(plan)


def test_functions_of_two_owners_do_not_meet() -> None:
    there = made(F)
    second = decide(wanted(G, owner="billing"), there)
    there = {**there, **second.request}
    assert second.kept == ("f",)
    assert decide(wanted(F), there).request == {}
    assert decide(wanted(owner="billing"), there).request["tools"] == [F]
    assert kinds(decide(wanted(function("f", "Mine."), owner="billing"), there)) == {"f": "conflict", "g": "remove"}


def test_a_function_of_two_owners_stays_for_the_one_who_still_has_it() -> None:
    there = made(F, G)
    there = {**there, **decide(wanted(F, H, owner="billing"), there).request}
    plan = decide(wanted(G), there)
    assert kinds(plan) == {"f": "leave"}
    assert (plan.request.keys(), plan.kept) == ({"metadata"}, ("f", "h"))
    assert "  = f: ours no more, and stays for another owner" in str(plan)
    there = {**there, **plan.request}
    assert decide(wanted(G), there).request == {}
    assert decide(wanted(F, H, owner="billing"), there).request == {}
    assert decide(wanted(H, owner="billing"), there).request["tools"] == [G, H]


def test_fields_are_set_to_what_is_given_and_others_stay() -> None:
    there = {**made(F), "description": None, "temperature": 1.0, "instructions": "Be short."}
    fields: Json = {"model": "n", "description": "", "temperature": 1, "top_p": 0.5, "instructions": ""}
    plan = decide(wanted(F, name="Sky", assistant_id="asst_1", fields=fields), there)
    assert plan.fields == (
        Change("change", "name", "Weather", "Sky"),
        Change("change", "model", "m", "n"),
        Change("add", "top_p", None, 0.5),
        Change("change", "instructions", "Be short.", ""),
    )
    assert plan.request == {"name": "Sky", "model": "n", "top_p": 0.5, "instructions": ""}
    assert plan.name == "Weather"


def test_metadata_is_set_pair_by_pair() -> None:
    there = made(F, metadata={"team": "sky", "old": "1"})
    plan = decide(wanted(F, metadata={"team": "sea", "new": "2"}), there)
    assert kinds(plan) == {"metadata.team": "change", "metadata.new": "add"}
    assert plan.request == {"metadata": {**there["metadata"], "team": "sea", "new": "2"}}


@pytest.mark.parametrize(
    ("given", "there", "becomes"),
    [
        (None, None, "Say degrees."),
        ("Be short.", None, "Be short.\n\nSay degrees."),
        ("Be short.", "Anything.", "Be short.\n\nSay degrees."),
        (None, "Be long. Say degrees. Please.", None),
        ("Be short.", "Be short.\n\nSay degrees.", None),
    ],
)
def test_instructions_of_the_toolset_go_behind_those_given(
    given: str | None, there: str | None, becomes: str | None
) -> None:
    fields = {"model": "m"} if given is None else {"model": "m", "instructions": given}
    found = None if there is None else {**made(F), "instructions": there}
    plan = decide(wanted(F, told="Say degrees.", fields=fields), found)
    assert plan.request.get("instructions") == becomes


def test_instructions_that_cannot_be_joined_to_what_is_there() -> None:
    with pytest.raises(RegistrationError, match="has instructions of its own, and the assistant lacks them"):
        decide(wanted(F, told="Say degrees."), {**made(F), "instructions": "Be short."})


def test_to_make_one_a_model_is_needed() -> None:
    with pytest.raises(RegistrationError, match=r"no assistant called 'Weather'\. To make one, say its model"):
        decide(wanted(F, fields={}), None)


def test_more_tools_than_there_may_be() -> None:
    there = {**made(), "tools": [function(f"theirs_{number}") for number in range(127)]}
    assert len(decide(wanted(F), there).request["tools"]) == 128
    with pytest.raises(RegistrationError, match=r"129 tools, 127 of others, and 128 are the most: leave some out"):
        decide(wanted(F, G), there)
