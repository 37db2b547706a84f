"""A Python value becomes text for the model.

Strings go as they are, everything else as JSON, written by pydantic-core from the value itself: the return annotation
is not asked, since it may exist only for the type checker. A value without a JSON form is an error of the tool, told
to the
app: the `repr` of an object is never shown to the model.

Images and files stand beside the text, which says that they are there: who hands the output on passes them where they
can be taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from types import GeneratorType
from typing import NamedTuple, cast

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from toolkit.tools.attachments import Attachment, Image, Part, has_attachments, said_of

__all__ = ["LEAST_OUTPUT_BYTES", "MAX_OUTPUT_BYTES", "NoJsonForm", "Output", "output_of", "text_of"]

MAX_OUTPUT_BYTES = 64 * 1024
"""What one output may hold when nothing else was said, in bytes of UTF-8."""
LEAST_OUTPUT_BYTES = 256
"""The smallest cap that still leaves room for the note that something was cut."""


class Output(NamedTuple):
    """What the model is told of a call: `content` is text (JSON for values, strings as they are), `ok` whether it
    worked.

    A tool may return one itself, to say `ok=False` with a text of its own; a content that is no string becomes JSON
    then. (A named tuple: one is made for every call, and a frozen dataclass takes twice as long to make.)
    """

    content: str
    ok: bool = True
    parts: tuple[Part, ...] = ()
    """The same with images and files among the texts, for whoever can take them; empty without any."""

    def __repr__(self) -> str:
        parts = f", parts={self.parts}" if self.parts else ""
        return f"Output(content={self.content!r}, ok={self.ok}{parts})"

    @property
    def images(self) -> tuple[Image, ...]:
        """The images among the parts."""
        return tuple(part for part in self.parts if isinstance(part, Image))


class NoJsonForm(TypeError):
    """A tool returned what cannot be written as JSON; the text says what it was."""


def output_of(value: object, max_bytes: int = MAX_OUTPUT_BYTES) -> Output:
    """Say what a tool returned, in at most `max_bytes` of UTF-8. Raises NoJsonForm for a value without a JSON form."""
    if type(value) is str and value.isascii() and len(value) <= max_bytes:  # nearly every output: nothing to change
        return Output(value)
    if isinstance(value, Output):
        return Output(_fitted(text_of(value.content), max_bytes), value.ok, value.parts)
    if has_attachments(value):
        return _attached(value if isinstance(value, list | tuple) else [value], max_bytes)
    if _hides_attachments(value):
        raise NoJsonForm("returned a dict with an Image or a File in it: return that by itself, or in a list with text")
    return Output(_fitted(text_of(value), max_bytes))


def _hides_attachments(value: object) -> bool:
    """Whether attachments are where they would become JSON, with all their bytes."""
    return isinstance(value, dict) and has_attachments([*cast("dict[object, object]", value).values()])


def _attached(values: Sequence[object], max_bytes: int) -> Output:
    """Say values of which some are images or files; the cap is for the text."""
    texts = [text_of(said_of(one) if isinstance(one, Attachment) else one) for one in values]
    parts: list[Part] = [
        one if isinstance(one, Attachment) else _fitted(text, max_bytes)
        for one, text in zip(values, texts, strict=True)
    ]
    return Output(_fitted("\n".join(texts), max_bytes), True, tuple(parts))


def text_of(value: object) -> str:
    """Write a value as text, without lone surrogates. Raises NoJsonForm for a value without a JSON form.

    bytes are text where they are UTF-8, else URL-safe base64; NaN and the infinities are strings; None is `null`.
    """
    if isinstance(value, str):
        return _whole(str.__str__(value))  # a member of a `str` enum is its value here
    if isinstance(value, GeneratorType):  # here, so that what it raises is the tool's own exception
        value = list(cast("Iterable[object]", value))
    try:
        return to_json(value, inf_nan_mode="strings", fallback=_plainer).decode()
    except PydanticSerializationError:
        pass  # bytes that are no UTF-8 and lone surrogates are written the longer way, and so is a better reason
    try:
        plain = to_jsonable_python(value, inf_nan_mode="strings", bytes_mode="base64", fallback=_plainer)
        plain = json.loads(json.dumps(plain), parse_constant=str)  # NaN and the infinities are still numbers in `plain`
        return _whole(json.dumps(plain, ensure_ascii=False, separators=(",", ":")))
    except (ValueError, TypeError, RecursionError) as error:
        raise NoJsonForm(f"returned a {type(value).__qualname__}, which has no JSON form: {error}") from error


def _plainer(value: object) -> object:
    """Give the list or dict that an unknown container stands for: ranges, views, mappings of other libraries."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    if isinstance(value, memoryview):
        return value.tobytes()
    if isinstance(value, Sequence | Set):
        return list(cast("Iterable[object]", value))
    raise TypeError(f"{type(value).__module__}.{type(value).__qualname__} is not known to pydantic")


def _whole(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates, which UTF-8 cannot carry, by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _fitted(text: str, max_bytes: int) -> str:
    """Cut a text on a character's boundary so that it and the note about the cut fit into `max_bytes` of UTF-8."""
    if len(text) * 4 <= max_bytes:
        return text
    data = text.encode()
    if len(data) <= max_bytes:
        return text
    room = max_bytes - len(_note(max_bytes, len(data)))
    kept = data[:room].decode(errors="ignore")
    return kept + _note(len(kept.encode()), len(data))


def _note(kept: int, total: int) -> str:
    """Tell the model that it sees only the beginning. Plain ASCII, so that its length is its size."""
    return f"\n[Cut: these are the first {kept} of {total} bytes. Ask for less, or for a part, to see the rest.]"
