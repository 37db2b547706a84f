"""Tools that the tests of every host use, and what has been called."""

from __future__ import annotations

from toolkit import File, Image, RunContext, Toolset, tool

__all__ = ["SUM", "TOOLS", "add", "made", "pay", "plot", "who"]

made: list[str] = []


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    made.append(f"{a}+{b}")
    return a + b


@tool(approve=True)
def pay(amount: int) -> str:
    """Pay an amount."""
    made.append(f"paid {amount}")
    return "paid"


@tool
def who(ctx: RunContext[str]) -> str:
    """Say who asks."""
    return f"{ctx.deps} {ctx.run_id[:4]} {ctx.thread_id!r}"


@tool
def plot(with_file: bool) -> list[object]:
    """Plot what there is."""
    return ["The plot:", Image(b"png"), *([File(b"pdf", "report.pdf")] if with_file else [])]


TOOLS = Toolset(add, pay, who)
SUM = ("call_1", "add", '{"a": 1, "b": 2}')
