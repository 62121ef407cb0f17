"""Time-ordered identifiers: UUID version 7 (RFC 9562, section 5.7).

The first 48 bits are Unix milliseconds, so ids sort by creation and monthly partitions can be
ranges of ids. Within one millisecond of one process a counter in the next 12 bits keeps the order.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime
from uuid import UUID

from steward.base.clock import Clock

_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id(clock: Clock) -> UUID:
    """Return a fresh UUIDv7 that sorts after every id this process made before."""
    global _last_ms, _counter
    with _lock:
        ms = int(clock.now().timestamp() * 1000)
        if ms > _last_ms:
            _last_ms, _counter = ms, int.from_bytes(os.urandom(2)) & 0x3FF
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        stamped, count = _last_ms, _counter
    tail = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=(stamped << 80) | (0x7 << 76) | (count << 64) | (0b10 << 62) | tail)


def first_id_at(moment: datetime) -> UUID:
    """Return the smallest UUIDv7 of a moment: the bound of a partition or a time filter.

    UUIDv7 begins with 1970; an earlier moment has the bound of that one.
    """
    return UUID(int=(max(0, int(moment.timestamp() * 1000)) << 80) | (0x7 << 76) | (0b10 << 62))


def moment_of(identifier: UUID) -> float:
    """Return the Unix time in seconds that a UUIDv7 carries."""
    return (identifier.int >> 80) / 1000
