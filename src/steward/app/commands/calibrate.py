"""`steward intents calibrate`: what reviewed turns say of the thresholds of the release that is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import prepared, print_json, run_async, say
from steward.app.commands.folder import report_faults
from steward.app.foundation import open_foundation
from steward.app.rehearsal import GUARDRAILS, edited
from steward.base.language.conformal import fewest_judged
from steward.improve.review.calibrating import Calibrated, Calibrations
from steward.serve.turn.deciding import bounds_of
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.reading import read_folder


def run_calibrate(assistant: str, *, write: Path | None, as_json: bool, data_dir: Path | None) -> int:
    """Measure, tell, and write what is suggested; 1 when too few turns were reviewed to bound anything."""
    settings = prepared(data_dir)
    if write is not None:
        try:
            read_folder(write)
        except FolderFaults as error:
            report_faults(error, as_json=as_json)
            return 1

    async def work() -> int:
        async with open_foundation(settings, say=say) as foundation:
            serving = await foundation.releases.traffic(assistant)
            release = await foundation.releases.load(serving.release_id)
            guardrails = release.folder.guardrails
            leading = {item.name for item in release.folder.intents.intents if item.workflow is not None}
            found = await Calibrations(foundation.store.database).of(
                assistant,
                release.id,
                with_workflow=leading,
                offer_from=bounds_of(guardrails, release.intent_head, leading).offer_from,
                most_wrong=float(guardrails.confidence.most_wrong),
            )
        if as_json:
            print_json({**asdict(found), "suggestions": found.suggestions})
        else:
            print("\n".join(sentences(found)))
        if write is not None and found.suggestions:
            write_suggestions(write, found.suggestions)
            say(f"{write / GUARDRAILS} has them now; the next release takes them.")
        return 0 if found.bounded.possible else 1

    return run_async(work)


def write_suggestions(place: Path, values: Mapping[str, float]) -> None:
    """Put values under `confidence` in a folder's guardrails.yaml; comments and order stay.

    Raises:
        FolderFaults: a value isn't allowed there; nothing is written.
    """
    folder = read_folder(place)
    for name, value in values.items():
        folder = edited(folder, ("confidence", name), value)
    (place / GUARDRAILS).write_bytes(folder.files[GUARDRAILS])


def sentences(found: Calibrated) -> list[str]:
    """Say what was found, and what to write where."""
    bounded = found.bounded
    bound = f"{bounded.most_wrong:.0%}"
    if not bounded.possible:
        needed = fewest_judged(bounded.most_wrong)
        return [
            f"{bounded.judged} turns of this release have a judged intent, and no confidence keeps wrong "
            f"offers at or below {bound} on them.",
            "No number of turns can." if needed is None else f"{needed} turns are the fewest that can.",
        ]
    said = [
        f"On {bounded.judged} judged turns of this release, {found.wrong_now:.1%} were offered something "
        f"wrong, at a confidence of {found.now:.2f} or more.",
        f"At {bounded.threshold:.2f} or more, {bounded.done} would be offered something, {bounded.wrong} of "
        f"them wrongly: the share stays at or below {bound} in 95 of 100 cases.",
    ]
    if not found.even:
        said.append("Turns were picked with different chances: the bound holds for turns picked like these.")
    if found.question_helps is not None:
        said.append(f"Of {found.questions} questions back, {found.question_helps:.0%} led to an answer.")
    said += ["", "For guardrails.yaml, in the next release:", "", "confidence:"]
    return said + [f"  {name}: {value:g}" for name, value in found.suggestions.items()]
