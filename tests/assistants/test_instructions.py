import pytest

from toolkit.assistants.instructions import joined


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("", "", ""),
        ("Be short.", "", "Be short."),
        ("", "Be short.", "Be short."),
        ("Say degrees.", "Be short.", "Say degrees.\n\nBe short."),
        ("Say degrees.\n\nBe short.", "Be short.", "Say degrees.\n\nBe short."),
    ],
)
def test_joining(first: str, second: str, both: str) -> None:
    assert joined(first, second) == both
