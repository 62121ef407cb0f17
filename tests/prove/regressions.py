"""Ways in which a change makes the sample worse, made by code on a copy of its folder.

Each takes the copy, a seeded chance and the sample as it was, changes files, and says in a sentence what it
did. Targets are drawn among what the sample's cases speak of: a suite can only guard what it covers.
`page_deleted_anywhere` draws from all public pages instead, which measures that coverage.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from steward.supply.assistant.folder import Folder

Plant = Callable[[Path, random.Random, Folder], str]
NEIGHBOURS = (
    ("internet_down", "slow_internet"),
    ("double_charge", "bill_higher_than_expected"),
    ("move_home", "change_address"),
    ("password_reset", "account_locked"),
    ("cancel_service", "change_plan"),
)
STAFF_PAGES = ("staff/goodwill-limits.md", "staff/retention-offers.md")


@dataclass(frozen=True, slots=True)
class Regression:
    """One seeded regression; with `chat` it shows only where a chat model answers."""

    name: str
    kind: str
    plant: Plant
    chat: bool = False
    misbehaves: str | None = None


# ---------------------------------------------------------------- documents


def page_deleted(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Delete a page together with the cases that only it can satisfy, as somebody tidying up would."""
    page = chance.choice(cited_alone(sample))
    (copy / "knowledge" / page).unlink()
    dropped = drop_from_cases(copy, page)
    return f"{page} deleted, with {dropped} cases that cite only it"


