"""Live probes of the controls: each looks at a release and this installation, and says what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.access.permissions import ROLE_PERMISSIONS, Permission, Role
from steward.govern.ledger.service import Ledger
from steward.govern.policy.controls import Control, Shown
from steward.govern.privacy.detection import Detector
from steward.improve.rollout.governing import Governing, Probe
from steward.serve.turn.overrides import OverrideWords
from steward.supply.assistant.folder import Folder
from steward.supply.releases.approvals import Approvals

_PERSONAL: Final = ("my card is 4111 1111 1111 1111", "write to ada.lovelace@example.com please")
_LEDGER_RIGHTS: Final = """
select bool_or(has_table_privilege(c.oid, 'update') or has_table_privilege(c.oid, 'delete')),
       bool_and(exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgenabled <> 'D'
                        and t.tgname = c.relname || '_is_append_only'))
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relname in ('ledger_entry', 'ledger_link', 'ledger_checkpoint')
"""
_ARTEFACT: Final = """
select count(*) from release_artefact where release_id = %s and name = any(%s) and length(content) > 0
"""
_PASSAGES: Final = """
select count(*) from snapshot_passage p join release r on r.snapshot_id = p.snapshot_id where r.id = %s
"""
_ACTIVE: Final = "select count(*) from account where state = 'active' and role = any(%s)"


def governing_of(database: Database, ledger: Ledger, clock: Clock) -> Governing:
    """Build what finds out how a release's governance stands."""
    approvals = Approvals(database, clock=clock, ledger=ledger)
    return Governing(database=database, probes=probes_of(database, ledger), approvals=approvals, clock=clock)


def probes_of(database: Database, ledger: Ledger) -> Mapping[Control, Probe]:
    """Return a probe for each control."""
    installation = InstallationProbes(database, ledger)
    of_folder: dict[Control, Callable[[Folder], Shown]] = {
        Control.MASKING: masks,
        Control.VERIFICATION: verifies,
        Control.CONFIRMATION: confirms,
        Control.APPROVAL: asks_approval,
        Control.OVERRIDE: overrides,
        Control.EXACTLY_ONCE: settles,
        Control.ROLLBACK: rolls_back,
    }
    return {
        **{control: _folder_probe(look) for control, look in of_folder.items()},
        Control.GUARD: installation.guards,
        Control.LEDGER: installation.keeps_ledger,
        Control.REVIEW: installation.reviews,
        Control.ACCESS: installation.restricts,
        Control.EVIDENCE: installation.has_evidence,
    }


def _folder_probe(look: Callable[[Folder], Shown]) -> Probe:
    async def probe(_: str, folder: Folder) -> Shown:
        return look(folder)

    return probe


# ------------------------------------------------------------------ what the folder alone shows


def masks(folder: Folder) -> Shown:
    """Mask a card and an address by the release's rules."""
    rules = folder.guardrails.masking
    detector = Detector(
        keep=[(rule.name, rule.pattern) for rule in rules.keep],
        mask=[(rule.name, rule.pattern) for rule in rules.mask],
    )
    seen = [text for text in _PERSONAL if not detector.find(text)]
    if seen:
        return Shown(False, "a card number or an e-mail address goes through the release's masking rules")
    return Shown(True, "a card number and an e-mail address were masked by the release's rules just now")


def verifies(folder: Folder) -> Shown:
    """Look at the support that a sentence needs."""
    evidence, promises = folder.guardrails.evidence, folder.guardrails.forbidden_promises
    if not evidence.sentence_support and not evidence.grounding:
        return Shown(False, "guardrails.yaml asks for no support of a sentence (`evidence`)")
    return Shown(
        True,
        f"a sentence needs {evidence.sentence_support:.0%} of its words in what it cites; "
        f"{len(promises)} promises are forbidden",
    )


def confirms(folder: Folder) -> Shown:
    """Look for the question that each workflow asks before it acts."""
    if not folder.workflows:
        return Shown(True, "the folder has no workflow, so nothing is done that could be unwanted")
    silent = [name for name, workflow in sorted(folder.workflows.items()) if "?" not in workflow.confirm]
    if silent:
        return Shown(False, f"workflow '{silent[0]}' asks nothing before it acts: `confirm` is no question")
    return Shown(True, f"each of {len(folder.workflows)} workflows asks before it acts")


def asks_approval(folder: Folder) -> Shown:
    """Look for workflows that wait for a person."""
    asking = [name for name, workflow in sorted(folder.workflows.items()) if workflow.approval is not None]
    if not asking:
        return Shown(False, "no workflow waits for a person's agreement (`approval`)")
    return Shown(True, f"{', '.join(asking)} wait for a person's agreement where their condition holds")


