"""The audit itself: every check over every prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from steward.base.digests import sha256_hex
from steward.govern.privacy.detection import Detector
from steward.supply.assistant.folder import Folder, Prompt
from steward.supply.assistant.prompt_audit.conflicts import conflicts
from steward.supply.assistant.prompt_audit.contracts import AuditedPrompt, Finding, PromptAudit
from steward.supply.assistant.prompt_audit.duties import duties_of, missing
from steward.supply.assistant.prompt_audit.secrets import secrets
from steward.supply.assistant.prompt_audit.sentences import Script, script_of
from steward.supply.assistant.prompt_audit.surface import surface
from steward.supply.assistant.prompt_audit.waste import waste
from steward.supply.models.pricing import estimate_tokens


def audit_prompts(folder: Folder, *, origin: str) -> PromptAudit:
    """Check every prompt of a folder.

    Args:
        folder: a folder without faults.
        origin: what the report calls it: the folder's path, or a release.
    """
    masking = folder.guardrails.masking
    detector = Detector(
        keep=[(rule.name, rule.pattern) for rule in masking.keep],
        mask=[(rule.name, rule.pattern) for rule in masking.mask],
    )
    prompts = tuple(
        _audited(name, prompt, folder, detector) for name, prompt in sorted(folder.prompts.items())
    )
    return PromptAudit(folder.name, origin, prompts)


def _audited(name: str, prompt: Prompt, folder: Folder, detector: Detector) -> AuditedPrompt:
    file = f"prompts/{name}.md"
    content = folder.files[file]
    script = script_of(file, content, prompt)
    return AuditedPrompt(
        file=file,
        purpose=prompt.meta.purpose,
        digest=sha256_hex(content),
        tokens=estimate_tokens(prompt.template),
        conversation_tokens=prompt.meta.conversation_tokens,
        duties=duties_of(name, script),
        findings=tuple(
            replace(finding, accepted=script.accepted.get(finding.code))
            for finding in _findings(name, script, folder, detector)
        ),
    )


def _findings(name: str, script: Script, folder: Folder, detector: Detector) -> Iterator[Finding]:
    yield from missing(name, script)
    yield from secrets(script, detector)
    yield from conflicts(script, folder)
    yield from surface(script)
    yield from waste(script)
