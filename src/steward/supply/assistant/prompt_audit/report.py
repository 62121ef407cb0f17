"""The audit as a document that legal and risk can file: Markdown, and the same as a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from markdown_it import MarkdownIt

from steward.supply.assistant.prompt_audit.contracts import AuditedPrompt, Finding, PromptAudit, Severity

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100%; display: block; overflow-x: auto }}
th, td {{ text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid #8886 }}
code {{ font-size: .9em }}
</style>
<body>
{body}
</body>
</html>
"""


def as_markdown(audit: PromptAudit) -> str:
    """Return the report as Markdown."""
    return "\n".join(_lines(audit)) + "\n"


def as_page(audit: PromptAudit) -> str:
    """Return the report as one HTML file that needs nothing else."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(as_markdown(audit))
    return _PAGE.format(title=escape(f"Prompts of {audit.assistant}"), body=body)


def summary_of(audit: PromptAudit) -> str:
    """Return how many findings of each severity there are, in one sentence."""
    opened = [item for item in audit.findings if item.accepted is None]
    counts = [(sum(item.severity is severity for item in opened), severity.value) for severity in Severity]
    told = ", ".join(f"{count} {name}" for count, name in counts)
    accepted = len(audit.findings) - len(opened)
    prompts = f"{len(audit.prompts)} prompt{'' if len(audit.prompts) == 1 else 's'}"
    return f"{prompts}; open findings: {told}; accepted: {accepted}."


def _lines(audit: PromptAudit) -> Iterator[str]:
    yield f"# Prompts of {audit.assistant}\n"
    yield f"Audited: {audit.origin}. {summary_of(audit)}\n"
    verdict = (
        "Nothing of high severity is open." if audit.passed else "**Findings of high severity are open.**"
    )
    yield f"{verdict}\n"
    for prompt in audit.prompts:
        yield from _prompt(prompt)


def _prompt(prompt: AuditedPrompt) -> Iterator[str]:
    yield f"## {prompt.file}\n"
    yield f"{prompt.purpose}\n"
    yield (
        f"SHA-256 `{prompt.digest}`; about {prompt.tokens:,} tokens of its own in every turn, and up to "
        f"{prompt.conversation_tokens:,} of the conversation.\n"
    )
    yield "### Findings\n"
    if prompt.findings:
        yield "| severity | where | what | why it matters | what to do | accepted |"
        yield "|---|---|---|---|---|---|"
        yield from (_finding(item) for item in prompt.findings)
    else:
        yield "None."
    if prompt.duties:
        yield "\n### What it says\n"
        yield "| duty | line | the sentence |"
        yield "|---|---|---|"
        for duty in prompt.duties:
            yield f"| {duty.title} | {duty.line or '**nowhere**'} | {_cell(duty.sentence or '')} |"
    yield ""


def _finding(item: Finding) -> str:
    cells = (
        item.severity.value,
        f"`{item.place}`",
        f"{item.problem} (`{item.code}`)",
        item.why,
        item.mend,
        item.accepted or "",
    )
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "\\<").replace("*[", "\\*[")
