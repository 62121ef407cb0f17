"""How good a head is on texts that it wasn't trained on, and which examples deserve a second look.

Examples are split into folds by label; each fold is predicted by a head trained on the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steward.base.language.calibration import calibration_error
from steward.base.language.contracts import LabelledText, Prediction, Vectors
from steward.base.language.intent_head import IntentHead, train_intent_head
from steward.base.language.scope import ScopeFigures, scope_figures

MOST_FOLDS = 5
# Texts shown for each confused pair.
SHOWN_TEXTS = 3
# An example looks mislabelled when the others find its label unlikely and another one likely.
UNLIKELY = 0.1
LIKELY = 0.7


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Precision and recall of one label."""

    label: str
    examples: int
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Confusion:
    """Examples of one label taken for another."""

    label: str
    taken_for: str
    count: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """An example whose label the other examples contradict."""

    position: int
    text: str
    label: str
    label_probability: float
    likelier: str
    likelier_probability: float


@dataclass(frozen=True, slots=True)
class IntentReport:
    """What cross-validation found.

    `scope` is there when out-of-scope texts were given; `rejected_in_scope` is the share of in-scope
    examples below the threshold of the head that hadn't seen them.
    """

    examples: int
    folds: int
    accuracy: float
    top3_accuracy: float
    calibration_error: float
    rejected_in_scope: float
    labels: tuple[LabelFigures, ...]
    confusions: tuple[Confusion, ...]
    suspects: tuple[Suspect, ...]
    scope: ScopeFigures | None


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """A held-out example with what a head that hadn't seen it makes of it."""

    position: int
    example: LabelledText
    prediction: Prediction
    own_probability: float
    margin: float


def evaluate_intents(
    examples: Sequence[LabelledText],
    vectors: Vectors,
    *,
    out_of_scope: Sequence[str] = (),
    out_of_scope_vectors: Vectors | None = None,
    scope_rejection: float = 0.05,
    seed: int = 0,
    folds: int = MOST_FOLDS,
) -> IntentReport:
    """Cross-validate a head.

    Args:
        examples: at least three of each label, so that each fold leaves two to train on.
        vectors: one unit vector per example.
        out_of_scope: texts that belong to no label, split into folds as well.
        out_of_scope_vectors: one unit vector for each of them.
        scope_rejection: the share of in-scope texts that may be rejected.
        seed: of the split into folds.
        folds: fewer where the rarest label has fewer examples.

    Raises:
        TooFewLabels: fewer than two labels.
        TooFewExamples: a label has too few examples to leave any out.
    """
    places = assign_folds([example.label for example in examples], folds=folds, seed=seed)
    used = int(places.max()) + 1
    held_out: list[_HeldOut] = []
    in_scores: list[float] = []
    out_scores: list[float] = []
    for fold in range(used):
        train = np.flatnonzero(places != fold).tolist()
        trained = [place for place in range(len(out_of_scope)) if place % used != fold]
        head = train_intent_head(
            [examples[place] for place in train],
            vectors[train],
            out_of_scope=[out_of_scope[place] for place in trained],
            out_of_scope_vectors=None if out_of_scope_vectors is None else out_of_scope_vectors[trained],
            scope_rejection=scope_rejection,
            seed=seed,
        )
        test = np.flatnonzero(places == fold).tolist()
        found = [_predict(head, place, examples[place], vectors[place]) for place in test]
        held_out += found
        # Thresholds differ a little between folds: scores are pooled as distances from them.
        in_scores += [item.margin for item in found]
        if out_of_scope_vectors is not None:
            for place in range(fold, len(out_of_scope), used):
                prediction = head.predict(out_of_scope[place], out_of_scope_vectors[place])
                out_scores.append(prediction.in_scope - head.threshold)
    return _report(held_out, used, np.array(in_scores), np.array(out_scores), len(out_of_scope))


