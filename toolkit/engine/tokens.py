"""How many tokens a text has, without the model's own tokenizer: bytes, scaled by what model servers have reported.

Languages and tokenizers differ by a factor of four in bytes per token. Where a server reports its usage, that is the
truth, and the next estimate for the model starts from it; before, four bytes make a token, as in English prose.
"""

from __future__ import annotations

from typing import Final

__all__ = ["Scale"]

_AT_FIRST: Final = 4.0
_LEAST, _MOST = 1.0, 8.0
"""What a server reports beyond that is no count of these bytes: of images, say, or of a template of its own."""
_ENOUGH: Final = 50
"""Tokens of a request from which on its scale means something: what the server adds by itself counts little then."""
_WEIGHT: Final = 0.25
_MODELS: Final = 1000


class Scale:
    """Bytes per token, by model: a moving average of what was seen."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def bytes_per_token(self, model: str) -> float:
        """Give what was seen of a model lately."""
        return self._seen.get(model, _AT_FIRST)

    def tokens(self, model: str, size: int) -> int:
        """Estimate the tokens of so many bytes, rounded up."""
        return -int(-size // self.bytes_per_token(model))

    def learn(self, model: str, size: int, tokens: int) -> None:
        """Take in that a server counted `tokens` in a request of `size` bytes."""
        if tokens < _ENOUGH:
            return
        ratio = size / tokens
        if not _LEAST <= ratio <= _MOST:
            return
        before = self._seen.pop(model, ratio)
        self._seen[model] = before + (ratio - before) * _WEIGHT
        if len(self._seen) > _MODELS:
            del self._seen[next(iter(self._seen))]
