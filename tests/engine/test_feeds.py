"""Feeds with values: what listeners hear, what is kept, who is woken."""

from __future__ import annotations

import asyncio

from toolkit.engine.events import DONE, frame
from toolkit.engine.feeds import Feed, Feeds


def test_a_feed_tells_every_listener_everything_whenever_it_comes() -> None:
    async def main() -> None:
        feed = Feed()
        early = asyncio.create_task(_all(feed))
        await asyncio.sleep(0)
        feed.publish([("a", "1"), ("b", "2")])
        late = asyncio.create_task(_all(feed))
        await asyncio.sleep(0.01)
        feed.publish([("c", "3")])
        feed.end()
        feed.end()
        feed.publish([("d", "4")])
        told = frame(("a", "1")) + frame(("b", "2")) + frame(("c", "3")) + DONE
        assert await early == await late == await _all(feed) == told

    asyncio.run(main())


async def _all(feed: Feed) -> bytes:
    return b"".join([chunk async for chunk in feed.listen()])


def test_a_leg_that_is_not_streamed_has_no_feed() -> None:
    feeds = Feeds()
    feeds.begin("run_1", "leg", None)
    assert feeds.get("run_1") is None
    feeds.publish("run_1", [("a", "1")])
    feeds.end("run_1", None)


def test_the_next_leg_has_a_feed_of_its_own() -> None:
    async def main() -> None:
        feeds = Feeds()
        feeds.begin("run_1", "leg", [("a", "1")])
        first = feeds.get("run_1")
        assert first is not None
        feeds.begin("run_1", "leg", [("b", "2")])
        second = feeds.get("run_1")
        assert second is not None
        first.publish([("z", "0")])
        feeds.end("run_1", first)
        assert await _all(first) == frame(("a", "1")) + frame(("z", "0")) + DONE, "it is ended by who told it"
        feeds.publish("run_1", [("c", "3")])
        feeds.end("run_1", second)
        assert await _all(second) == frame(("b", "2")) + frame(("c", "3")) + DONE

    asyncio.run(main())


def test_ended_feeds_are_kept_for_a_while_the_newest_within_a_bound() -> None:
    feeds = Feeds()
    for number in range(20):
        feeds.begin(f"run_{number}", "leg", [("a", "x" * 2**20)])
        feeds.end(f"run_{number}", feeds.get(f"run_{number}"))
    kept = [number for number in range(20) if feeds.get(f"run_{number}") is not None]
    assert kept == list(range(13, 20))


def test_the_end_of_a_leg_is_news_for_those_who_wait() -> None:
    async def main() -> None:
        feeds = Feeds()
        news = feeds.news("run_1")
        assert feeds.news("run_1") is news
        feeds.end("run_1", None)
        assert news.is_set()
        assert not feeds.news("run_1").is_set()

    asyncio.run(main())
