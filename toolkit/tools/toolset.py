"""Toolset: the tools an assistant has, by name, and how toolsets are made of toolsets.

methods.py    the tools of an object         defaults.py  what a set says for tools that say nothing themselves
filtered.py   hide tools from some runs      guarded.py   look at every call before it is made
lint.py       what a model may stumble over  terms.py     what a tool carries of all this

What few programs need is imported by the method that needs it: defining tools is to stay cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from functools import cached_property
from types import MethodType
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

from toolkit.assistants.instructions import joined
from toolkit.assistants.limits import MOST_TOOLS
from toolkit.errors import DefinitionError
from toolkit.tools.defaults import Defaults, ToolsetOptions
from toolkit.tools.tool import Tool

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI
    from openai.types.beta import Assistant
    from openai.types.beta import FunctionToolParam as NestedDefinition
    from openai.types.responses import FunctionToolParam as FlatDefinition

    from toolkit.assistants.plan import Plan
    from toolkit.assistants.wanted import AssistantOptions, Wanted
    from toolkit.tools.lint import Finding
    from toolkit.tools.terms import Filter, Guard

__all__ = ["Toolset"]


class Toolset(Mapping[str, Tool[..., Any]]):
    """A frozen mapping of names to tools, in the order given.

    Definitions are built here, so that whatever a model cannot be told is one DefinitionError where the set is made.
    Toolsets are made of toolsets, and each stays as it was:

        weather.prefixed("weather_") + notes.without("delete") + Toolset.of(Basket())
    """

    def __init__(
        self,
        *tools: Tool[..., Any] | Callable[..., object],
        instructions: str = "",
        timeout_s: float | None = None,
        strict: bool | None = None,
        concurrency: int | None = None,
        max_output_bytes: int | None = None,
    ) -> None:
        """Take tools and plain functions, which become tools.

        instructions: what an assistant with these tools is to be told; `register` writes it.
        timeout_s, strict: as of `@tool`, for tools that do not say.
        concurrency: how many calls of these tools run at a time in one turn; 1 is one after another, in call order.
        max_output_bytes: cap of each output, in bytes of UTF-8; 64 KiB by default.
        Raises DefinitionError.
        """
        if len(tools) > MOST_TOOLS:
            raise DefinitionError(f"{len(tools)} tools are more than the {MOST_TOOLS} that an assistant may have")
        defaults = Defaults(timeout_s, strict, concurrency, max_output_bytes)
        self.instructions = instructions
        """What an assistant with these tools is to be told."""
        self._tools: dict[str, Tool[..., Any]] = {}
        for given in tools:
            tool = defaults.applied(_as_tool(given))
            if tool.name in self._tools:
                raise DefinitionError(f'two tools are called {tool.name}: give one another name, @tool(name="...")')
            tool.check()
            self._tools[tool.name] = tool
        self._is_filtered = any(tool.terms.filters for tool in self._tools.values())

    @classmethod
    def of(cls, instance: object, **options: Unpack[ToolsetOptions]) -> Toolset:
        """Take the tools of an object, bound to it: the methods of its class that are marked `@tool`."""
        from toolkit.tools.methods import tools_of

        return Toolset(*tools_of(instance), **options)

    def __getitem__(self, name: str) -> Tool[..., Any]:
        return self._tools[name]

    def find(self, name: str) -> Tool[..., Any] | None:
        """Give the tool of that name, None when there is none; faster than Mapping's `get`."""
        return self._tools.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    def __repr__(self) -> str:
        return f"Toolset({', '.join(self._tools)})"

    @cached_property
    def definitions(self) -> list[NestedDefinition]:
        """The wire form of Assistants and Chat Completions, for `tools=`. Built once: do not change it."""
        return [tool.definition for tool in self._tools.values()]

    @cached_property
    def flat_definitions(self) -> list[FlatDefinition]:
        """The wire form of Responses. Built once: do not change it."""
        return [tool.flat_definition for tool in self._tools.values()]

    def __add__(self, other: Toolset) -> Toolset:
        """Join two toolsets. Raises DefinitionError where they have different tools of one name."""
        if not isinstance(other, Toolset):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without types
            return NotImplemented
        for name in self.keys() & other.keys():
            if self[name] is not other[name]:
                raise DefinitionError(f'both toolsets have {name}: write .prefixed("...") or .renamed(...) on one')
        return Toolset(*{**self, **other}.values(), instructions=joined(self.instructions, other.instructions))

    def only(self, *names: str) -> Toolset:
        """Keep these tools. Raises DefinitionError for a name that is none."""
        self._check_names(names)
        return self._of(tool for name, tool in self.items() if name in names)

    def without(self, *names: str) -> Toolset:
        """Leave these tools out. Raises DefinitionError for a name that is none."""
        self._check_names(names)
        return self._of(tool for name, tool in self.items() if name not in names)

    def renamed(self, names: Mapping[str, str]) -> Toolset:
        """Give tools other names, `{"old": "new"}`. Raises DefinitionError for a name that is none, or cannot be."""
        self._check_names(names)
        return self._of(tool.varied(name=names[name]) if name in names else tool for name, tool in self.items())

    def prefixed(self, prefix: str) -> Toolset:
        """Put a prefix before every name, such as `"weather_"`. Raises DefinitionError for a name that cannot be."""
        return self.renamed({name: prefix + name for name in self})

    def filtered(self, keep: Filter) -> Toolset:
        """Hide tools from runs: `filtered(lambda ctx: ctx.deps.is_admin or ctx.tool != "delete")`.

        A model that calls a hidden tool is told that there is none. The assistant has it all the same; to keep it from
        the model's eyes, say `override_tools=tools.visible(deps).definitions` of the run.
        """
        from toolkit.tools.filtered import filtered

        return self._of(filtered(tool, keep) for tool in self.values())

    def visible(self, deps: object = None, *, run_id: str = "", thread_id: str = "") -> Toolset:
        """Give what a run with these `deps` sees of the tools: all, unless some are filtered."""
        if not self._is_filtered:
            return self
        from toolkit.tools.filtered import visible

        return self._of(visible(self, deps, run_id, thread_id))

    def guarded(self, guard: Guard) -> Toolset:
        """Have every call looked at before it is made: `guard(ctx, arguments)`, the arguments checked and by name.

        It refuses a call by raising ToolError, whose text the model reads, or by returning False. Guards of async
        tools may be async. Raises DefinitionError.
        """
        from toolkit.tools.guarded import guarded

        return self._of(guarded(tool, guard) for tool in self.values())

    def lint(self) -> tuple[Finding, ...]:
        """Say what a model may stumble over: missing texts, names, sizes, tools that are alike."""
        from toolkit.tools.lint import findings

        return tuple(findings(self))

    @overload
    def register(self, client: OpenAI, **assistant: Unpack[AssistantOptions]) -> Assistant: ...
    @overload
    def register(
        self, client: AsyncOpenAI, **assistant: Unpack[AssistantOptions]
    ) -> Coroutine[Any, Any, Assistant]: ...
    def register(
        self, client: OpenAI | AsyncOpenAI, **assistant: Unpack[AssistantOptions]
    ) -> Assistant | Coroutine[Any, Any, Assistant]:
        """Put these functions on an assistant, made where there is none, and give the assistant.

            assistant = tools.register(client, name="Weather", model="gpt-4o", instructions="Be brief.")

        The assistant is the one of that name, or `assistant_id`. Functions put there before and taken out of the
        toolset since are removed; all tools of others stay. A second call changes nothing. What others did to these
        functions is not written over unless `overwrite=True`. With an AsyncOpenAI, await the result.

        Raises Drifted with `.plan`, RegistrationError (no room, two assistants of one name), TypeError and ValueError
        for options that cannot be; what the server refuses is the client's own error.
        """
        from toolkit.assistants.drivers import carry_out
        from toolkit.assistants.steps import registered

        return carry_out("register", client, registered(self._wanted("register", assistant)))

    @overload
    def plan(self, client: OpenAI, **assistant: Unpack[AssistantOptions]) -> Plan: ...
    @overload
    def plan(self, client: AsyncOpenAI, **assistant: Unpack[AssistantOptions]) -> Coroutine[Any, Any, Plan]: ...
    def plan(
        self, client: OpenAI | AsyncOpenAI, **assistant: Unpack[AssistantOptions]
    ) -> Plan | Coroutine[Any, Any, Plan]:
        """Say what `register` would change: `print(plan)` shows it, `plan.apply(client)` does it."""
        from toolkit.assistants.drivers import carry_out
        from toolkit.assistants.steps import planned

        return carry_out("plan", client, planned(self._wanted("plan", assistant)))

    @overload
    def check(self, client: OpenAI, **assistant: Unpack[AssistantOptions]) -> Assistant: ...
    @overload
    def check(self, client: AsyncOpenAI, **assistant: Unpack[AssistantOptions]) -> Coroutine[Any, Any, Assistant]: ...
    def check(
        self, client: OpenAI | AsyncOpenAI, **assistant: Unpack[AssistantOptions]
    ) -> Assistant | Coroutine[Any, Any, Assistant]:
        """Give the assistant if it is as `register` would leave it. Raises Drifted with `.plan` if it is not."""
        from toolkit.assistants.drivers import carry_out
        from toolkit.assistants.steps import checked

        return carry_out("check", client, checked(self._wanted("check", assistant)))

    def _wanted(self, verb: str, options: AssistantOptions) -> Wanted:
        from toolkit.assistants.wanted import wanted

        return wanted(verb, self.definitions, self.instructions, options)

    def _of(self, tools: Iterable[Tool[..., Any]]) -> Toolset:
        return Toolset(*tools, instructions=self.instructions)

    def _check_names(self, names: Collection[str]) -> None:
        for name in names:
            if name not in self._tools:
                raise DefinitionError(f"there is no tool {name!r} in this toolset; it has {', '.join(self) or 'none'}")


