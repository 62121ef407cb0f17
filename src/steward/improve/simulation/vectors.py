"""Deterministic vectors for texts: each word hashed to a few signed places (feature hashing).

Texts with common words lie near each other; that is all the meaning there is.
"""

from __future__ import annotations

import re
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")


def hashed_vector(text: str, dimensions: int) -> NDArray[np.float32]:
    """Return the unit vector of a text, the same on any machine; an empty text gives the first axis."""
    vector = np.zeros(dimensions, dtype=np.float32)
    for word in _WORD.findall(text.lower()):
        digest = blake2b(word.encode(), digest_size=16).digest()
        for start in range(0, 16, 4):
            place = int.from_bytes(digest[start : start + 4])
            vector[(place >> 1) % dimensions] += 1 if place & 1 else -1
    length = float(np.linalg.norm(vector))
    if length == 0:
        vector[0] = 1
        return vector
    return vector / np.float32(length)
