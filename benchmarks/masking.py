"""How fast masking is: a message on a turn's way, and documents and conversations in bulk.

    python -m benchmarks.masking --data PATH [--quick] [--json]

`--data` is the folder of public data sets; without it only the built-in messages are timed. Bulk rows are
customers' words and help pages, each masked on its own.
"""

from __future__ import annotations

import argparse
import json
import lzma
import platform
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from steward.govern.privacy.bulk import BulkMasked, mask_many
from steward.govern.privacy.detection import Detector

MESSAGES = {
    "12 words, nothing personal": "I was charged twice this month and can't see why, please help",
    "12 words, one number kept": "my order 48213 from 3 March hasn't come, where is it now please",
    "12 words, name and e-mail": "my name is Maya Patel and you can write to maya.patel@example.com",
    "12 words, five identifiers": (
        "Maya Patel, card 4111 1111 1111 1111, jo@example.com, 07700 900123, GB82 WEST 1234 5698 7654 32"
    ),
}
WARM_UPS, TRIES = 200, 2_000


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures: dict[str, object] = {"machine": f"{platform.machine()}, Python {platform.python_version()}"}
    figures["message"] = {name: message(text, quick=given.quick) for name, text in MESSAGES.items()}
    if given.data is not None:
        figures["bulk"] = {
            f"{processes} process{'es' if processes > 1 else ''}": bulk(
                given.data, processes, quick=given.quick
            )
            for processes in (1, 2)
        }
    if given.json:
        print(json.dumps(figures, indent=1))
        return
    print(figures["machine"])
    for part in ("message", "bulk"):
        for name, values in dict(figures.get(part, {})).items():  # type: ignore[call-overload]
            print(f"{part}: {name}: " + ", ".join(f"{key} {value}" for key, value in values.items()))


def message(text: str, *, quick: bool) -> dict[str, float]:
    """Time one message; microseconds of wall time."""
    detector = Detector()
    for _ in range(WARM_UPS):
        detector.find(text)
    took = []
    for _ in range(TRIES // 10 if quick else TRIES):
        begun = time.perf_counter()
        detector.find(text)
        took.append((time.perf_counter() - begun) * 1e6)
    took.sort()
    return {
        "p50_us": round(statistics.median(took), 1),
        "p95_us": round(took[int(len(took) * 0.95)], 1),
    }


def bulk(data: Path, processes: int, *, quick: bool) -> dict[str, float]:
    """Mask help pages and customers' messages, as documents of one text each."""
    texts = list(_texts(data))[: 1_000 if quick else 4_000]
    size = sum(len(text.encode()) for text in texts)
    begun, cpu = time.perf_counter(), time.process_time()
    found: Sequence[BulkMasked] = list(mask_many(((text,) for text in texts), Detector, processes=processes))
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    alone = {"mb_per_cpu_s": round(size / 1e6 / cpu, 2)} if processes == 1 else {}
    return {
        **alone,
        "documents": len(texts),
        "documents_per_s": round(len(texts) / took),
        "mb_per_s": round(size / 1e6 / took, 2),
        "places": sum(sum(one.counts.values()) for one in found),
    }


def _texts(data: Path) -> Iterator[str]:
    for path in sorted(data.glob("retrieval/*.jsonl.xz")) + sorted(data.glob("intent/*_train.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                text = json.loads(line).get("text")
                if isinstance(text, str) and text:
                    yield text


if __name__ == "__main__":
    main()
