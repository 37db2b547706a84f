"""Forms with a file: whatever names and bytes, and wherever the network cuts them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.engine.objects.files import CreateFile
from toolkit.errors import Refused
from toolkit.server.multipart import Fields, Form
from toolkit.server.wire import HungUp

HEADERS = {b"content-type": b"multipart/form-data; boundary=XX"}


class Sent:
    """A form that arrives in pieces."""

    def __init__(self, *pieces: bytes, whole: bool = True) -> None:
        self._pieces, self._whole = list(pieces), whole
        self.file = b""

    async def receive(self) -> dict[str, Any]:
        if not self._pieces:
            return {"type": "http.disconnect"}
        piece = self._pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces) or not self._whole}

    async def write(self, piece: bytes) -> None:
        self.file += piece

    def read(self, headers: Any = None, most: int = 10_000_000) -> dict[str, str]:
        fields: Fields = asyncio.run(Form(self.receive, headers or HEADERS).read("file", most, self.write))
        return dict(fields.texts)


def part(name: str, data: bytes, *more: str) -> bytes:
    disposition = "; ".join((f'form-data; name="{name}"', *more))
    return f"--XX\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n"


END = b"--XX--\r\n"
FILE = part("file", b"abc", 'filename="a.txt"')


def refused(*pieces: bytes, headers: Any = None, most: int = 10_000_000) -> Refused:
    with pytest.raises(Refused) as error:
        Sent(*pieces).read(headers, most)
    return error.value


@settings(max_examples=150, deadline=None)
@given(st.data(), st.binary(max_size=300))
def test_bytes_arrive_wherever_they_are_cut(draw: Any, noise: bytes) -> None:
    file = draw.draw(
        st.sampled_from([noise, b"\r\n--XX", b"\r\n--X" + noise, noise + b"\r\n--", b"\r\n" * 50, b"--XX--"])
    )
    if b"\r\n--XX" in b"\r\n" + file:
        file = b"-" + file.replace(b"--XX", b"--X")
    body = part("purpose", b"vision") + part("file", file, 'filename="a.txt"') + part("later", "ü".encode()) + END
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    pieces = [body[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    sent = Sent(*pieces)
    assert sent.read() == {"purpose": "vision", "file": "a.txt", "later": "ü"}
    assert sent.file == file


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60).filter(
        lambda name: "%22" not in name
    )
)
def test_names_arrive_as_the_official_client_sends_them(name: str) -> None:
    request = httpx2.Request("POST", "http://engine/v1/files", files={"file": (name, b"x")})
    headers = {key.lower(): value for key, value in request.headers.raw}
    assert Sent(request.read()).read(headers)["file"] == name


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (b"filename=plain.txt", "plain.txt"),
        ('filename="sp\xe4\xdfe.txt"'.encode(), "späße.txt"),
        (b'filename="sp\xe4\xdfe.txt"', "späße.txt"),
        (b"filename*=utf-8''sp%C3%A4%C3%9Fe.txt", "späße.txt"),
        (b"filename=\"spaesse.txt\"; filename*=UTF-8'de'sp%C3%A4%C3%9Fe.txt", "späße.txt"),
        (b"filename*=iso-8859-1''sp%E4%DFe.txt", "späße.txt"),
        (b"filename*0*=utf-8''sp%C3%A4; filename*1=sse.txt", "spässe.txt"),
        (rb'filename="a \"quoted\" name.txt"', 'a "quoted" name.txt'),
        (b'filename="a %22quoted%22 name; x.txt"', 'a "quoted" name; x.txt'),
        (b'filename=""', ""),
        (b'FileName="A.TXT"', "A.TXT"),
        (b"x=y", ""),
    ],
)
def test_names_in_every_form_there_is(sent: bytes, name: str) -> None:
    body = b'--XX\r\ncontent-disposition: form-data; name="file"; ' + sent + b"\r\n\r\nabc\r\n" + END
    form = Sent(body)
    assert form.read() == {"file": name}
    assert form.file == b"abc"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120))
def test_whatever_stands_for_a_name_is_text_or_refused(junk: bytes) -> None:
    head = b'--XX\r\ncontent-disposition: form-data; name="file"; filename' + junk.translate(None, b"\r\n")
    sent = Sent(head + b"\r\n\r\nabc\r\n" + END)
    try:
        name = sent.read()["file"]
    except Refused as error:
        assert error.status == 400
    else:
        name.encode("utf-8")


SCRAPS = [b"--XX", b"--", b"\r\n", b"\r", b"\n", b":", b"content-disposition", FILE, END, b"\0\xff", b" " * 9000]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(SCRAPS)))
def test_whatever_is_sent_is_a_form_or_refused(pieces: list[bytes]) -> None:
    try:
        Sent(*pieces, b"").read()
    except Refused as error:
        assert error.status in (400, 413)


@pytest.mark.parametrize(
    "sent",
    [
        b"application/json",
        b"multipart/form-data",
        b"multipart/mixed; boundary=XX",
        b"",
        b"\xff;;=",
        b"multipart/form-data; boundary=" + b"x" * 300,
        b'multipart/form-data; boundary=""',
    ],
)
def test_what_is_no_form_is_told_so(sent: bytes) -> None:
    error = refused(FILE + END, headers={b"content-type": sent})
    assert (error.status, "multipart/form-data" in error.message) == (400, True)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (FILE, "cut short"),
        (b"", "cut short"),
        (FILE + b"--XX", "cut short"),
        (b"no boundary", "not valid"),
        (FILE + b"--XX\r\nno-disposition: x\r\n\r\nabc\r\n" + END, "not valid"),
        (FILE + FILE + END, "Duplicate parameter: 'file'"),
        (part("a", b"1") + part("a", b"2") + END, "Duplicate parameter: 'a'"),
        (b"".join(part(f"f{number}", b"x") for number in range(33)) + END, "too many parts"),
        (part("purpose", b"x" * 17_000) + END, "Invalid 'purpose'"),
        (b"--XX\r\n" + b"x: y\r\n" * 17 + b"\r\nabc\r\n" + END, "not valid"),
        (b"--XX\r\nx: " + b"y" * 9000 + b"\r\n\r\nabc\r\n" + END, "not valid"),
        (FILE.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1) + END, "Encoding"),
        (part("file", b"a", "filename*=klingon''x"), "unknown encoding"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_form_is_said(body: bytes, text: str) -> None:
    error = refused(body)
    assert error.status == 400
    assert text in error.message


def test_a_file_has_a_most() -> None:
    whole = part("file", b"x" * 1000, 'filename="a"') + END
    assert Sent(whole).read(most=1000) == {"file": "a"}
    assert refused(whole, most=999).status == 413
    assert "(999)" in refused(whole, most=999).message
    announced = {**HEADERS, b"content-length": b"99999999"}
    assert refused(headers=announced, most=1000).status == 413, "before anything is read"


def test_what_is_no_file_has_a_most_too() -> None:
    assert refused(*[b"--XX\r\n"] * 1, *[b"x" * 100 + b": y\r\n"] * 17).status == 400
    ends = FILE + END
    assert refused(ends, *[b"after the end" * 10_000] * 10).status == 413


def test_a_client_that_leaves_is_noticed() -> None:
    with pytest.raises(HungUp):
        Sent(FILE, whole=False).read()


def test_what_is_sent_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        refused(b"--XX\r\nsecret secret\r\n\r\nsecret\r\n")
        Sent(FILE + END + b"secret").read()
    assert "secret" not in caplog.text
    assert {record.name for record in caplog.records} <= {"asyncio"}


def test_fields_are_checked_as_the_body_of_a_request_is() -> None:
    sent = {"file": "/tmp/a.txt", "purpose": "batch", "expires_after[anchor]": "created_at"}
    whole = Fields({**sent, "expires_after[seconds]": "3600"}).check(CreateFile, drop_unknown=False)
    assert (whole.file, whole.expires_after) == ("a.txt", {"anchor": "created_at", "seconds": 3600})
    as_json = {**sent, "expires_after": '{"anchor": "created_at", "seconds": 3600}'}
    del as_json["expires_after[anchor]"]
    assert Fields(as_json).check(CreateFile, drop_unknown=False) == whole, "which is how OpenAPI has it"
    more = Fields({**sent, "expires_after[seconds]": "3600", "color": "red"})
    assert more.check(CreateFile, drop_unknown=True) == whole
    for texts, message in (
        (more.texts, "Unknown parameter: 'color'."),
        (sent, "Missing required parameter: 'expires_after.seconds'."),
        ({"purpose": "batch"}, "Missing required parameter: 'file'."),
        ({"file": "a"}, "Missing required parameter: 'purpose'."),
        ({**sent, "expires_after[seconds]": "soon"}, "Invalid type for 'expires_after.seconds': expected an integer"),
        (
            {"file": "a", "purpose": "batch", "expires_after": "x"},
            "Invalid type for 'expires_after': expected an object",
        ),
        ({"file": "a", "purpose": "batch", "expires_after": '{"anchor": "x"}'}, "Invalid value: 'x'."),
        ({"file": "a", "purpose": "batch", "expires_after": "[3600]"}, "Invalid type for 'expires_after': expected an"),
        ({"file": "a", "purpose": "batch", "expires_after": "[" * 9000}, "Invalid type for 'expires_after': expected"),
        ({"file": "x" * 1025, "purpose": "batch"}, "Invalid 'file': string too long."),
    ):
        with pytest.raises(Refused) as error:
            Fields(texts).check(CreateFile, drop_unknown=False)
        assert error.value.message.startswith(message), (texts, error.value.message)