def assign_folds(labels: Sequence[str], *, folds: int, seed: int) -> NDArray[np.int64]:
    """Give each example a fold so that every fold has its share of each label.

    There are fewer folds where the rarest label has fewer examples, but at least two.
    """
    counts = Counter(labels)
    used = max(2, min(folds, min(counts.values())))
    generator = np.random.default_rng(seed)
    places = np.zeros(len(labels), np.int64)
    members: defaultdict[str, list[int]] = defaultdict(list)
    for position, label in enumerate(labels):
        members[label].append(position)
    dealt = 0
    for label in sorted(members):
        for position in generator.permutation(members[label]):
            places[position] = dealt % used
            dealt += 1
    return places


def _predict(head: IntentHead, position: int, example: LabelledText, vector: Vectors) -> _HeldOut:
    prediction = head.predict(example.text, vector)
    return _HeldOut(
        position=position,
        example=example,
        prediction=prediction,
        own_probability=head.probability(example.label, example.text, vector),
        margin=prediction.in_scope - head.threshold,
    )


def _report(
    held_out: Sequence[_HeldOut],
    folds: int,
    in_scores: NDArray[np.float64],
    out_scores: NDArray[np.float64],
    out_of_scope: int,
) -> IntentReport:
    right = np.array([item.prediction.label == item.example.label for item in held_out])
    confidences = np.array([item.prediction.confidence for item in held_out])
    in_top3 = [
        any(scored.label == item.example.label for scored in item.prediction.ranked) for item in held_out
    ]
    return IntentReport(
        examples=len(held_out),
        folds=folds,
        accuracy=float(right.mean()),
        top3_accuracy=float(np.mean(in_top3)),
        calibration_error=calibration_error(confidences, right),
        rejected_in_scope=float((in_scores < 0).mean()),
        labels=_label_figures(held_out),
        confusions=_confusions(held_out),
        suspects=_suspects(held_out),
        scope=scope_figures(in_scores, out_scores, 0.0) if out_of_scope and len(out_scores) else None,
    )


def _label_figures(held_out: Sequence[_HeldOut]) -> tuple[LabelFigures, ...]:
    """Return the labels' figures, the weakest first."""
    truth = Counter(item.example.label for item in held_out)
    given = Counter(item.prediction.label for item in held_out)
    right = Counter(item.example.label for item in held_out if item.prediction.label == item.example.label)
    figures = [
        LabelFigures(
            label=label,
            examples=truth[label],
            precision=right[label] / given[label] if given[label] else 0.0,
            recall=right[label] / truth[label],
        )
        for label in truth
    ]
    return tuple(sorted(figures, key=lambda item: (item.f1, item.label)))


def _confusions(held_out: Sequence[_HeldOut]) -> tuple[Confusion, ...]:
    """Return the pairs of labels that are confused, the most frequent first."""
    texts: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for item in sorted(held_out, key=lambda item: -item.prediction.confidence):
        if item.prediction.label != item.example.label:
            texts[item.example.label, item.prediction.label].append(item.example.text)
    confusions = [
        Confusion(label=label, taken_for=other, count=len(found), texts=tuple(found[:SHOWN_TEXTS]))
        for (label, other), found in texts.items()
    ]
    return tuple(sorted(confusions, key=lambda item: (-item.count, item.label, item.taken_for)))


def _suspects(held_out: Sequence[_HeldOut]) -> tuple[Suspect, ...]:
    """Return the examples that look mislabelled, the clearest first."""
    suspects = [
        Suspect(
            position=item.position,
            text=item.example.text,
            label=item.example.label,
            label_probability=item.own_probability,
            likelier=item.prediction.label,
            likelier_probability=item.prediction.confidence,
        )
        for item in held_out
        if item.own_probability <= UNLIKELY and item.prediction.confidence >= LIKELY
    ]
    return tuple(sorted(suspects, key=lambda item: (-item.likelier_probability, item.position)))
