"""What a sentence must not give away: instructions, secrets, and data of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steward.base.language.leaks import Kept, Leak
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.tokens import tokens_in
from steward.serve.turn.faults import Fault


@dataclass(frozen=True, slots=True)
class Disclosures:
    """What one release keeps to itself, and how it finds personal data."""

    kept: Kept
    detector: Detector

    def fault_of(self, text: str, evidence: Sequence[str], context: str) -> Fault | None:
        """Return what a sentence gives away that it mustn't.

        Args:
            text: the sentence.
            evidence: the passages that it cites. Talk of instructions that stands there is about others.
            context: the masked conversation; only its own tokens may be repeated.
        """
        leak = self.kept.leak_in(text)
        if leak is Leak.SECRET:
            return Fault.LEAKS_SECRET
        if leak is Leak.INSTRUCTIONS or (leak is Leak.TALK_OF_INSTRUCTIONS and not evidence):
            return Fault.LEAKS_INSTRUCTIONS
        if not set(tokens_in(text)).issubset(tokens_in(" ".join((context, *evidence)))):
            return Fault.UNKNOWN_TOKEN
        personal = (text[span.start : span.end] for span in self.detector.find(text))
        if any(all(value not in item for item in evidence) for value in personal):
            return Fault.PERSONAL_DATA
        return None
