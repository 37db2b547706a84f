"""Two questions at once with asyncio, each streamed on its own; sync and async tools mix.

python examples/async_stream.py
"""

from __future__ import annotations

import asyncio

from openai import AsyncOpenAI

from toolkit import CallFinished, RunContext, Toolset, stream, tool
from toolkit.engine import Engine

Stock = dict[str, int]


@tool
async def count_in_stock(ctx: RunContext[Stock], product: str) -> int:
    """Count how many of a product are in stock.

    Args:
        product: Name of the product, such as "oak chair".
    """
    await asyncio.sleep(0.05)  # stands for a database
    return ctx.deps.get(product.casefold(), 0)


@tool
def price_of(product: str) -> str:
    """Look up the price of a product.

    Args:
        product: Name of the product, such as "oak chair".
    """
    return "120 euros" if "chair" in product.casefold() else "80 euros"


tools = Toolset(count_in_stock, price_of)


async def ask(client: AsyncOpenAI, assistant_id: str, question: str, stock: Stock) -> str:
    """Ask in a thread of its own, and tell what was called on the way."""
    lines = [f"you: {question}"]
    async with stream(client, tools, assistant_id=assistant_id, input=question, deps=stock) as events:
        async for event in events:
            if isinstance(event, CallFinished):
                lines.append(f"{event.finished.call.name}: {event.finished.output.content}")
    return "\n".join([*lines, f"assistant: {events.result.text}"])


async def main() -> None:
    with Engine("sqlite:///:memory:") as engine:
        client = engine.aclient()
        assistant = await client.beta.assistants.create(model="offline", tools=tools.definitions)
        answers = await asyncio.gather(
            ask(client, assistant.id, 'How many "oak chair" are in stock?', {"oak chair": 7}),
            ask(client, assistant.id, 'What is the price of the product "pine table"?', {}),
        )
    print("\n\n".join(answers))


if __name__ == "__main__":
    asyncio.run(main())
