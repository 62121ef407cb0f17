"""Measure verification on public data: grounding, false drops, prompt leaks, time.

    python -m benchmarks.grounding --data DATA_PATH [--quick] [--json] [--curve] [--weights DIRECTORY]

DATA_PATH holds `grounding/` and `safety/` as compressed JSON lines (see `benchmarks/training/grounding.py`).
MTRAG's human scores, FaithBench and Tensor Trust's outputs are scored by what is shipped, which was trained
on none of them. BEGIN was trained on, so its figures come from trees fitted anew without the knowledge that
is scored; that part needs lightgbm and scikit-learn and is left out without them. `--curve` also measures
what embeddings would add, needs the encoder's weights and vl-convert, and draws the curve of the docs.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Figure
from benchmarks.grounding_answers import (
    EIGHTY_TOKENS,
    LOW,
    PASSAGES,
    Answer,
    auroc,
    faithfulness,
    forget,
    mtrag,
    spearman,
    word_coverage,
)
from benchmarks.machine import describe
from benchmarks.training.grounding import (
    WEIGHTS,
    Row,
    cross_fitted,
    fit,
    matrix_of,
    read,
    training_rows,
)
from steward.base.language.grounding import GroundingHead
from steward.base.language.grounding_text import content_stems
from steward.base.language.leaks import speaks_of_instructions, tells_secret
from steward.base.language.sentences import sentences
from steward.base.language.shipped import shipped
from steward.govern.privacy.detection import Detector
from steward.serve.turn.drafts import Draft
from steward.serve.turn.verify import Policy, compile_policy, verify
from steward.supply.assistant.schema.guardrails import Evidence
from steward.supply.knowledge.contracts import Passage, PassageId

FAITHFUL = 4.0
UNFAITHFUL = 2.5
TOKENS_PER_WORD = 1.3


def main(arguments: Sequence[str] | None = None) -> list[Figure]:
    """Run what the command line asks for; print and return the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="without the parts that fit trees anew")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--curve", action="store_true", help="measure embeddings too and draw the curve")
    parser.add_argument("--weights", type=Path, help="directory of the encoder's weights, for --curve")
    asked = parser.parse_args(arguments)
    head = GroundingHead.from_bytes(shipped()["grounding"])
    answers = list(mtrag(asked.data))
    figures = [
        *people(answers, head),
        *drops(answers, policy_of(head)),
        *faithbench(asked.data, head),
        *leaks(asked.data),
        *times(answers, head),
    ]
    trains = importlib.util.find_spec("lightgbm") is not None and not asked.quick
    if trains:
        figures += begin(training_rows(asked.data))
    if asked.curve:
        from benchmarks.grounding_curve import curve

        figures += curve(training_rows(asked.data), answers, asked.weights)
    if asked.json:
        told = [figure.as_json() for figure in figures]
        print(json.dumps({"machine": describe(), "figures": told}, indent=1))
    else:
        print_table(figures)
    return figures


def people(answers: Sequence[Answer], head: GroundingHead) -> list[Figure]:
    """Compare scores of whole answers with people's."""
    human = np.array([answer.human for answer in answers])
    low = human < LOW
    ours = np.array([faithfulness(answer, head.score) for answer in answers])
    theirs = np.array([answer.bert_kprec for answer in answers])
    words = np.array([faithfulness(answer, word_coverage) for answer in answers])
    found = [
        Figure("mtrag_human_eval", "Spearman with the human mean", spearman(ours, human), 0.57),
        Figure("mtrag_human_eval", "AUROC of human means below 3", auroc(-ours, low), 0.88),
    ]
    for name, scores in (("BERT-KPrec", theirs), ("word coverage", words)):
        found += [
            Figure("mtrag_human_eval", f"{name}: Spearman", spearman(scores, human)),
            Figure("mtrag_human_eval", f"{name}: AUROC", auroc(-scores, low)),
        ]
    return found


def drops(answers: Sequence[Answer], policy: Policy) -> list[Figure]:
    """Count sentences that verification stops in answers that people found faithful, and in others."""
    stopped: dict[bool, list[bool]] = {True: [], False: []}
    for answer in answers:
        if not answer.passages or UNFAITHFUL <= answer.human < FAITHFUL:
            continue
        passages = [passage(text) for text in answer.passages]
        for claim in answer.claims:
            draft = Draft(claim, tuple(range(1, len(passages) + 1)))
            checked = verify(draft, passages, answer.context, policy)
            stopped[answer.human >= FAITHFUL].append(not checked.passed)
    return [
        Figure(
            "mtrag_human_eval", f"dropped of {len(stopped[True])} faithful sentences", mean(stopped[True])
        ),
        Figure("mtrag_human_eval", f"dropped of {len(stopped[False])} others", mean(stopped[False])),
    ]


def begin(rows: Sequence[Row]) -> list[Figure]:
    """Score BEGIN by trees that saw no row of the same knowledge, and by trees of its other half."""
    matrix = matrix_of(rows)
    labels = np.array([row.supported for row in rows])
    weights = np.array([WEIGHTS[row.source] for row in rows])
    margins = cross_fitted(matrix, labels, weights, [row.group for row in rows])
    own = np.array([row.source == "begin" for row in rows])
    faithful = margins[own & labels]
    return [
        Figure("begin_dev", "AUROC, cross-fitted by knowledge", auroc(margins[own], labels[own]), 0.95),
        Figure("begin_dev", "dropped of fully attributable", mean(faithful < margin_of_default())),
        *halves(rows, matrix, labels, weights),
    ]


