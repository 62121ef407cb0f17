"""`steward governance report` and `steward release approve`."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import OPERATOR, print_json
from steward.app.commands.release import with_foundation
from steward.app.foundation import Foundation
from steward.base.errors import InvalidInput, NotFound
from steward.govern.policy.controls import MEANINGS
from steward.improve.rollout.governing import GovernanceState, RiskState
from steward.supply.assistant.schema.governance import Governance
from steward.supply.releases.approvals import Approvals, ReleaseApproval, governance_of
from steward.supply.releases.contracts import ReleaseLine, short_id
from steward.supply.releases.reading import read_folder

ADMIN = "admin"
"""Who has the data directory in hand may agree in every role's place; the ledger names the command line."""
Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def run_report(reference: str | None, *, out: Path | None, as_json: bool, data_dir: Path | None) -> int:
    """Print a release's governance, or write it as a document; 1 when something is missing."""
    if out is not None and out.suffix not in (".md", ".html"):
        raise InvalidInput(f"{out} has to end in .md or .html")

    async def work(foundation: Foundation) -> int:
        if reference is None:
            release_id = served_or_newest(await foundation.releases.recent(limit=200))
        else:
            release_id = (await foundation.releases.find(reference)).id
        state = await foundation.governing.state(release_id)
        if as_json:
            print_json(as_plain(state))
        elif out is None:
            print(markdown(state))
        else:
            _write(out, markdown(state) if out.suffix == ".md" else page(state))
        return 1 if state.missing else 0

    return with_foundation(data_dir, work)


def served_or_newest(lines: Sequence[ReleaseLine]) -> str:
    """Return the id of the release that is served, or of the latest where none is.

    Raises:
        NotFound: there is no release.
    """
    if not lines:
        raise NotFound("There is no release yet; `steward release create FOLDER` makes one.")
    return next((line.id for line in lines if line.serving), lines[0].id)


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{out} can't be written: {error}") from error
    print(f"written to {out}")


def run_approve(
    reference: str, *, role: str, reason: str, withdraw: bool, as_json: bool, data_dir: Path | None
) -> int:
    """Agree to a release in a role, or take that back."""
    if not withdraw and not reason.strip():
        raise InvalidInput("give a reason with --reason; it goes into the ledger")

    async def work(foundation: Foundation) -> int:
        release = await foundation.releases.find(reference)
        approvals = Approvals(foundation.store.database, clock=foundation.clock, ledger=foundation.ledger)
        async with foundation.store.database.read() as session:
            folder = (await read_folder(session, release.id))[1]
            governance = await governance_of(session, release, folder) or Governance()
        if role not in governance.approve_release:
            asked = ", ".join(governance.approve_release) or "nobody"
            raise InvalidInput(f"governance.yaml asks {asked} to agree to a release, not '{role}'")
        if withdraw:
            await approvals.withdraw(release, role=role, own_role=ADMIN, actor=OPERATOR)
        else:
            await approvals.give(
                release,
                role=role,
                own_role=ADMIN,
                actor=OPERATOR,
                reason=reason,
                four_eyes=governance.four_eyes,
            )
        if as_json:
            print_json({"id": release.id, "role": role, "withdrawn": withdraw})
        else:
            what = "no longer agrees" if withdraw else "agrees"
            print(f"the role '{role}' {what} to {release.assistant} release {release.number}")
        return 0

    return with_foundation(data_dir, work)


# ------------------------------------------------------------------ the document


def as_plain(state: GovernanceState) -> dict[str, object]:
    """Return everything as plain values."""
    governance = state.governance
    return {
        "release": state.release.id,
        "assistant": state.release.assistant,
        "number": state.release.number,
        "at": state.at,
        "missing": state.missing,
        "governance": None if governance is None else governance.model_dump(mode="json"),
        "controls": [
            {**asdict(control), "works": control.works, "fault": control.fault}
            for control in state.controls.values()
        ],
        "risks": [
            {
                "name": item.risk.name,
                "score": item.risk.score,
                "high": item.high,
                "working": [control.value for control in item.working],
            }
            for item in state.risks
        ],
        "approvals": [asdict(approval) for approval in state.approvals],
    }


