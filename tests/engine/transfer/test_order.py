from __future__ import annotations

from toolkit.engine.transfer.order import Creation, Item, places_of_turns, sorted_items

MESSAGES = ["q1", "a1", "q2", "a2"]


def test_turns_go_before_what_their_run_created_next_or_after_what_it_created_last() -> None:
    steps = [
        Creation("r1", "s1", None),
        Creation("r1", "s2", None),
        Creation("r1", "s3", "a1"),
        Creation("r2", "s4", "a2"),
        Creation("r2", "s5", None),
        Creation("r3", "s6", None),
    ]
    assert places_of_turns(MESSAGES, steps) == {"s1": (1, -1, 0), "s2": (1, -1, 1), "s5": (3, 1, 1)}


def test_a_message_that_is_not_there_says_nothing() -> None:
    assert places_of_turns(["q1"], [Creation("r1", "s1", None), Creation("r1", "s2", "deleted")]) == {}


def test_items_stand_where_their_messages_do() -> None:
    turns = {"s1": (1, -1, 0), "s2": (1, -1, 1)}
    items = [
        Item(1, "q2", None),
        Item(2, "a2", None),
        Item(3, "q1", None),
        Item(4, None, "s2"),
        Item(5, None, "s1"),
        Item(6, None, "s1"),
        Item(7, "a1", None),
    ]
    assert [item.seq for item in sorted_items(items, MESSAGES, turns)] == [3, 5, 6, 4, 7, 1, 2]


def test_outputs_stay_behind_the_text_that_came_with_their_calls() -> None:
    items = [Item(1, "q2", None), Item(2, "q1", None), Item(3, "a1", "s1"), Item(4, None, "s1"), Item(5, None, "s1")]
    assert [item.seq for item in sorted_items(items, MESSAGES, {})] == [2, 3, 4, 5, 1]


def test_what_has_no_place_of_its_own_stays_behind_what_it_stands_behind() -> None:
    items = [Item(1, None, "s0"), Item(2, "q2", None), Item(3, None, "s9"), Item(4, "q1", None), Item(5, None, "s8")]
    assert [item.seq for item in sorted_items(items, MESSAGES, {})] == [1, 4, 5, 2, 3]


def test_what_is_in_order_stays_as_it_is() -> None:
    items = [Item(1, "q1", None), Item(2, None, "s1"), Item(3, "a1", None), Item(4, "q2", None), Item(5, None, "s9")]
    assert sorted_items(items, MESSAGES, {"s1": (1, -1, 0)}) == items
