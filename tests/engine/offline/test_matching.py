"""What people ask, and which calls come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.offline.matching import plan, wish_for
from toolkit.engine.offline.toolbox import toolbox


def today() -> date:
    return date(2026, 5, 1)  # a Friday


def calls(text: str, tools: str) -> list[tuple[str, dict[str, Any]]]:
    """The complete calls, without the arguments that are left to their defaults."""
    wishes = plan(text, toolbox(tools), today)
    said = [(wish.tool.name, each) for wish in wishes if not wish.missing for each in wish.each]
    return [(name, {key: value for key, value in each.items() if value is not None}) for name, each in said]


def weather(*cities: str, **more: str) -> list[tuple[str, dict[str, str]]]:
    return [("get_weather", {"city": city, **more}) for city in cities]


def flight(origin: str, destination: str, **more: str) -> list[tuple[str, dict[str, str]]]:
    return [("find_flights", {"origin": origin, "destination": destination, **more})]


def one(name: str, /, **arguments: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(name, arguments)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("What's the weather in Seoul?", weather("Seoul")),
        ("weather in seoul", weather("seoul")),
        ("weather in seoul, busan and new york please", weather("seoul", "busan", "new york")),
        ("Seoul weather please", weather("Seoul")),
        ("WEATHER IN SEOUL", weather("SEOUL")),
        ("What's Seoul's weather like?", weather("Seoul")),
        ("Is it raining in Rio de Janeiro?", weather("Rio de Janeiro")),
        ("What should I wear in London?", weather("London")),
        ("I live in Seoul. What should I wear today?", weather("Seoul")),
        ("I'm going to Paris with Anna, what is the weather there?", weather("Paris")),
        ("How warm is it in 東京 and 서울?", weather("東京", "서울")),
        ("What's the weather like in são paulo and new york?", weather("são paulo", "new york")),
        ("weather in Saint-Étienne and Aix-en-Provence", weather("Saint-Étienne", "Aix-en-Provence")),
        ("weather in Seoul and Paris", weather("Seoul", "Paris")),
        ("weather in Seoul, Paris and Tokyo", weather("Seoul", "Paris", "Tokyo")),
        ("What is the weather in Seoul? And in Paris?", weather("Seoul", "Paris")),
        ("weather in Seoul and weather in Seoul", weather("Seoul", "Seoul")),
        ("Weather in Los Angeles vs. San Diego", weather("Los Angeles", "San Diego")),
        ("the weather in San Francisco, CA and New York, NY", weather("San Francisco, CA", "New York, NY")),
        ("Weather for Paris, France", weather("Paris, France")),
        ("the forecast for New York City tomorrow", weather("New York City")),
        ('What is the weather like in "Trinidad and Tobago"?', weather("Trinidad and Tobago")),
        ("the temperature in Berlin in Fahrenheit, please", weather("Berlin", unit="f")),
        (
            "in Seoul in fahrenheit and Paris in celsius, weather",
            weather("Seoul", unit="f") + weather("Paris", unit="c"),
        ),
        ("get_weather city=Seoul unit=f", weather("Seoul", unit="f")),
        ("Flights from Seoul to Busan on 2026-06-01", flight("Seoul", "Busan", date="2026-06-01")),
        ("a flight from New York to São Paulo tomorrow", flight("New York", "São Paulo", date="2026-05-02")),
        ("flights from seoul to busan next friday", flight("seoul", "busan", date="2026-05-08")),
        ("Flights Seoul to Busan", flight("Seoul", "Busan")),
        ("Find flights from SFO to JFK on Dec 24", flight("SFO", "JFK", date="2026-12-24")),
        ("flights from Seoul to Busan and from Busan to Tokyo", flight("Seoul", "Busan") + flight("Busan", "Tokyo")),
        ("Weather in Seoul and flights to Busan", weather("Seoul") + flight("Seoul", "Busan")),
        ("a flight from London to Rome and the weather in Rome", flight("London", "Rome") + weather("Rome")),
        ("does it rain in Seoul, and flights from there to Busan?", weather("Seoul") + flight("Seoul", "Busan")),
        ("What's the weather?", []),
        ("flights to Busan", []),
        ("Hello!", []),
        ("What can you do?", []),
        ("What is the capital of France?", []),
        ("", []),
    ],
)
def test_travel(text: str, wanted: list[tuple[str, dict[str, str]]], toolsets: Mapping[str, str]) -> None:
    assert calls(text, toolsets["travel"]) == wanted


def temperature(location: str, **more: str) -> list[tuple[str, dict[str, str]]]:
    return [("get_current_temperature", {"location": location, **more})]


def rain(location: str) -> list[tuple[str, dict[str, str]]]:
    return [("get_rain_probability", {"location": location})]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "What's the weather in San Francisco today and the likelihood it'll rain?",
            temperature("San Francisco") + rain("San Francisco"),
        ),
        ("How hot is it in New York and will it rain there?", temperature("New York") + rain("New York")),
        ("Temperature in Oslo in Fahrenheit", temperature("Oslo", unit="Fahrenheit")),
        ("Will it rain in Lisbon?", rain("Lisbon")),
        ("Rain probability: Seoul, Oslo and Paris", rain("Seoul") + rain("Oslo") + rain("Paris")),
    ],
)
def test_the_guides(text: str, wanted: list[tuple[str, dict[str, str]]], toolsets: Mapping[str, str]) -> None:
    assert calls(text, toolsets["guide"]) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("What do my notes say about tomatoes?", one("search_notes", text="tomatoes")),
        ("Find basil in my notes", one("search_notes", text="basil")),
        ('Search for "green beans" please', one("search_notes", text="green beans")),
        ("grep TODO", one("search_notes", text="TODO")),
        ("List the files", one("list_files", folder=".")),
        ("Which files are there?", one("list_files", folder=".")),
        ("List the files in recipes", one("list_files", folder="recipes")),
        ("list files in recipes/", one("list_files", folder="recipes/")),
        ("Show me the list of files in the recipes folder", one("list_files", folder="recipes")),
        ("Read garden.md", one("read_note", name="garden.md")),
        ("Read garden", one("read_note", name="garden")),
        ("Show me garden.md", one("read_note", name="garden.md")),
        ("open the file recipes/bread.md", one("read_note", name="recipes/bread.md")),
        ("What's in garden.md and todo.md?", one("read_note", name="garden.md") + one("read_note", name="todo.md")),
        ("average of price in sales.csv", one("csv_figures", file="sales.csv", column="price")),
        ("What is the average price in sales.csv?", one("csv_figures", file="sales.csv", column="price")),
        ("Sum of the column amount in expenses.csv", one("csv_figures", file="expenses.csv", column="amount")),
        ("figures of sales.csv", []),
        (
            'Search notes for "roof repair" and read garden.md',
            one("search_notes", text="roof repair") + one("read_note", name="garden.md"),
        ),
    ],
)
def test_notes(text: str, wanted: list[tuple[str, dict[str, str]]], toolsets: Mapping[str, str]) -> None:
    assert calls(text, toolsets["notes"]) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("List my notes", one("list_notes")),
        ("What is in my notes?", one("list_notes")),
        ("Search my notes for roof", one("search_notes", words="roof")),
        ("Look for planning in my notes", one("search_notes", words="planning")),
        ("Which notes mention planning?", one("search_notes", words="planning")),
        ("What do my notes say about salt and pepper?", one("search_notes", words="salt and pepper")),
        ("Find at most 5 lines about bread", one("search_notes", words="bread", most=5)),
        ("Read 2026-03-planning.md", one("read_note", file="2026-03-planning.md")),
        ("Figures of the column amount in expenses.csv", one("table_figures", file="expenses.csv", column="amount")),
        ("Search my notes for roof and list my notes", one("search_notes", words="roof") + one("list_notes")),
        ("List my notes and read recipes.md", one("list_notes") + one("read_note", file="recipes.md")),
        (
            "Read recipes.md and tell me what it says about bread",
            one("read_note", file="recipes.md") + one("search_notes", words="bread"),
        ),
    ],
)
def test_the_example(text: str, wanted: list[tuple[str, dict[str, Any]]], toolsets: Mapping[str, str]) -> None:
    assert calls(text, toolsets["example"]) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Add 2 and 3", one("add", a=2, b=3)),
        ("add 2", []),
        ("What is 12*7+3?", one("calculate", expression="12*7+3")),
        ("Send an email to bob@example.com saying I'm late", one("send_email", to="bob@example.com", body="I'm late")),
        ("Remind me to buy milk tomorrow", one("create_reminder", text="buy milk tomorrow", date="2026-05-02")),
        ("Convert 100 USD to EUR", one("convert_currency", amount=100, from_currency="USD", to_currency="EUR")),
        ("Turn on the light in the kitchen", one("set_light", room="kitchen", on=True)),
        ("Switch the kitchen light off", one("set_light", room="kitchen", on=False)),
        ("Compare Oslo, Paris and New York", one("compare_cities", cities=["Oslo", "Paris", "New York"])),
        ("Roll a 20 sided die", one("roll_dice", sides=20)),
        ("What is the price of AAPL stock?", one("get_stock_price", symbol="AAPL")),
        ("What's the status of order A-1234?", one("get_order_status", order_id="A-1234")),
        ("Search the web for the best pizza in Rome", one("search_web", query="best pizza in Rome")),
        ('Translate "good morning" into French', one("translate", text="good morning", language="French")),
        (
            "Book a table at Chez Louis for 4 people on 5 May at 7pm",
            one("book_table", restaurant="Chez Louis", people=4, date="2026-05-05", time="19:00"),
        ),
    ],
)
def test_other_tools(text: str, wanted: list[tuple[str, dict[str, Any]]], toolsets: Mapping[str, str]) -> None:
    assert calls(text, toolsets["mixed"]) == wanted


def test_what_is_missing_is_named(toolsets: Mapping[str, str]) -> None:
    [weather_wish, flight_wish] = plan("weather in Seoul and flights to Busan", toolbox(toolsets["dated"]), today)
    assert not weather_wish.missing
    assert [parameter.name for parameter in flight_wish.missing] == ["date"]
    assert flight_wish.each == ({"origin": "Seoul", "destination": "Busan"},)


def test_a_tool_can_be_filled_without_being_asked_for(toolsets: Mapping[str, str]) -> None:
    box = toolbox(toolsets["travel"])
    assert wish_for(box.tools[0], "Oslo", "", box, today).each == ({"city": "Oslo", "unit": None},)


def test_without_tools_nothing_is_wished_for() -> None:
    assert plan("weather in Seoul", toolbox("[]"), today) == []


pieces = st.sampled_from(
    "weather in Seoul and flights to Busan from \" ' , . ? 3 4.5 -1 2026-05-01 31 Feb tomorrow garden.md price 東京 "
    "a@b.de 12*7 ( the my on off unit=f city: / \n \x00 \ud83d ’s CA O'Neil 25:99 http://x".split(" ")
)


@given(st.lists(pieces, max_size=25).map(" ".join), st.sampled_from(["travel", "notes", "example", "mixed"]))
def test_no_text_is_too_odd(toolsets: Mapping[str, str], text: str, name: str) -> None:
    for _, arguments in calls(text, toolsets[name]):
        json.dumps(arguments)