def tables_of(state: GovernanceState) -> tuple[Table, ...]:
    """Return the document's tables: title, headings, rows; none where the folder has no governance.yaml."""
    governance = state.governance
    if governance is None:
        return ()
    kept = [(rule.data, str(rule.days)) for rule in governance.retention]
    return (
        _raci(governance),
        _risks(state.risks),
        _controls(state),
        ("How long things are kept", ("data", "days"), kept),
        _agreements(governance, state.approvals),
    )


def _raci(governance: Governance) -> Table:
    headings = (
        "use case", "categories", "accountable", "responsible", "consulted", "informed", "lawful basis",
    )  # fmt: skip
    rows = [
        (
            case.title,
            ", ".join(case.categories),
            case.accountable,
            ", ".join(case.responsible),
            ", ".join(case.consulted),
            ", ".join(case.informed),
            case.lawful_basis.replace("_", " "),
        )
        for case in governance.use_cases
    ]
    return "Who answers for what (RACI)", headings, rows


def _risks(risks: Sequence[RiskState]) -> Table:
    headings = ("risk", "likelihood", "impact", "score", "owner", "controls that work", "named")
    rows = [
        (
            item.risk.title,
            str(item.risk.likelihood),
            str(item.risk.impact),
            f"{item.risk.score}{' (high)' if item.high else ''}",
            item.risk.owner,
            ", ".join(item.working) or "none",
            ", ".join(item.risk.controls),
        )
        for item in risks
    ]
    return "Risks", headings, rows


def _controls(state: GovernanceState) -> Table:
    rows = [
        (
            control.control.value,
            MEANINGS[control.control],
            "works" if control.works else "doesn't count",
            control.fault or control.shown.sentence,
            str(len(control.cases)),
            "" if control.tested_at is None else f"{control.tested_at:%Y-%m-%d %H:%M} UTC",
        )
        for control in state.controls.values()
    ]
    return "Controls", ("control", "what it is for", "state", "found", "cases", "tested"), rows


def _agreements(governance: Governance, approvals: Sequence[ReleaseApproval]) -> Table:
    agreed = {approval.role: approval for approval in approvals}
    rows = [
        (role, f"{found.at:%Y-%m-%d %H:%M} UTC", found.actor, found.reason)
        if (found := agreed.get(role))
        else (role, "not yet", "", "")
        for role in governance.approve_release
    ]
    return "Agreements to this release", ("role", "agreed", "by", "why"), rows


def markdown(state: GovernanceState) -> str:
    """Return the document as Markdown."""
    lines = [f"# {_title(state)}", "", *(f"- {line}" for line in _opening(state))]
    for title, headings, rows in tables_of(state):
        lines += ["", f"## {title}", "", f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
        lines += [f"| {' | '.join(map(in_a_cell, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def in_a_cell(text: str) -> str:
    """Return a text that stays in its cell of a Markdown table, whoever wrote it, and is no HTML."""
    return html.escape(" ".join(text.split()), quote=False).replace("\\", "\\\\").replace("|", "\\|")


def page(state: GovernanceState) -> str:
    """Return the document as one HTML file without scripts."""
    parts = [f"<h1>{html.escape(_title(state))}</h1>", "<ul>"]
    parts += [f"<li>{html.escape(line)}</li>" for line in _opening(state)]
    parts.append("</ul>")
    for title, headings, rows in tables_of(state):
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in headings)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        parts.append(
            f"<h2>{html.escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(_title(state))}</title>'
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse;width:100%}th,td{border:1px solid #ccc;padding:.4em .6em;"
        "text-align:left;vertical-align:top}</style>" + "".join(parts) + "</html>\n"
    )


def _title(state: GovernanceState) -> str:
    return f"Governance of {state.release.assistant}, release {state.release.number}"


def _opening(state: GovernanceState) -> Iterator[str]:
    yield f"Release {short_id(state.release.id)}, as it stands on {state.at:%Y-%m-%d %H:%M} UTC"
    yield "Nothing is missing" if not state.missing else "Missing before it may reach customers:"
    yield from state.missing
