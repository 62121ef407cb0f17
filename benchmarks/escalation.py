"""Measure the bound of escalation on real messages: does it hold, and what does it leave to the assistant?

    python -m benchmarks.escalation --data DATA [--quick] [--json] [--cache DIRECTORY] [--answerable]

DATA holds `intent/`: clinc150_full_trainval and hint3_*. The product's own head predicts messages that it
wasn't trained on: CLINC150's validation part after training on its training part; the live messages of
HINT3's sofmattress; for HINT3's other two bots, of which training files alone are there, five folds. Each
set is then split 200 times at random into one half that sets the threshold and one on which the share of
mistakes is counted. A mistake is a message that is acted on and whose intent isn't the one taken, or that
belongs to none.

"Own examples" sets the threshold as a release does before anybody reviews: on the examples that the head was
trained with, each left out.

Acting takes a confidence at which it is expected to cost no more than asking back, and that the bound allows.
Costs per message are those of the default cost table. A message that isn't acted on costs one question and,
as often as the default says that a question doesn't help, a hand-over; an unbounded threshold of 0.55 and
handing over always stand beside it. `--answerable` measures as well whether answerable questions are told
from others (some minutes).
"""

from __future__ import annotations

import argparse
import json
import lzma
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from benchmarks.training import answerable
from steward.base.language.conformal import Promise, bounded_threshold
from steward.base.language.contracts import HeldOut, LabelledText, Vectors
from steward.base.language.evaluate import assign_folds
from steward.base.language.intent_head import IntentHead, train_intent_head
from steward.base.language.local_embedder import LocalEmbedder
from steward.supply.assistant.schema.guardrails import Confidence
from steward.supply.assistant.schema.intents import ExpectedCosts

NONE = ("oos", "NO_NODES_DETECTED")
BOUNDS = (0.01, 0.02, 0.05, 0.10)
SPLITS = 200
FIXED = 0.55
FOLDS = 5
TARGET = 0.95


