"""`steward intents train|evaluate`."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import prepared, print_json
from steward.app.commands.folder import report_faults
from steward.app.foundation import open_embedder
from steward.app.settings import Settings
from steward.base.language.contracts import LabelledText, Vectors
from steward.base.language.evaluate import IntentReport, evaluate_intents
from steward.base.language.intent_head import train_intent_head
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder
from steward.supply.releases.deriving import out_of_scope_texts

SHOWN_CONFUSIONS = 10
SHOWN_SUSPECTS = 15


def _read(folder: Path, *, as_json: bool) -> Folder | None:
    try:
        return read_folder(folder)
    except FolderFaults as error:
        report_faults(error, as_json=as_json)
        return None


def _examples(folder: Folder) -> list[LabelledText]:
    return [
        LabelledText(text=text, label=intent.name)
        for intent in folder.intents.intents
        for text in dict.fromkeys(intent.examples)
    ]


def _embedded(settings: Settings, *groups: list[str]) -> list[Vectors]:
    embedder = open_embedder(settings)
    try:
        return [embedder.embed_now(texts) for texts in groups]
    finally:
        embedder.close()


def run_train(folder: Path, *, as_json: bool, data_dir: Path | None) -> int:
    """Train as a release does, and say what came out; nothing is stored."""
    settings = prepared(data_dir)
    if (read := _read(folder, as_json=as_json)) is None:
        return 1
    examples, outside = _examples(read), list(out_of_scope_texts(read))
    vectors, outside_vectors = _embedded(settings, [item.text for item in examples], outside)
    begun = time.perf_counter()
    head = train_intent_head(
        examples,
        vectors,
        out_of_scope=outside,
        out_of_scope_vectors=outside_vectors,
        scope_rejection=float(read.guardrails.confidence.scope_rejection),
    )
    seconds = time.perf_counter() - begun
    if as_json:
        print_json(
            {
                "intents": len(head.labels),
                "examples": len(examples),
                "seconds": seconds,
                "digest": head.digest,
            }
        )
    else:
        print(
            f"{len(head.labels)} intents from {len(examples)} examples in {seconds:.1f} s: {head.digest[:12]}"
        )
    return 0


def run_evaluate(folder: Path, *, as_json: bool, data_dir: Path | None) -> int:
    """Cross-validate and show what a person can mend."""
    settings = prepared(data_dir)
    if (read := _read(folder, as_json=as_json)) is None:
        return 1
    examples, outside = _examples(read), list(out_of_scope_texts(read))
    vectors, outside_vectors = _embedded(settings, [item.text for item in examples], outside)
    report = evaluate_intents(
        examples,
        vectors,
        out_of_scope=outside,
        out_of_scope_vectors=outside_vectors,
        scope_rejection=float(read.guardrails.confidence.scope_rejection),
    )
    print_json(asdict(report)) if as_json else _print_report(report)
    return 0


def _print_report(report: IntentReport) -> None:
    print(f"accuracy           {report.accuracy:.1%} on {report.examples} examples, {report.folds} folds")
    print(f"calibration error  {report.calibration_error:.3f}")
    print(f"rejected in scope  {report.rejected_in_scope:.1%}")
    if report.confusions:
        print("\nmixed up most")
    for pair in report.confusions[:SHOWN_CONFUSIONS]:
        print(f"  {pair.count:>3}  {pair.label} taken for {pair.taken_for}: “{pair.texts[0]}”")
    if report.suspects:
        print("\nexamples that look mislabelled")
    for suspect in report.suspects[:SHOWN_SUSPECTS]:
        print(
            f"  {suspect.label} ({suspect.label_probability:.0%}) or rather "
            f"{suspect.likelier} ({suspect.likelier_probability:.0%}): “{suspect.text}”"
        )
    weakest = sorted(report.labels, key=lambda figures: figures.recall)[:5]
    print("\nweakest intents")
    for figures in weakest:
        print(
            f"  {figures.label}: recall {figures.recall:.0%}, precision {figures.precision:.0%}, "
            f"{figures.examples} examples"
        )
