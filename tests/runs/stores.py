"""A journal's store in memory, as small as one can be; and one that dies or fails where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

__all__ = ["Failing", "Memory"]


class Memory:
    """A real implementation of the seam: what the documentation shows for a store of one's own."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def add(self, run_id: str, key: str, data: str) -> bool:
        with self._lock:
            entries = self._runs.setdefault(run_id, {})
            is_new = key not in entries
            entries.setdefault(key, data)
            return is_new

    def read(self, run_id: str) -> Mapping[str, str]:
        return dict(self._runs.get(run_id, {}))

    def runs(self) -> Sequence[str]:
        return list(self._runs)

    def forget(self, run_id: str) -> None:
        self._runs.pop(run_id, None)


class Failing(Memory):
    """Fails when it is to keep certain entries, as a full disk does."""

    def __init__(self, *kinds: str) -> None:
        super().__init__()
        self.kinds = kinds

    def add(self, run_id: str, key: str, data: str) -> bool:
        if key.startswith(self.kinds):
            raise OSError("No space left on device")
        return super().add(run_id, key, data)
