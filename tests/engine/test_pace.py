from __future__ import annotations

from toolkit.engine.pace import TURN_S, Pace


def test_work_grows_while_it_is_quick_and_shrinks_when_it_is_not() -> None:
    pace = Pace()
    sizes = []
    for _ in range(10):
        sizes.append(pace.size)
        pace.took(TURN_S / 2)
    assert sizes == [4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]
    pace.took(TURN_S)
    assert pace.size == 500
    pace.took(TURN_S, turn_s=1)
    assert pace.size == 1000
    for _ in range(20):
        pace.took(1)
    assert pace.size == 1
