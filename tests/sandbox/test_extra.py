"""What the packages of the `[sandbox]` extra do in a session."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.sandbox.sessions import Desk, needs_wall, opened, with_packages
from toolkit.sandbox.packages import extra
from toolkit.sandbox.sandbox import Failure, FileChanged, Image, Result, Text

ALL = ("numpy", "pandas", "matplotlib", "scipy", "openpyxl", "PIL", "pptx", "plotly")

pytestmark = [
    needs_wall,
    pytest.mark.slow,
    pytest.mark.skipif(not all(map(find_spec, ALL)), reason="needs the [sandbox] extra"),
]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with opened(with_packages(*extra())) as desk:
        yield desk


def test_all_can_be_imported(desk: Desk) -> None:
    assert desk.said(f"for name in {ALL}: __import__(name)\n'all'") == "'all'"


def test_a_spreadsheet_is_analysed(desk: Desk) -> None:
    made = """
import pandas as pd
pd.DataFrame({"month": ["a", "b", "c"], "sold": [3, 5, 4]}).to_excel("sales.xlsx", index=False)
"""
    (changed,) = desk.run(made)
    assert isinstance(changed, FileChanged)
    sheet = desk.do(desk.session.read(changed.path, 10**6))
    assert zipfile.is_zipfile(io.BytesIO(sheet))
    desk.do(desk.session.put(["input.xlsx", "file-abc"], sheet))
    code = """
import matplotlib.pyplot as plt
sales = pd.read_excel("file-abc")
sales.plot.bar(x="month")
print(sales)
int(sales.sold.sum())
"""
    text, result, image = desk.run(code)
    assert isinstance(text, Text)
    assert "sold" in text.text
    assert result == Result("12")
    assert isinstance(image, Image)


def test_arrays_use_several_threads_within_the_limits(desk: Desk) -> None:
    assert desk.said("import numpy as np; a = np.ones((1000, 1000)); float((a @ a).sum())") == "1000000000.0"
    (failure,) = desk.run("np.ones(10**10)")
    assert isinstance(failure, Failure)
    assert "MemoryError" in failure.text


def test_slides_and_pages_are_files(desk: Desk) -> None:
    code = """
import plotly.express as px, pptx, scipy.optimize
px.bar(x=[1, 2], y=[3, 4]).write_html("chart.html")
deck = pptx.Presentation(); deck.slides.add_slide(deck.slide_layouts[0]); deck.save("deck.pptx")
round(float(scipy.optimize.brentq(lambda x: x * x - 2, 0, 2)), 3)
"""
    found = desk.run(code)
    assert found[0] == Result("1.414")
    assert [each.name for each in found if isinstance(each, FileChanged)] == ["chart.html", "deck.pptx"]
