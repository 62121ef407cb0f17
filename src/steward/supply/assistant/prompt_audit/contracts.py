"""What an audit of prompts finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters, most first."""

    HIGH = "high"
    """It can harm a customer or give a secret away: mend it before customers meet it."""
    MEDIUM = "medium"
    """It weakens a safeguard that others stand behind."""
    LOW = "low"
    """It costs money or clarity."""


class Area(StrEnum):
    """What a finding is about."""

    MISSING = "missing"
    SECRET = "secret"  # noqa: S105 # the name of an area
    CONFLICT = "conflict"
    SURFACE = "surface"
    WASTE = "waste"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an auditor would ask about.

    Attributes:
        code: `area.what`; a comment in the prompt accepts it by this name.
        severity: how much it matters.
        file: the prompt's path in the folder.
        line: line of the file, from 1; None where the whole prompt is meant.
        problem: what is wrong, in one sentence that quotes no secret.
        why: what can come of it.
        mend: what to do.
        accepted: the words of whoever accepted it; None where nobody did.
    """

    code: str
    severity: Severity
    file: str
    line: int | None
    problem: str
    why: str
    mend: str
    accepted: str | None = None

    @property
    def place(self) -> str:
        """Where it is, as editors and terminals link it."""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    @property
    def area(self) -> Area:
        """What it is about."""
        return Area(self.code.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of a prompt and the line that meets it; `line` is None where nothing does."""

    name: str
    title: str
    line: int | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class AuditedPrompt:
    """One prompt: what it is, what it takes, and what was found in it.

    `tokens` is a rough count of what the template alone costs in every turn that uses it.
    """

    file: str
    purpose: str
    digest: str
    tokens: int
    conversation_tokens: int
    duties: tuple[Duty, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PromptAudit:
    """All prompts of a folder or a release."""

    assistant: str
    origin: str
    prompts: tuple[AuditedPrompt, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the gravest first."""
        ranks = list(Severity)
        found = [finding for prompt in self.prompts for finding in prompt.findings]
        return tuple(sorted(found, key=lambda item: (ranks.index(item.severity), item.file, item.line or 0)))

    @property
    def passed(self) -> bool:
        """Whether nothing of high severity is left that nobody accepted."""
        return not any(item.severity is Severity.HIGH and item.accepted is None for item in self.findings)
