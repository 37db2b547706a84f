"""A session says what a plain interpreter says, whatever is run in whatever order.

Both run the same snippets and keep their variables; what they print, what their last expressions are worth and how they
fail is compared.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.sandbox.sessions import Desk, needs_wall, opened
from toolkit.sandbox.sandbox import Failure, Output, Result, Text

names = st.sampled_from(["a", "b", "c"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
).map(repr)
expressions = st.one_of(
    values,
    names,
    st.tuples(names, st.sampled_from(["+", "*", "/", "[0]", "()", ".x", "=="]), names).map(
        lambda each: f"{each[0]}{each[1]}" if each[1][0] in "[(." else f"{each[0]} {each[1]} {each[2]}"
    ),
    st.sampled_from(
        ["len(a)", "sorted(b)", "[x for x in c]", "f(a)", "int('x')", "(lambda: a)()", "max(a, b)", "1 if", "é"]
    ),
)


class Plain:
    """The plain interpreter: compiles, runs, and shows the last expression as the prompt does."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, lines: list[str], last: str) -> tuple[str, str, str]:
        printed, value, failed = io.StringIO(), "", ""
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                code = [compile("\n".join(lines), "<plain>", "exec"), compile(last, "<plain>", "eval")]
                exec(code[0], self.names)
                got = eval(code[1], self.names)
            if got is not None:
                self.names["_"] = got
                value = repr(got)
        except BaseException as error:
            failed = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return printed.getvalue(), value, failed


def seen(found: list[Output]) -> tuple[str, str, str]:
    text = "".join(each.text for each in found if isinstance(each, Text))
    value = "".join(each.text for each in found if isinstance(each, Result))
    failed = "".join(each.text for each in found if isinstance(each, Failure))
    return text, value, failed


class SameAsPlain(RuleBasedStateMachine):
    desk: Desk

    @initialize()
    def begin(self) -> None:
        self.plain = Plain()
        self.desk.run(
            "for name in [n for n in globals() if n != '__builtins__' and n[:2] != '__']: del globals()[name]"
        )
        self.desk.run("try:\n    del name\nexcept NameError: pass")

    def same(self, lines: list[str], last: str) -> None:
        text, value, failed = seen(self.desk.run("\n".join([*lines, last])))
        expected = self.plain.run(lines, last)
        assert (text, value) == expected[:2]
        if expected[2].startswith("SyntaxError"):  # the rest names the place
            assert "SyntaxError" in failed
        else:
            assert failed.endswith(expected[2])
            assert bool(failed) == bool(expected[2])

    @rule(name=names, value=values)
    def assign(self, name: str, value: str) -> None:
        self.same([f"{name} = {value}"], name)

    @rule(expression=expressions)
    def look(self, expression: str) -> None:
        self.same([], expression)

    @rule(first=expressions, second=expressions)
    def say(self, first: str, second: str) -> None:
        self.same(["import sys", f"print({first}, end=' ')", f"print({second}, file=sys.stderr)"], "None")

    @rule(name=names, expression=expressions)
    def define(self, name: str, expression: str) -> None:
        self.same([f"def f({name}):", f"    return {expression}"], "f.__name__")

    @rule(name=names)
    def forget(self, name: str) -> None:
        self.same([f"del {name}"], "'gone'")

    @rule(name=names, values=st.lists(values, max_size=3))
    def loop(self, name: str, values: list[str]) -> None:
        self.same([f"for {name} in [{', '.join(values)}]:", f"    print({name})"], name)

    @rule(error=st.sampled_from(["ValueError('said')", "KeyError(1)", "StopIteration", "Exception('a\\nb')"]))
    def fail(self, error: str) -> None:
        self.same([f"raise {error}"], "1")


@needs_wall
def test_a_session_is_as_plain_python() -> None:
    with opened() as desk:
        machine = type("OneSession", (SameAsPlain,), {"desk": desk})
        run_state_machine_as_test(machine, settings=settings(max_examples=12, stateful_step_count=15, deadline=None))
