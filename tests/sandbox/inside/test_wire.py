"""Messages between the two sides."""

from __future__ import annotations

import json

from toolkit.sandbox.inside.wire import packed


def test_a_message_is_a_line_and_its_bytes() -> None:
    head, _, body = packed({"call": 1, "kind": "image"}, b"\n\x00").partition(b"\n")
    assert json.loads(head) == {"call": 1, "kind": "image", "size": 2}
    assert body == b"\n\x00"
    assert packed({"path": "\udcff\n"}) == b'{"path": "\\udcff\\n", "size": 0}\n'