def _as_tool(given: object) -> Tool[..., Any]:
    if isinstance(given, Tool):
        return given  # pyright: ignore[reportUnknownVariableType] - a tool of any signature
    if isinstance(given, MethodType):  # `@classmethod` above `@tool`, on Python 3.13 and later
        holder = cast("object", given.__func__)
        if isinstance(holder, Tool):
            return cast("Tool[..., Any]", holder).__get__(given.__self__)
    if isinstance(given, type) and any(isinstance(held, Tool) for held in vars(given).values()):
        raise DefinitionError(f"{given.__name__} is a class with tools: write Toolset.of({given.__name__}(...))")
    if callable(given):
        return Tool(given)
    if isinstance(given, Toolset):
        raise DefinitionError("Toolset takes the tools one by one: write Toolset(*tools.values()), or add toolsets up")
    if isinstance(given, Mapping):
        raise DefinitionError("Toolset takes the tools one by one: write Toolset(*tools.values())")
    if isinstance(given, Iterable) and not isinstance(given, str):
        raise DefinitionError("Toolset takes the tools one by one: write Toolset(*tools), or Toolset(first, second)")
    raise DefinitionError(
        f"Toolset takes functions and tools, not {given!r}: write Toolset(my_function), "
        "or Toolset.of(my_object) for the tools of an object"
    )