def overrides(folder: Folder) -> Shown:
    """Ask for a person with each of the folder's words."""
    words = folder.guardrails.override_words
    found = OverrideWords(words, is_word=lambda _: False)
    deaf = [word for word in words if found.find(f"please, {word.upper()}!") is None]
    if not words or deaf:
        return Shown(False, f"nothing happens at {deaf[0]!r}" if deaf else "`override_words` is empty")
    return Shown(True, f"each of {len(words)} words calls a person")


def settles(folder: Folder) -> Shown:
    """Look for writes whose lost answer nobody could look up."""
    writes = [
        operation
        for system in folder.connectors.systems
        for operation in system.operations
        if operation.effect == "write"
    ]
    blind = [operation.name for operation in writes if operation.find is None]
    if blind:
        return Shown(False, f"operation '{blind[0]}' writes and has no `find` in connectors.yaml")
    return Shown(True, f"the fate of each of {len(writes)} writing operations can be looked up by its key")


def rolls_back(folder: Folder) -> Shown:
    """Look for triggers and the breaker."""
    triggers = folder.rollout.triggers
    if not triggers:
        return Shown(False, "rollout.yaml has no trigger, so nothing but the breaker takes a release away")
    names = ", ".join(trigger.kpi for trigger in triggers)
    return Shown(
        True, f"{names} roll back; {folder.rollout.breaker.consecutive_failures} failures in a row stop it"
    )


# ------------------------------------------------------------------ what the installation shows


class InstallationProbes:
    """Probes that ask the database."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def guards(self, release_id: str, folder: Folder) -> Shown:
        """Look for the release's risk rules and for what finds them by meaning."""
        rules = folder.guardrails.risks
        there = await self._count(_ARTEFACT, release_id, ["injection_examples", "risk_examples"])
        if not rules or there != 2:
            return Shown(False, "guardrails.yaml has no risk rule, or the release lost what finds them")
        return Shown(True, f"{len(rules)} risk rules and the rules against new orders are loaded with it")

    async def keeps_ledger(self, _: str, __: Folder) -> Shown:
        """Walk the end of the chain, and look at the rights on its tables."""
        async with self._database.read() as session:
            verdict = await self._ledger.verify_end(session)
            rights = await session.one(_LEDGER_RIGHTS)
        may_change, has_triggers = rights or (True, False)
        if not verdict.ok:
            return Shown(False, f"the ledger is broken: {verdict.reason}")
        if not has_triggers:
            return Shown(False, "a trigger that keeps the ledger append-only is missing or switched off")
        how = "its triggers refuse changes" if may_change else "the application may not change it"
        return Shown(True, f"its end was verified just now ({verdict.rows} rows), and {how}")

    async def reviews(self, _: str, __: Folder) -> Shown:
        """Look for somebody who may judge."""
        roles = _roles_with(Permission.TURN_REVIEW)
        count = await self._count(_ACTIVE, roles)
        if not count:
            return Shown(False, "no active account may judge turns (role reviewer)")
        return Shown(True, f"{count} active accounts may judge turns")

    async def restricts(self, _: str, folder: Folder) -> Shown:
        """Look for workflows that act for anybody, and for somebody who rules over accounts."""
        for_anybody = [
            name
            for name, workflow in sorted(folder.workflows.items())
            if not any(slot.from_customer is not None for slot in workflow.slots)
            and not any(check.require is not None for check in workflow.checks)
        ]
        if for_anybody:
            return Shown(
                False,
                f"workflow '{for_anybody[0]}' acts for anybody: it takes no verified claim (`from_customer`) "
                "and no check requires anything",
            )
        if not await self._count(_ACTIVE, _roles_with(Permission.ACCOUNT_MANAGE)):
            return Shown(False, "no active account may give and take roles (role admin)")
        staff = await self._count(_ACTIVE, [role.value for role in Role])
        return Shown(
            True,
            f"{staff} active accounts act by their roles; each of {len(folder.workflows)} workflows takes a "
            "verified claim or requires something of the system of record",
        )

    async def has_evidence(self, release_id: str, folder: Folder) -> Shown:
        """Count the passages that answers may stand on."""
        count = await self._count(_PASSAGES, release_id)
        if not count:
            return Shown(False, "the release has no knowledge")
        least = folder.guardrails.evidence.answer_from
        return Shown(True, f"{count} passages; one needs a score of {least} to be answered from")

    async def _count(self, statement: str, *parameters: object) -> int:
        async with self._database.read() as session:
            row = await session.one(statement, list(parameters))
        return int(row[0]) if row else 0


def _roles_with(permission: Permission) -> Sequence[str]:
    return [role.value for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions]
