"""Files on their way out: types, names and ranges."""

from __future__ import annotations

import httpx2
import pytest

from toolkit.server.downloads import TYPES

DATA = bytes(range(256)) * 4000


def path(http: httpx2.Client, name: str = "a.bin", data: bytes = DATA) -> str:
    made = http.post("/v1/files", data={"purpose": "assistants"}, files={"file": (name, data)})
    return f"/v1/files/{made.json()['id']}/content"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("a.png", "image/png"),
        ("A.JPG", "image/jpeg"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.tar.gz", "application/gzip"),
        ("a.unheard-of", "application/octet-stream"),
        ("txt", "text/plain; charset=utf-8"),
        ("no-type-", "application/octet-stream"),
    ],
)
def test_the_type_goes_by_the_name(http: httpx2.Client, name: str, sent: str) -> None:
    answer = http.get(path(http, name))
    assert (answer.headers["content-type"], answer.content) == (sent, DATA)
    assert answer.headers["content-length"] == str(len(DATA))


def test_no_browser_shows_a_file_as_a_page_of_ours(http: httpx2.Client) -> None:
    for name in ("a.html", "a.svg", "a.unheard-of"):
        headers = http.get(path(http, name)).headers
        assert headers["content-disposition"].startswith("attachment; ")
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
        ('ä";.txt', "attachment; filename=\"__;.txt\"; filename*=UTF-8''%C3%A4%22%3B.txt"),
    ],
)
def test_the_name_is_told(http: httpx2.Client, name: str, told: str) -> None:
    assert http.get(path(http, name)).headers["content-disposition"] == told


def test_types_are_few_and_lower_case() -> None:
    assert all(name == name.lower() and "/" in sent for name, sent in TYPES.items())


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=1000000-", 1_000_000, len(DATA)),
        ("bytes=-5", len(DATA) - 5, len(DATA)),
        ("bytes=-99999999", 0, len(DATA)),
        ("bytes=10-99999999", 10, len(DATA)),
    ],
)
def test_a_range(http: httpx2.Client, asked: str, start: int, stop: int) -> None:
    answer = http.get(path(http), headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=9-5", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", ""])
def test_what_is_no_range_gets_the_whole(http: httpx2.Client, asked: str) -> None:
    answer = http.get(path(http), headers={"range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)


def test_a_range_behind_the_end(http: httpx2.Client) -> None:
    for asked in (f"bytes={len(DATA)}-", "bytes=99999999-", "bytes=-0"):
        answer = http.get(path(http), headers={"range": asked})
        assert (answer.status_code, f"{len(DATA)} bytes" in answer.json()["error"]["message"]) == (416, True)


def test_a_range_of_what_the_client_has(http: httpx2.Client) -> None:
    where = path(http)
    tag = http.get(where).headers["etag"]
    for given, status in ((tag, 206), ('"other"', 200)):
        assert http.get(where, headers={"range": "bytes=0-0", "if-range": given}).status_code == status


def test_the_head_alone(http: httpx2.Client) -> None:
    answer = http.head(path(http, "a.txt"))
    assert (answer.status_code, answer.content) == (200, b"")
    assert (answer.headers["content-length"], answer.headers["accept-ranges"]) == (str(len(DATA)), "bytes")


def test_a_file_without_bytes(http: httpx2.Client) -> None:
    answer = http.get(path(http, "empty.txt", b""))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
