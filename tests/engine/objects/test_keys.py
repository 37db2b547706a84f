from __future__ import annotations

from pathlib import Path

from tests.engine.stored_runs import in_file
from toolkit.engine.objects import keys
from toolkit.engine.objects.keys import DAY_S, digest_of


def test_a_key_is_shown_once_and_kept_as_a_digest(tmp_path: Path) -> None:
    key, text = in_file(tmp_path / "a.db", lambda tx: keys.create(tx, "shop", "the till", 1000))
    assert text.startswith("sk-toolkit-")
    assert len(text.removeprefix("sk-toolkit-")) == 43  # 32 bytes
    assert (key.project, key.name, key.ending, key.created_at) == ("shop", "the till", text[-4:], 1000)
    assert (key.last_used_at, key.revoked_at) == (0, None)
    assert in_file(tmp_path / "a.db", keys.all_) == [key]
    ring = in_file(tmp_path / "a.db", lambda tx: keys.look(tx, None))
    assert ring.live[digest_of(text.encode())].id == key.id
    secret = text.removeprefix("sk-toolkit-")[:-4].encode()
    for file in tmp_path.iterdir():
        assert secret not in file.read_bytes()
    assert secret.decode() not in repr((key, ring))


def test_no_two_keys_are_the_same(tmp_path: Path) -> None:
    made = in_file(tmp_path / "a.db", lambda tx: [keys.create(tx, "p", "", 1)[1] for _ in range(50)])
    assert len(set(made)) == 50


def test_a_key_that_is_revoked_stays_known(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    key, _ = in_file(store, lambda tx: keys.create(tx, "p", "", 1000))
    seen = in_file(store, lambda tx: keys.look(tx, None))
    assert in_file(store, lambda tx: keys.revoke(tx, key.id, 2000)) == key
    again = in_file(store, lambda tx: keys.revoke(tx, key.id, 3000))
    assert again is not None
    assert again.revoked_at == 2000
    assert in_file(store, lambda tx: keys.revoke(tx, "key_nobody", 3000)) is None
    ring = in_file(store, lambda tx: keys.look(tx, seen))
    assert (ring.made, ring.revoked, ring.live) == (1, 1, {})


def test_a_look_gives_back_what_was_seen_when_nothing_has_changed(tmp_path: Path) -> None:
    store = tmp_path / "a.db"
    key, _ = in_file(store, lambda tx: keys.create(tx, "p", "", 1000))
    seen = in_file(store, lambda tx: keys.look(tx, None))
    in_file(store, lambda tx: keys.used(tx, key.id, 5 * DAY_S + 100))
    assert in_file(store, lambda tx: keys.look(tx, seen)) is seen
    in_file(store, lambda tx: keys.used(tx, key.id, 4 * DAY_S))
    assert in_file(store, keys.all_)[0].last_used_at == 5 * DAY_S
    in_file(store, lambda tx: keys.create(tx, "p", "", 1000))
    assert len(in_file(store, lambda tx: keys.look(tx, seen)).live) == 2