def halves(
    rows: Sequence[Row], matrix: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> list[Figure]:
    """Score each part of BEGIN by trees that saw only the other one."""
    places = [place for place, row in enumerate(rows) if row.source == "begin"]
    parts = {"wow": np.array(places[:430]), "cmu": np.array(places[430:])}
    found = []
    for seen, scored in (("wow", "cmu"), ("cmu", "wow")):
        trees = fit(matrix[parts[seen]], labels[parts[seen]], weights[parts[seen]])
        scores = trees.predict(matrix[parts[scored]], raw_score=True)
        value = auroc(scores, labels[parts[scored]])
        found.append(Figure(f"begin_{scored}_dev", f"AUROC, trained on {seen} alone", value))
    return found


def margin_of_default() -> float:
    """Return the trees' sum at the default threshold."""
    from steward.base.language.shipped import unpack

    facts = unpack("grounding", shipped()["grounding"]).facts
    wanted = float(Evidence(ask_back="?").grounding)
    return (float(np.log(wanted / (1 - wanted))) - float(facts["offset"])) / float(facts["slope"])


def faithbench(data: Path, head: GroundingHead) -> list[Figure]:
    """Score summaries, of which people marked what nobody wants."""
    labels, scores = [], []
    for row in read(data / "grounding" / "faithbench.jsonl.xz"):
        labels.append(any("Unwanted" in mark["label"] for mark in row["annotations"]))
        said = [item for item in sentences(row["summary"]) if content_stems(item)]
        scores.append(min((head.score(item, [row["source"]]) for item in said), default=1.0))
    wrong = np.array(labels)
    return [Figure("faithbench", "AUROC, weakest sentence", auroc(-np.array(scores), wrong))]


def leaks(data: Path) -> list[Figure]:
    """Find outputs that tell a prompt's secret."""
    rows = list(read(data / "safety" / "tensortrust_leak_detection.jsonl.xz"))
    leaked = np.array([row["is_prompt_extraction"] for row in rows])
    found = np.array([tells_secret(row["llm_output"], row["access_code"]) for row in rows])
    talks = np.array([speaks_of_instructions(row["llm_output"]) for row in rows])
    figures = [
        Figure("tensortrust_leak_detection", "recall of leaks", mean(found[leaked]), 0.70),
        Figure("tensortrust_leak_detection", "precision", mean(leaked[found]), 0.95),
    ]
    either = found | talks
    return [
        *figures,
        Figure("tensortrust_leak_detection", "with talk of instructions: recall", mean(either[leaked])),
        Figure("tensortrust_leak_detection", "with talk of instructions: precision", mean(leaked[either])),
    ]


def times(answers: Sequence[Answer], head: GroundingHead) -> list[Figure]:
    """Time answers of about 80 tokens over three passages, in this thread."""
    timed = [
        answer
        for answer in answers
        if len(answer.passages) >= PASSAGES
        and EIGHTY_TOKENS[0] <= len(answer.text.split()) <= EIGHTY_TOKENS[1]
    ]
    policy = policy_of(head)
    scored: dict[str, list[float]] = {"cold": [], "warm": []}
    checked: dict[str, list[float]] = {"cold": [], "warm": []}
    for answer in timed * 3:
        passages = [passage(text) for text in answer.passages[:PASSAGES]]
        for state in ("cold", "warm"):
            forget(everything=state == "cold")
            begun = time.perf_counter()
            for claim in answer.claims:
                head.score(claim, answer.passages[:PASSAGES])
            scored[state].append((time.perf_counter() - begun) * 1000)
        for state in ("cold", "warm"):
            forget(everything=state == "cold")
            begun = time.perf_counter()
            for claim in answer.claims:
                verify(Draft(claim, (1, 2, 3)), passages, answer.context, policy)
            checked[state].append((time.perf_counter() - begun) * 1000)
    words = statistics.median(len(answer.text.split()) for answer in timed) * TOKENS_PER_WORD
    dataset = f"{len(timed)} answers of about {words:.0f} tokens"
    return [
        Figure(dataset, "grounding, ms, passages known", statistics.median(scored["warm"]), 15, at_most=True),
        Figure(dataset, "grounding, ms, passages new", statistics.median(scored["cold"]), 15, at_most=True),
        Figure(
            dataset, "whole stage, ms, passages known", statistics.median(checked["warm"]), 15, at_most=True
        ),
        Figure(dataset, "whole stage, ms, passages new", statistics.median(checked["cold"])),
    ]


def policy_of(head: GroundingHead) -> Policy:
    """Return the default thresholds, without a folder's own rules."""
    evidence = Evidence(ask_back="?")
    return compile_policy(
        head,
        grounding=float(evidence.grounding),
        support=float(evidence.sentence_support),
        forbidden=(),
        instructions="",
        detector=Detector(),
    )


def passage(text: str) -> Passage:
    """Return a text as a passage of one document."""
    return Passage(PassageId("p"), "page.md", "", "", text, None, 0, 0.8, 0.8, 0.8)


def mean(values: Any) -> float:
    """Return the mean of booleans; nan of none."""
    return float(np.mean(values)) if len(values) else float("nan")


def print_table(figures: Sequence[Figure]) -> None:
    """Print the figures with what is asked of them."""
    machine = describe()
    print(f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}\n")
    for figure in figures:
        print(f"{figure.dataset:34} {figure.measure:42} {figure.value:8.3f}  {figure.asked}")


if __name__ == "__main__":
    main()
