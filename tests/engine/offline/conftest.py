"""Sets of tools that people would start with, as the `tools` of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest


def tool(name: str, description: str, /, **parameters: Any) -> dict[str, Any]:
    """A tool of which every parameter is required, as strict schemas have it."""
    schema = {"type": "object", "properties": parameters, "required": list(parameters), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


def text(description: str = "", **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def default(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null", "description": "Use the default: 1"}]}


GET_WEATHER = tool(
    "get_weather",
    "Current weather in a city.",
    city=text("City name, such as Seoul."),
    unit=default({"type": "string", "enum": ["c", "f"]}),
)
DAY = text("Day of departure.", format="date")
FLIGHTS = {"origin": text("City to leave from."), "destination": text("City to fly to.")}
TOOLS = {
    "travel": [GET_WEATHER, tool("find_flights", "Find flights between two cities.", **FLIGHTS, date=default(DAY))],
    "dated": [GET_WEATHER, tool("find_flights", "Find flights between two cities.", **FLIGHTS, date=DAY)],
    "guide": [
        tool(
            "get_current_temperature",
            "Get the current temperature for a specific location.",
            location=text("The city and state, e.g., San Francisco, CA."),
            unit=default({"type": "string", "enum": ["Celsius", "Fahrenheit"]}),
        ),
        tool(
            "get_rain_probability",
            "Get the probability of rain for a specific location.",
            location=text("The city and state, e.g., San Francisco, CA."),
        ),
    ],
    "notes": [
        tool("list_files", "List the files in a folder.", folder=text("Folder to list.")),
        tool("search_notes", "Search the notes for a text.", text=text("What to look for.")),
        tool("read_note", "Read one note.", name=text("File name of the note.")),
        tool(
            "csv_figures",
            "Figures of a column of a CSV file: count, sum, mean, min, max.",
            file=text("Name of the CSV file."),
            column=text("Name of the column."),
        ),
    ],
    "example": [
        tool("list_notes", "List the notes and tables in the folder."),
        tool(
            "search_notes",
            "Search the notes for words; upper and lower case are the same.",
            words=text("What to look for. A line is found when it holds all of the words."),
            most=default({"type": "integer", "minimum": 1, "maximum": 100}),
        ),
        tool("read_note", "Read one note in full.", file=text("File name as it is listed, such as ideas.md.")),
        tool(
            "table_figures",
            "Compute the figures of a column of a CSV table: rows, sum, mean, smallest, largest.",
            file=text("Name of the CSV file, such as expenses.csv."),
            column=text("Name of a column of numbers, as the table's first line gives it."),
        ),
    ],
    "mixed": [
        tool("add", "Add two numbers.", a={"type": "number"}, b={"type": "number"}),
        tool("calculate", "Evaluate an expression.", expression=text("Arithmetic expression")),
        tool(
            "send_email", "Send an email.", to=text("Recipient"), subject=default(text()), body=text("Text of the mail")
        ),
        tool("create_reminder", "Create a reminder.", text=text("What to remember"), date=default(text(format="date"))),
        tool("convert_currency", "Convert money.", amount={"type": "number"}, from_currency=text(), to_currency=text()),
        tool("set_light", "Switch a light on or off.", room=text("Room"), on={"type": "boolean"}),
        tool("compare_cities", "Compare cities.", cities={"type": "array", "items": {"type": "string"}}),
        tool("roll_dice", "Roll dice.", sides={"type": "integer", "minimum": 2}, count=default({"type": "integer"})),
        tool("get_stock_price", "Get the stock price.", symbol=text("Ticker symbol")),
        tool(
            "book_table",
            "Book a table at a restaurant.",
            restaurant=text("Name"),
            people={"type": "integer"},
            date=text(format="date"),
            time=text("Time"),
        ),
        tool("get_order_status", "Status of an order.", order_id=text("The order's id")),
        tool("search_web", "Search the web.", query=text("Query")),
        tool("translate", "Translate text into a language.", text=text("Text"), language=text("Target language")),
    ],
}


@pytest.fixture(scope="session")
def toolsets() -> Mapping[str, str]:
    """JSON text of the `tools` of a request, by the name of the set."""
    return {name: json.dumps(tools) for name, tools in TOOLS.items()}
