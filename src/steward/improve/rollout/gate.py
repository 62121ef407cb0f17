"""What has to be true of two releases before traffic is divided between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from steward.improve.evals.contracts import GateResult
from steward.improve.rollout.contracts import RolloutKind
from steward.improve.rollout.errors import GateClosed, NotComparable
from steward.supply.assistant.folder import Folder
from steward.supply.releases.assignment import BaselineKind
from steward.supply.releases.contracts import LoadedRelease, short_id


class Gates(Protocol):
    """Knows what the evaluation cases said of two releases."""

    async def gate(self, candidate_id: str, baseline_id: str) -> GateResult | None:
        """Return the newest answer, None where they were never compared."""
        ...


def require_comparable(
    candidate: LoadedRelease, baseline: LoadedRelease, *, against: BaselineKind, kind: RolloutKind
) -> None:
    """Refuse releases whose arms would differ in more than what is compared.

    Raises:
        NotComparable: they belong to two assistants, are the same, or mask differently.
    """
    if candidate.assistant != baseline.assistant:
        raise NotComparable(
            f"release {short_id(candidate.id)} is of '{candidate.assistant}', "
            f"{short_id(baseline.id)} of '{baseline.assistant}'"
        )
    if candidate.id == baseline.id and against is BaselineKind.RELEASE:
        raise NotComparable(f"release {short_id(candidate.id)} is the one being served; name another")
    if kind is not RolloutKind.SHADOW and masks(candidate.folder) != masks(baseline.folder):
        raise NotComparable(
            "`masking` in guardrails.yaml differs, and a conversation is masked before it is assigned; "
            "serve a release with the new masking rules and nothing else new first"
        )


def masks(folder: Folder) -> object:
    """Return what decides what is masked, in a form that can be compared."""
    return folder.guardrails.masking.model_dump(mode="json")


async def require_gate(gates: Gates, candidate: str, baseline: str) -> GateResult:
    """Refuse a candidate that the cases weren't passed by.

    Raises:
        GateClosed: it was never compared with this baseline, or the comparison failed.
    """
    command = f"steward eval compare {short_id(candidate)} {short_id(baseline)}"
    result = await gates.gate(candidate, baseline)
    if result is None:
        raise GateClosed(
            f"release {short_id(candidate)} hasn't been evaluated against {short_id(baseline)} yet; "
            f"run `{command}`"
        )
    if not result.passed:
        why = " ".join(result.reasons) or "It got worse."
        raise GateClosed(
            f"release {short_id(candidate)} didn't pass its evaluation against {short_id(baseline)}: {why} "
            f"`{command}` shows the cases."
        )
    return result


def closed(candidate: str, phase: str, missing: Sequence[str]) -> GateClosed:
    """Return the refusal of a phase for want of what governance asks for."""
    said = ". ".join(map(_capitalised, missing))
    return GateClosed(f"release {short_id(candidate)} may not enter phase '{phase}'. {said}.")


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