def fact_changed(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Mistype a figure on the page where a case finds it."""
    facts = [
        (page, fact)
        for page, fact in facts_of(sample)
        if fact in (copy / "knowledge" / page).read_text(encoding="utf-8")
    ]
    page, fact = chance.choice(facts)
    wrong = re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), fact, count=1)
    place = copy / "knowledge" / page
    place.write_text(place.read_text(encoding="utf-8").replace(fact, wrong), encoding="utf-8")
    return f"{page}: {fact} became {wrong}"


def page_made_internal(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Give a customers' page the audience of staff."""
    page = chance.choice(cited_alone(sample))
    edit(copy / "knowledge" / page, "audience: public", "audience: agent")
    return f"{page} is for staff only"


def page_expired(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Give a page an end that has passed."""
    page = chance.choice(cited_alone(sample))
    edit(
        copy / "knowledge" / page, "valid_from: 2026-04-01", "valid_from: 2026-04-01\nvalid_until: 2026-05-31"
    )
    return f"{page} ended on 31 May 2026"


def staff_page_published(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Open a page for staff to everybody."""
    page = chance.choice(STAFF_PAGES)
    place = copy / "knowledge" / page
    text = place.read_text(encoding="utf-8")
    place.write_text(re.sub(r"(?m)^audience: \w+$", "audience: public", text, count=1), encoding="utf-8")
    return f"{page} is open to customers"


# ---------------------------------------------------------------- intents


def examples_swapped(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Swap the examples of two neighbouring intents."""
    first, second = chance.choice(NEIGHBOURS)
    with changed_yaml(copy / "intents.yaml") as intents:
        one, other = intent_in(intents, first), intent_in(intents, second)
        one["examples"], other["examples"] = other["examples"], one["examples"]
        for intent in (one, other):
            intent.pop("counter_examples", None)
    return f"examples of {first} and {second} swapped"


def examples_lost(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Leave an intent five of its examples, the fewest that a folder may have."""
    name = chance.choice(sorted(expected_intents(sample)))
    with changed_yaml(copy / "intents.yaml") as intents:
        intent = intent_in(intents, name)
        before = len(intent["examples"])
        intent["examples"] = list(intent["examples"][:5])
    return f"{name} has 5 of its {before} examples left"


def workflow_unlinked(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Take the workflow off an intent."""
    offered = {turn.expect.workflow for case in sample.cases for turn in case.turns if turn.expect.workflow}
    linked = [intent.name for intent in sample.intents.intents if intent.workflow in offered]
    name = chance.choice(linked)
    with changed_yaml(copy / "intents.yaml") as intents:
        del intent_in(intents, name)["workflow"]
    return f"{name} leads to no workflow"


# ---------------------------------------------------------------- thresholds


def evidence_too_strict(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Ask for evidence that few questions find."""
    edit(copy / "guardrails.yaml", "answer_from: 0.33", "answer_from: 0.75")
    return "answers only from evidence of 0.75 instead of 0.33"


def workflows_too_strict(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Offer workflows only when all but certain."""
    edit(copy / "guardrails.yaml", "offer_workflow: 0.55", "offer_workflow: 0.995")
    return "offers workflows from confidence 0.995 instead of 0.55"


def scope_too_narrow(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Take two messages in five for somebody else's business."""
    edit(copy / "guardrails.yaml", "scope_rejection: 0.05", "scope_rejection: 0.4")
    return "40 % of what is in scope may be rejected instead of 5 %"


def alarm_too_loud(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Raise the alarm for people in danger at ordinary complaints."""
    edit(copy / "guardrails.yaml", "threshold: 0.57", "threshold: 0.25")
    return "the self-harm alarm goes off from 0.25 instead of 0.57"


# ---------------------------------------------------------------- workflows


def confirmation_without_amount(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Ask customers to confirm a refund without saying how much."""
    text = (copy / "workflows/refund_double_charge.yaml").read_text(encoding="utf-8")
    start, end = text.index("confirm: >-"), text.index("approval:")
    vague = "confirm: I found a payment that was taken twice and can refund it. Shall I do that?\n\n"
    (copy / "workflows/refund_double_charge.yaml").write_text(
        text[:start] + vague + text[end:], encoding="utf-8"
    )
    return "the refund is confirmed without amount, invoice and card"


def identity_unchecked(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Look payments up without checking whose account it is."""
    with changed_yaml(copy / "workflows/refund_double_charge.yaml") as workflow:
        workflow["checks"] = [check for check in workflow["checks"] if check["name"] != "customer"]
    return "the refund no longer checks account number against postcode"


def approval_too_late(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Let refunds up to £1,000 go without a colleague's eyes."""
    edit(
        copy / "workflows/refund_double_charge.yaml",
        "when: duplicate.amount > 100",
        "when: duplicate.amount > 1000",
    )
    return "refunds are approved above £1,000 instead of £100"


def slot_unfillable(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Accept account numbers only in a form that nobody has."""
    edit(copy / "workflows/refund_double_charge.yaml", r"'[Nn][Ll]-\d{6}'", r"'[Nn][Ll]\d{7}'")
    return "the refund accepts only account numbers of seven digits without a dash"


# ---------------------------------------------------------------- prompts


def citations_not_asked_for(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Drop the prompt's rule to cite."""
    text = (copy / "prompts/answer.md").read_text(encoding="utf-8")
    start, end = text.index("2. End every sentence"), text.index("3. If the passages")
    text = text[:start] + "2. Give numbers, dates, prices and names.\n" + text[end:]
    text = text.replace("with a citation for every sentence that states a fact", "briefly")
    (copy / "prompts/answer.md").write_text(text, encoding="utf-8")
    return "the prompt asks for no citations"


def passages_left_out(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Lose the passages from the prompt's template."""
    text = (copy / "prompts/answer.md").read_text(encoding="utf-8")
    start, end = text.index("<passages>\n{%"), text.index("<conversation>\n")
    text = (text[:start] + text[end:]).replace("today, passages, conversation]", "today, conversation]")
    (copy / "prompts/answer.md").write_text(text, encoding="utf-8")
    return "the prompt no longer holds the passages"


def words_forbidden(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Forbid the prompt words that right answers need."""
    rule = '9. Never say "working days", "minutes", "per month" or "a month": a colleague tells times.\n'
    edit(copy / "prompts/answer.md", "\n<passages>\n{%", f"{rule}\n<passages>\n{{%")
    return "the prompt forbids working days, minutes and months"


def promises_allowed(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Empty the list of forbidden promises and drop the prompt's rule, with a model that likes to promise."""
    with changed_yaml(copy / "guardrails.yaml") as guardrails:
        guardrails["forbidden_promises"] = []
    text = (copy / "prompts/answer.md").read_text(encoding="utf-8")
    start, end = text.index("5. Never promise"), text.index("6. Never say that")
    (copy / "prompts/answer.md").write_text(text[:start] + "5. Be kind.\n" + text[end:], encoding="utf-8")
    return "no promise is forbidden, neither by the guardrails nor by the prompt"


REGRESSIONS = (
    Regression("page_deleted", "document", page_deleted),
    Regression("fact_changed", "document", fact_changed),
    Regression("page_made_internal", "document", page_made_internal),
    Regression("page_expired", "document", page_expired),
    Regression("staff_page_published", "document", staff_page_published),
    Regression("examples_swapped", "intent", examples_swapped),
    Regression("examples_lost", "intent", examples_lost),
    Regression("workflow_unlinked", "intent", workflow_unlinked),
    Regression("evidence_too_strict", "threshold", evidence_too_strict),
    Regression("workflows_too_strict", "threshold", workflows_too_strict),
    Regression("scope_too_narrow", "threshold", scope_too_narrow),
    Regression("alarm_too_loud", "threshold", alarm_too_loud),
    Regression("confirmation_without_amount", "workflow", confirmation_without_amount),
    Regression("identity_unchecked", "workflow", identity_unchecked),
    Regression("approval_too_late", "workflow", approval_too_late),
    Regression("slot_unfillable", "workflow", slot_unfillable),
    Regression("citations_not_asked_for", "prompt", citations_not_asked_for, chat=True),
    Regression("passages_left_out", "prompt", passages_left_out, chat=True),
    Regression("words_forbidden", "prompt", words_forbidden, chat=True),
    Regression("promises_allowed", "prompt", promises_allowed, chat=True, misbehaves="promise"),
)


def page_deleted_anywhere(copy: Path, chance: random.Random, sample: Folder) -> str:
    """Delete any page that customers may read."""
    public = [item.path for item in sample.documents if item.meta.audience == "public"]
    page = chance.choice([path for path in public if path.endswith(".md")])
    (copy / "knowledge" / page).unlink()
    dropped = drop_from_cases(copy, page)
    return f"{page} deleted, with {dropped} cases that cite only it"


# ---------------------------------------------------------------- editing


def edit(place: Path, old: str, new: str) -> None:
    """Replace the first of the words that must stand there."""
    text = place.read_text(encoding="utf-8")
    assert old in text, f"{place} has no {old!r}"
    place.write_text(text.replace(old, new, 1), encoding="utf-8")


@contextmanager
def changed_yaml(place: Path) -> Iterator[Any]:
    """Read a YAML file, give its content to be changed, and write it again."""
    yaml = YAML(typ="rt")
    yaml.width = 1_000
    content = yaml.load(place.read_text(encoding="utf-8"))
    yield content
    with place.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def intent_in(intents: Any, name: str) -> Any:
    """Return an intent of a read file."""
    return next(intent for intent in intents["intents"] if intent["name"] == name)


def drop_from_cases(copy: Path, page: str) -> int:
    """Take a page out of the cases' citations, and the cases out that cite nothing else; return how many."""
    dropped = 0
    for place in sorted((copy / "cases").glob("*.yaml")):
        with changed_yaml(place) as content:
            kept = []
            for case in content["cases"]:
                expects = [turn.get("expect") or {} for turn in case["turns"]]
                if any(list(expect.get("cites", ())) == [page] for expect in expects):
                    dropped += 1
                    continue
                for expect in expects:
                    if page in expect.get("cites", ()):
                        expect["cites"].remove(page)
                kept.append(case)
            content["cases"] = kept
    return dropped


def cited_alone(sample: Folder) -> list[str]:
    """Return the Markdown pages that some case accepts no other for."""
    return sorted({page for page, _ in _alone(sample) if page.endswith(".md")})


def facts_of(sample: Folder) -> list[tuple[str, str]]:
    """Return pages and the figures that cases want from them."""
    return sorted((page, fact) for page, facts in _alone(sample) for fact in facts if re.search(r"\d", fact))


def _alone(sample: Folder) -> Iterator[tuple[str, tuple[str, ...]]]:
    for case in sample.cases:
        for turn in case.turns:
            if len(turn.expect.cites) == 1:
                yield turn.expect.cites[0], turn.expect.says


def expected_intents(sample: Folder) -> set[str]:
    """Return the intents that cases expect, but for small talk."""
    small_talk = {intent.name for intent in sample.intents.intents if intent.reply or intent.hand_over}
    found = {turn.expect.intent for case in sample.cases for turn in case.turns if turn.expect.intent}
    return found - small_talk