@dataclass(frozen=True, slots=True)
class Messages:
    """Held-out messages: the confidence (-1: taken for out of scope), and whether the intent was right.

    `own` is what the head says of its own examples, each left out, where one head predicted all of them.
    """

    name: str
    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]
    own: HeldOut | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A rule on a data set, over all splits: how often its bound held, and means of the rest."""

    dataset: str
    messages: int
    rule: str
    most_wrong: float | None
    held: float | None
    wrong: float
    acted: float
    cost: float


def main(arguments: Sequence[str] | None = None) -> list[Line]:
    """Run what the command line asks for; print and return the lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds intent/*.jsonl.xz")
    parser.add_argument("--quick", action="store_true", help="HINT3 alone")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--cache", type=Path, help="keep the built graph here")
    parser.add_argument("--answerable", action="store_true", help="measure answerable questions as well")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        embedder = LocalEmbedder.open(given.cache or Path(scratch))
        try:
            sets = [*hint3(given.data / "intent", embedder)]
            if not given.quick:
                sets.insert(0, clinc150(given.data / "intent", embedder))
        finally:
            embedder.close()
    lines = [line for messages in sets for line in measure(messages)]
    told = asdict(answerable.measured(given.data, given.cache)[1]) if given.answerable else None
    if given.json:
        print(
            json.dumps({"machine": describe(), "lines": [asdict(line) for line in lines], "answerable": told})
        )
    else:
        print_table(lines)
        if told:
            print(f"answerable or not: {told}")
    return lines


def clinc150(folder: Path, embedder: LocalEmbedder) -> Messages:
    """Train on the training part, predict the validation part, messages of no intent among both."""
    rows = read(folder / "clinc150_full_trainval.jsonl.xz")
    vectors = embedded([row["text"] for row in rows], embedder)
    split = np.array([row["split"] for row in rows])
    taught = np.isin(split, ["train", "oos_train"])
    return predicted("CLINC150", trained(rows, vectors, taught), rows, vectors, ~taught)


def hint3(folder: Path, embedder: LocalEmbedder) -> list[Messages]:
    """Live messages of one bot; training files of two others in folds."""
    train, test = (read(folder / f"hint3_sofmattress_{part}.jsonl.xz") for part in ("train", "test"))
    rows = [*train, *test]
    vectors = embedded([row["text"] for row in rows], embedder)
    taught = np.arange(len(rows)) < len(train)
    found = [predicted("HINT3 sofmattress", trained(rows, vectors, taught), rows, vectors, ~taught)]
    for bot in ("curekart", "powerplay11"):
        rows = read(folder / f"hint3_{bot}_train.jsonl.xz")
        vectors = embedded([row["text"] for row in rows], embedder)
        place = assign_folds([row["intent"] for row in rows], folds=FOLDS, seed=0)
        parts = [
            predicted(bot, trained(rows, vectors, place != fold), rows, vectors, place == fold)
            for fold in range(FOLDS)
        ]
        found.append(
            Messages(
                f"HINT3 {bot}",
                np.concatenate([part.confidences for part in parts]),
                np.concatenate([part.right for part in parts]),
            )
        )
    return found


def read(path: Path) -> list[dict[str, Any]]:
    """Read one file."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def embedded(texts: Sequence[str], embedder: LocalEmbedder) -> Vectors:
    """Embed in small pieces."""
    return np.concatenate(
        [embedder.embed_now(texts[start : start + 256]) for start in range(0, len(texts), 256)]
    )


def trained(rows: Sequence[dict[str, Any]], vectors: Vectors, taught: NDArray[np.bool_]) -> IntentHead:
    """Train the product's head on the rows marked, those of no intent as out of scope."""
    inside = [place for place in np.flatnonzero(taught).tolist() if rows[place]["intent"] not in NONE]
    outside = [place for place in np.flatnonzero(taught).tolist() if rows[place]["intent"] in NONE]
    counts = {rows[place]["intent"]: 0 for place in inside}
    for place in inside:
        counts[rows[place]["intent"]] += 1
    inside = [place for place in inside if counts[rows[place]["intent"]] > 1]
    return train_intent_head(
        [LabelledText(rows[place]["text"], rows[place]["intent"]) for place in inside],
        vectors[inside],
        out_of_scope=[rows[place]["text"] for place in outside],
        out_of_scope_vectors=vectors[outside] if outside else None,
    )


def predicted(
    name: str, head: IntentHead, rows: Sequence[dict[str, Any]], vectors: Vectors, asked: NDArray[np.bool_]
) -> Messages:
    """Predict the rows marked."""
    places = np.flatnonzero(asked).tolist()
    found = [head.predict(rows[place]["text"], vectors[place]) for place in places]
    return Messages(
        name,
        np.array([-1.0 if item.out_of_scope else item.confidence for item in found], np.float64),
        np.array(
            [item.label == rows[place]["intent"] for item, place in zip(found, places, strict=True)], np.bool_
        ),
        head.held_out,
    )


def measure(messages: Messages) -> list[Line]:
    """Split at random, set each rule's threshold on one half, and count on the other."""
    lines = [
        split_many(messages, f"bound, {promise.value}", most_wrong=bound, promise=promise)
        for bound in BOUNDS
        for promise in (Promise.NEXT, Promise.LONG_RUN, Promise.EXPECTED)
    ]
    if messages.own is not None:
        lines += [unreviewed(messages, messages.own, bound) for bound in BOUNDS]
    lines.append(split_many(messages, "cost alone", fixed=worth_it()))
    lines.append(split_many(messages, f"fixed at {FIXED}", fixed=FIXED))
    lines.append(split_many(messages, "always hand over", fixed=2.0))
    return lines


def unreviewed(messages: Messages, own: HeldOut, most_wrong: float) -> Line:
    """Count on all messages what a threshold from the head's own examples lets through.

    These messages aren't exchangeable with examples, so nothing is promised: this is what reviews are for.
    """
    bounded = bounded_threshold(own.confidences, own.right, most_wrong=most_wrong)
    acted = messages.confidences >= max(bounded.threshold, worth_it())
    wrong = acted & ~messages.right
    cost = costs(acted, wrong, always_hand_over=False)
    return Line(
        messages.name, len(acted), "own examples", most_wrong, float(wrong.mean() <= most_wrong),
        float(wrong.mean()), float(acted.mean()), float(cost.mean()),
    )  # fmt: skip


def split_many(
    messages: Messages,
    rule: str,
    *,
    most_wrong: float | None = None,
    promise: Promise = Promise.NEXT,
    fixed: float = 0.0,
) -> Line:
    """Return one rule's line over all splits."""
    size = len(messages.right)
    found: list[tuple[float, float, float]] = []
    for split in range(SPLITS):
        order = np.random.default_rng(split).permutation(size)
        judged, counted = order[: size // 2], order[size // 2 : 2 * (size // 2)]
        threshold = fixed
        if most_wrong is not None:
            threshold = bounded_threshold(
                messages.confidences[judged], messages.right[judged], most_wrong=most_wrong, promise=promise
            ).threshold
            threshold = max(threshold, worth_it())
        acted = messages.confidences[counted] >= threshold
        wrong = acted & ~messages.right[counted]
        cost = costs(acted, wrong, always_hand_over=fixed > 1)
        found.append((float(wrong.mean()), float(acted.mean()), float(cost.mean())))
    wrongs = np.array([item[0] for item in found])
    held = None if most_wrong is None else float((wrongs <= most_wrong).mean())
    means = [float(value) for value in np.mean(found, axis=0)]
    return Line(messages.name, size, rule, most_wrong, held, *means)


def costs(
    acted: NDArray[np.bool_], wrong: NDArray[np.bool_], *, always_hand_over: bool
) -> NDArray[np.float64]:
    """Return each message's cost by the default table: mistakes as wrong answers, the rest as asked about."""
    table = ExpectedCosts()
    left = float(table.hand_over) if always_hand_over else asking()
    return np.where(wrong, float(table.wrong_answer), np.where(acted, 0.0, left))


def asking() -> float:
    """Return what asking back is expected to cost."""
    table = ExpectedCosts()
    return float(table.question) + (1 - float(Confidence().question_helps)) * float(table.hand_over)


def worth_it() -> float:
    """Return the confidence from which acting is expected to cost no more than asking back."""
    return 1 - asking() / float(ExpectedCosts().wrong_answer)


def print_table(lines: Sequence[Line]) -> None:
    """Print the lines as a table; a bound of the product that doesn't hold often enough is marked."""
    print(f"{'messages':26} {'rule':18} {'bound':>6} {'held':>7} {'wrong':>7} {'acted on':>9} {'cost':>6}")
    for line in lines:
        bound = "" if line.most_wrong is None else f"{line.most_wrong:.0%}"
        held = "" if line.held is None else f"{line.held:.1%}"
        missed = Promise.NEXT.value in line.rule and line.held is not None and line.held < TARGET
        print(
            f"{line.dataset + f' ({line.messages})':26} {line.rule:18} {bound:>6} {held:>7} "
            f"{line.wrong:>7.1%} {line.acted:>9.1%} {line.cost:>6.2f}{'  below 95 %' if missed else ''}"
        )


if __name__ == "__main__":
    main()
