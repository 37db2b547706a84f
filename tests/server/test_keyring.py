from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from toolkit.engine.objects import keys
from toolkit.engine.objects.keys import DAY_S, ApiKey, Ring, digest_of
from toolkit.engine.store.address import parse
from toolkit.engine.store.sqlite import SQLite
from toolkit.errors import StoreUnavailable
from toolkit.server.keyring import KeyRing


def opened(tmp_path: Path) -> SQLite:
    return SQLite(parse(f"sqlite:///{tmp_path}/a.db"))


async def made(store: SQLite, project: str = "p") -> tuple[ApiKey, str]:
    return await store.write(lambda tx: keys.create(tx, project, "", int(time.time())))


async def soon(ring: KeyRing, digest: bytes, *, there: bool) -> None:
    began = time.monotonic()
    while (digest in (await ring.current()).live) is not there:
        assert time.monotonic() - began < 10
        await asyncio.sleep(0.01)


def test_changes_count_soon(tmp_path: Path) -> None:
    """Made and revoked by another on the same file."""

    async def main() -> None:
        store, other = opened(tmp_path), opened(tmp_path)
        ring = KeyRing(store)
        assert (await ring.current()).made == 0
        key, text = await made(other)
        digest = digest_of(text.encode())
        await soon(ring, digest, there=True)
        assert await ring.project(await ring.current(), digest) == "p"
        await other.write(lambda tx: keys.revoke(tx, key.id, 5))
        await soon(ring, digest, there=False)
        assert await ring.project(await ring.current(), digest) is None
        await store.aclose()
        await other.aclose()

    asyncio.run(main())


def test_the_store_is_looked_at_seldom_and_its_keys_read_when_they_changed(tmp_path: Path) -> None:
    async def main() -> None:
        store = opened(tmp_path)
        ring = KeyRing(store)
        _, text = await made(store)
        first = await ring.current()
        assert first.live.keys() == {digest_of(text.encode())}
        seen: list[Ring] = [await ring.current() for _ in range(1000)]
        assert all(each is first for each in seen)
        await asyncio.sleep(0.9)
        assert await ring.current() is first, "nothing has changed"
        await made(store)
        await asyncio.sleep(0.9)
        assert len((await ring.current()).live) == 2
        await store.aclose()

    asyncio.run(main())


def test_many_wait_for_one_look_and_one_that_leaves_takes_nothing_along(tmp_path: Path) -> None:
    async def main() -> None:
        store = opened(tmp_path)
        ring = KeyRing(store)
        waiting = [asyncio.create_task(ring.current()) for _ in range(10)]
        await asyncio.sleep(0)
        assert [task.get_name() for task in asyncio.all_tasks()].count("look at the keys") == 1
        waiting[0].cancel()
        rings = await asyncio.gather(*waiting[1:])
        assert all(each is rings[0] for each in rings)
        await store.aclose()

    asyncio.run(main())


def test_the_day_of_use_is_noted_once(tmp_path: Path) -> None:
    async def main() -> None:
        store = opened(tmp_path)
        key, text = await made(store)
        digest = digest_of(text.encode())
        for _ in range(2):  # servers
            ring = KeyRing(store)
            for _ in range(3):
                assert await ring.project(await ring.current(), digest) == "p"
        (kept,) = await store.read(keys.all_)
        assert kept.last_used_at == int(time.time()) // DAY_S * DAY_S
        await store.write(lambda tx: tx.run("key.used", id=key.id, day=kept.last_used_at + DAY_S))  # tells of a write
        assert await ring.project(await ring.current(), digest) == "p"
        (kept_since,) = await store.read(keys.all_)
        assert kept_since.last_used_at == kept.last_used_at + DAY_S
        await store.aclose()

    asyncio.run(main())


def test_a_store_in_trouble_leaves_what_was_known(tmp_path: Path) -> None:
    async def main() -> None:
        store = opened(tmp_path)
        ring, late = KeyRing(store), KeyRing(store)
        _, text = await made(store)
        known = await ring.current()
        (tmp_path / "a.db").rename(tmp_path / "away.db")
        await asyncio.sleep(0.9)
        assert await ring.current() is known
        assert await ring.project(known, digest_of(text.encode())) == "p", "though the use cannot be noted"
        with pytest.raises(StoreUnavailable):
            await late.current()
        (tmp_path / "away.db").rename(tmp_path / "a.db")
        assert (await late.current()).live == known.live
        await store.aclose()

    asyncio.run(main())
