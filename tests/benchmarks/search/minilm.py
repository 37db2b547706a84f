"""The vectors of all-MiniLM-L6-v2, computed with numpy: slow, and those of the model, with little else to install.

A text longer than the model's window is cut into windows; its vector is the mean of theirs. What is computed once is
kept in a folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-not-found, unused-ignore]  # comes with the run (packages.py)

__all__ = ["Matrix", "embedder"]

Matrix = NDArray[np.float32]

_WINDOW: Final = 254
"""Tokens, without the one at the beginning and the one at the end."""
_LAYERS: Final = 6
_HEADS: Final = 12
_BEGIN, _END = 101, 102


def embedder(model: Path, cache: Path) -> Callable[[Sequence[str]], Matrix]:
    """Load the model from its folder; gives what makes a row of length 1 of each text."""
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    weights = _weights(model / "model.safetensors")
    cache.mkdir(parents=True, exist_ok=True)

    def vector(text: str) -> Matrix:
        kept = cache / f"{hashlib.sha256(text.encode()).hexdigest()}.npy"
        if not kept.exists():
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            windows = [ids[at : at + _WINDOW] for at in range(0, max(1, len(ids)), _WINDOW)]
            rows = [_forward(weights, [_BEGIN, *window, _END]) for window in windows]
            np.save(kept, _unit(np.average(rows, axis=0, weights=[len(window) + 2 for window in windows])))
        row: Matrix = np.load(kept)
        return row

    return lambda texts: np.stack([vector(text) for text in texts])


def _forward(weights: Mapping[str, Matrix], ids: Sequence[int]) -> Matrix:
    """Compute the vector of one window: six layers of attention, then the mean over its tokens."""

    def linear(x: Matrix, name: str) -> Matrix:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normal(x: Matrix, name: str) -> Matrix:
        apart = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((apart * apart).mean(-1, keepdims=True) + np.float32(1e-12))
        return apart / scale * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    x = weights["embeddings.word_embeddings.weight"][list(ids)]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = normal(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(_LAYERS):
        layer = f"encoder.layer.{number}"
        parts = (linear(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value"))
        query, key, value = (part.reshape(len(ids), _HEADS, -1).transpose(1, 0, 2) for part in parts)
        attended = _softmax(query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1]))) @ value
        mixed = linear(attended.transpose(1, 0, 2).reshape(len(ids), -1), f"{layer}.attention.output.dense")
        x = normal(x + mixed, f"{layer}.attention.output.LayerNorm")
        wide = _gelu(linear(x, f"{layer}.intermediate.dense"))
        x = normal(x + linear(wide, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return _unit(x.mean(0))


def _softmax(x: Matrix) -> Matrix:
    raised = np.exp(x - x.max(-1, keepdims=True))
    share: Matrix = raised / raised.sum(-1, keepdims=True)
    return share


def _gelu(x: Matrix) -> Matrix:
    """Compute x times the share of a normal distribution below it, by a formula that is exact to 1.5e-7."""
    far = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * far)
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    below: Matrix = x * np.float32(0.5) * (1 + np.sign(x) * (1 - series * np.exp(-far * far)))
    return below


def _unit(row: Any) -> Matrix:
    unit: Matrix = (row / np.linalg.norm(row)).astype(np.float32)
    return unit


def _weights(path: Path) -> Mapping[str, Matrix]:
    """Read a file of safetensors: the length of a head, the head as JSON, the numbers."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    read: dict[str, Matrix] = {}
    for name, about in json.loads(data[8 : 8 + size]).items():
        if about.get("dtype") == "F32":
            start, end = about["data_offsets"]
            flat = np.frombuffer(data, np.float32, (end - start) // 4, 8 + size + start)
            read[name] = flat.reshape(about["shape"])
    return read
