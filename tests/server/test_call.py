from __future__ import annotations

from toolkit.server.call import SOONEST_MS, poll_after_ms


def test_who_waits_longer_asks_less_often() -> None:
    assert [poll_after_ms(age_s) for age_s in (0, 1, 10, 23, 24, 600)] == [SOONEST_MS, 30, 120, 250, 250, 250]
    assert poll_after_ms(-5) == SOONEST_MS, "clocks may differ"
