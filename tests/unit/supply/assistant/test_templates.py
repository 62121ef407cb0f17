"""The folders that a newcomer starts from: they read without faults and keep the quality they promise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

import steward.supply.assistant.reading
from steward.supply.assistant.folder import DocumentFile, Folder
from steward.supply.assistant.reading import read_folder
from steward.supply.assistant.schema.base import Audience

TEMPLATES = Path(steward.supply.assistant.reading.__file__).parent / "templates"
DRAMA_NUMBERS = re.compile(r"(0808 157 0\d{3}|(0|\+44 )20 7946 0\d{3}|(0|\+44 )7700 900\d{3})\Z")
"""Ranges that Ofcom sets aside for drama."""
REAL_HELP_LINES = {"0800 138 7777", "0808 808 4000", "0800 138 1111", "0800 1111"}
"""MoneyHelper, National Debtline, StepChange and Childline, as a real help centre would name them."""
PHONE = re.compile(r"(?<![\w-])(?:\+44 |0)[\d ]{8,12}\d(?![\w-])")
EMAIL_DOMAIN = re.compile(r"[\w.]+@([\w.-]+\w)")


@cache
def template(name: str) -> Folder:
    """Read a template once for all tests."""
    return read_folder(TEMPLATES / name)


@pytest.fixture
def northline() -> Folder:
    return template("northline")


def plain(message: str) -> str:
    """A message without what hardly changes it."""
    return re.sub(r"[^a-z0-9]+", " ", message.lower()).strip()


def words(document: DocumentFile) -> int:
    return len(document.content.decode().split())


def markdown(folder: Folder) -> Iterator[DocumentFile]:
    return (document for document in folder.documents if document.path.endswith(".md"))


def whole_words(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase.lower())}(?!\w)")


@pytest.mark.parametrize("name", ["northline", "blank"])
class TestEveryTemplate:
    def test_reads_without_faults_and_has_cases(self, name: str) -> None:
        assert template(name).cases

    def test_greets_as_an_automated_assistant_and_names_the_way_to_a_person(self, name: str) -> None:
        greeting = template(name).assistant.greeting
        assert "automated" in greeting
        assert "agent" in greeting

    def test_answers_without_any_key(self, name: str) -> None:
        assistant = template(name).assistant
        providers = {model.name: model.provider for model in assistant.models}
        assert providers[assistant.answer_with[-1]] == "extractive"

    def test_says_things_only_once_in_intents_and_out_of_scope(self, name: str) -> None:
        intents = template(name).intents
        said = [example for intent in intents.intents for example in intent.examples]
        seen = Counter(plain(message) for message in [*said, *intents.out_of_scope])
        assert [message for message, times in seen.items() if times > 1] == []

    def test_every_counter_example_is_an_example_of_the_intent_that_it_belongs_to(self, name: str) -> None:
        intents = template(name).intents.intents
        said = {plain(example) for intent in intents for example in intent.examples}
        stray = [c for intent in intents for c in intent.counter_examples if plain(c) not in said]
        assert stray == [], "one that no intent has would teach the assistant to refuse it"

    def test_has_the_three_intents_that_need_no_knowledge(self, name: str) -> None:
        assert {"greeting", "thanks", "talk_to_human"} <= {i.name for i in template(name).intents.intents}

    def test_every_category_has_a_use_case_with_somebody_accountable(self, name: str) -> None:
        folder = template(name)
        assert folder.governance is not None
        covered = {c for use_case in folder.governance.use_cases for c in use_case.categories}
        assert covered == {category.name for category in folder.intents.categories}

    def test_no_example_of_another_wish_asks_for_a_person(self, name: str) -> None:
        folder = template(name)
        overrides = [whole_words(word) for word in folder.guardrails.override_words]
        taken = [
            example
            for intent in folder.intents.intents
            if not intent.hand_over
            for example in intent.examples
            if any(override.search(example.lower()) for override in overrides)
        ]
        assert taken == []

    def test_no_example_of_an_ordinary_wish_holds_a_certain_phrase_of_a_risk(self, name: str) -> None:
        folder = template(name)
        phrases = [phrase for rule in folder.guardrails.risks for phrase in rule.phrases]
        alarms = [whole_words(phrase) for phrase in [*phrases, *folder.guardrails.injection.phrases]]
        taken = [
            example
            for intent in folder.intents.intents
            for example in intent.examples
            if any(alarm.search(example.lower()) for alarm in alarms)
        ]
        assert taken == []

    def test_no_text_of_a_workflow_or_document_makes_a_forbidden_promise(self, name: str) -> None:
        folder = template(name)
        texts = [document.content.decode() for document in folder.documents]
        for workflow in folder.workflows.values():
            texts += [workflow.offer, workflow.confirm, *workflow.say.model_dump().values()]
        promises = [whole_words(promise) for promise in folder.guardrails.forbidden_promises]
        assert [p.pattern for p in promises for text in texts if p.search(text.lower())] == []


class TestNorthlineIntents:
    def test_are_many_and_each_has_plenty_of_examples(self, northline: Folder) -> None:
        intents = northline.intents.intents
        assert len(intents) >= 28
        assert {intent.name: len(intent.examples) for intent in intents if len(intent.examples) < 22} == {}

    def test_examples_are_short_and_long(self, northline: Folder) -> None:
        lengths = [len(e.split()) for intent in northline.intents.intents for e in intent.examples]
        assert min(lengths) == 1
        assert max(lengths) >= 30
        assert sum(length <= 4 for length in lengths) >= len(lengths) // 10
        assert sum(length >= 12 for length in lengths) >= len(lengths) // 10

    def test_name_what_is_out_of_scope(self, northline: Folder) -> None:
        assert len(northline.intents.out_of_scope) >= 60

    def test_every_workflow_is_offered_by_an_intent_of_its_category(self, northline: Folder) -> None:
        offered = {i.workflow: i.category for i in northline.intents.intents if i.workflow}
        assert set(offered) == set(northline.workflows)
        assert {n: w.category for n, w in northline.workflows.items()} == offered


class TestNorthlineKnowledge:
    def test_has_a_real_help_centres_breadth(self, northline: Folder) -> None:
        areas = Counter(document.path.split("/")[0] for document in northline.documents)
        assert len(northline.documents) >= 44
        assert set(areas) >= {
            "billing",
            "payments",
            "access",
            "internet",
            "tv",
            "mobile",
            "account",
            "offers",
        }

    def test_articles_are_neither_stubs_nor_books(self, northline: Folder) -> None:
        assert {d.path: words(d) for d in markdown(northline) if not 140 <= words(d) <= 500} == {}

    def test_some_pages_are_for_staff_and_one_has_expired(self, northline: Folder) -> None:
        staff = [d for d in northline.documents if d.meta.audience in (Audience.AGENT, Audience.INTERNAL)]
        gone = [
            d for d in northline.documents if d.meta.valid_until and d.meta.valid_until < date(2026, 6, 1)
        ]
        assert len(staff) >= 3
        assert len(gone) == 1

    def test_comes_in_more_than_one_kind_of_file(self, northline: Folder) -> None:
        assert {Path(document.path).suffix for document in northline.documents} == {".md", ".html", ".csv"}

    def test_every_page_has_an_owner_and_a_review_date(self, northline: Folder) -> None:
        bare = [
            d.path for d in northline.documents if not (d.meta.owner and d.meta.review_by and d.meta.title)
        ]
        assert bare == []

    def test_every_public_page_has_an_address_that_matches_its_path(self, northline: Folder) -> None:
        wrong = [
            document.path
            for document in northline.documents
            if document.meta.audience is Audience.PUBLIC
            and document.meta.source
            != "https://help.northline.example/" + document.path.removesuffix(Path(document.path).suffix)
        ]
        assert wrong == []

    def test_links_between_pages_lead_somewhere(self, northline: Folder) -> None:
        root = TEMPLATES / "northline" / "knowledge"
        broken = [
            (document.path, link)
            for document in markdown(northline)
            for link in re.findall(r"\]\(([^)#]+)\)", document.content.decode())
            if not (root / document.path).parent.joinpath(link).is_file()
        ]
        assert broken == []

    def test_the_question_of_the_tour_is_answered_in_the_first_sentence(self, northline: Folder) -> None:
        page = next(d for d in northline.documents if d.path == "billing/charged-twice.md")
        body = page.content.decode().split("\n\n", 2)[1]
        assert body.startswith("If you were charged twice for the same bill, we refund the second payment")


class TestNorthlineInventions:
    def test_phone_numbers_belong_to_nobody_or_to_a_named_help_line(self, northline: Folder) -> None:
        found = {
            number
            for path, content in northline.files.items()
            if not path.startswith("cases/")
            for number in PHONE.findall(content.decode())
        }
        assert found
        assert {n for n in found if not DRAMA_NUMBERS.match(n) and n not in REAL_HELP_LINES} == set()

    def test_mail_addresses_belong_to_nobody(self, northline: Folder) -> None:
        domains = {d for content in northline.files.values() for d in EMAIL_DOMAIN.findall(content.decode())}
        assert domains <= {"northline.example", "mail.example", "phishing.gov.uk"}


class TestNorthlineWorkflows:
    def test_are_at_least_six_and_each_confirms_with_a_question(self, northline: Folder) -> None:
        assert len(northline.workflows) >= 6
        assert [n for n, w in northline.workflows.items() if not w.confirm.rstrip().endswith("?")] == []

    def test_a_refund_confirms_the_very_arguments_that_it_sends(self, northline: Folder) -> None:
        refund = northline.workflows["refund_double_charge"]
        assert "{duplicate.payment}" in refund.confirm
        assert "{duplicate.amount_text}" in refund.confirm
        assert refund.steps[0].arguments["amount"] == "{duplicate.amount}"
        assert refund.once_per == "{duplicate.payment}"

    def test_a_refund_above_100_needs_an_operator(self, northline: Folder) -> None:
        approval = northline.workflows["refund_double_charge"].approval
        assert approval is not None
        assert (approval.when, approval.role) == ("duplicate.amount > 100", "operator")

    def test_everything_begins_with_checking_who_is_writing(self, northline: Folder) -> None:
        first = {name: workflow.checks[0].require for name, workflow in northline.workflows.items()}
        assert set(first.values()) == {"customer.verified"}

    def test_every_write_can_be_looked_up_by_its_key(self, northline: Folder) -> None:
        writes = [
            o for system in northline.connectors.systems for o in system.operations if o.effect == "write"
        ]
        assert writes
        assert [operation.name for operation in writes if operation.find != "outcome_by_key"] == []


class TestNorthlineGuardrails:
    def test_every_risk_has_enough_examples_to_be_met_by_meaning(self, northline: Folder) -> None:
        few = {r.name: len(r.examples) for r in northline.guardrails.risks if not 12 <= len(r.examples) <= 20}
        assert few == {}
        assert len(northline.guardrails.injection.examples) >= 25

    def test_somebody_in_danger_hears_the_number_and_gets_a_person_first(self, northline: Folder) -> None:
        rule = next(rule for rule in northline.guardrails.risks if rule.name == "self_harm")
        assert (rule.action, rule.priority) == ("hand_over", "urgent")
        assert "116 123" in rule.reply
        assert "999" in rule.reply

    def test_every_high_risk_of_the_matrix_names_a_control(self, northline: Folder) -> None:
        assert northline.governance is not None
        risks = northline.governance.risks
        assert len(risks) >= 8
        assert [r.name for r in risks if r.likelihood * r.impact >= 10 and not r.controls] == []


class TestNorthlineCases:
    def test_are_many_and_each_has_a_name_of_its_own(self, northline: Folder) -> None:
        names = Counter(case.name for case in northline.cases)
        assert len(names) >= 62
        assert max(names.values()) == 1

    def test_cite_pages_that_a_customer_may_see(self, northline: Folder) -> None:
        public = {d.path for d in northline.documents if d.meta.audience is Audience.PUBLIC}
        cited = {path for case in northline.cases for turn in case.turns for path in turn.expect.cites}
        assert cited <= public

    def test_cover_every_workflow_that_a_visitor_is_most_likely_to_try(self, northline: Folder) -> None:
        tried = {turn.expect.workflow for case in northline.cases for turn in case.turns}
        assert {"refund_double_charge", "send_invoice_copy", "reset_password", "restart_line"} <= tried

    def test_are_not_learnt_by_heart(self, northline: Folder) -> None:
        learnt = {plain(e) for intent in northline.intents.intents for e in intent.examples}
        asked = [
            turn.customer
            for case in northline.cases
            for turn in case.turns
            if turn.expect.cites and len(turn.customer.split()) > 3 and not case.customer
        ]
        assert [message for message in asked if plain(message) in learnt] == []
