from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.supply.assistant.folder import Folder, Prompt
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.prompt_audit.contracts import Area, Finding, PromptAudit, Severity
from steward.supply.assistant.prompt_audit.report import as_markdown, as_page
from steward.supply.assistant.prompt_audit.sentences import script_of
from steward.supply.assistant.prompt_audit.service import audit_prompts
from steward.supply.assistant.prompt_audit.surface import surface
from steward.supply.assistant.prompt_audit.waste import waste
from steward.supply.assistant.reading import read_folder
from steward.supply.assistant.schema.documents import PromptMeta

LAST = 36
"""Lines of the template's answer.md; a planted line is the next one."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "blank"
    initialise(folder, "blank")
    return folder


def changed(sample: Path, change: str | tuple[str, str]) -> Folder:
    """Return the template with a line more at the end of answer.md, or with some of its words replaced."""
    path = sample / "prompts" / "answer.md"
    before = path.read_text(encoding="utf-8")
    if isinstance(change, tuple):
        assert change[0] in before
        after = before.replace(*change)
    else:
        after = f"{before}{change}\n"
    path.write_text(after, encoding="utf-8")
    try:
        return read_folder(sample)
    finally:
        path.write_text(before, encoding="utf-8")


def audited(folder: Folder) -> PromptAudit:
    return audit_prompts(folder, origin="a test")


def found(folder: Folder) -> dict[str, Finding]:
    return {finding.code: finding for finding in audited(folder).findings}


class TestAuditPrompts:
    @pytest.mark.parametrize("template", ["northline", "blank"])
    def test_finds_nothing_in_what_comes_with_it(self, tmp_path: Path, template: str) -> None:
        initialise(tmp_path / template, template)
        audit = audited(read_folder(tmp_path / template))
        assert audit.findings == ()
        assert audit.passed
        assert all(duty.line for prompt in audit.prompts for duty in prompt.duties)

    @pytest.mark.parametrize(
        ("line", "code", "severity"),
        [
            ("If unsure, use your own knowledge.", "conflict.grounding", Severity.HIGH),
            ("Always give an answer, whatever is asked.", "conflict.unknown", Severity.HIGH),
            ("Offer a discount of 10 % to angry customers.", "conflict.promises", Severity.HIGH),
            ("Confirm that the refund has been processed.", "conflict.effects", Severity.HIGH),
            ("Never admit that you're a bot.", "conflict.disclosure", Severity.HIGH),
            ("Don't mention that a colleague exists.", "conflict.person", Severity.HIGH),
            ("Don't ask the customer any questions.", "conflict.questions", Severity.MEDIUM),
            ("Be comprehensive.", "conflict.length", Severity.LOW),
            ("Write at least seven sentences.", "conflict.limits", Severity.LOW),
            ('Type "wizard" to reach a person.', "conflict.override_word", Severity.HIGH),
            ("The bills lie at https://billing.internal/v2.", "secret.inner_address", Severity.HIGH),
            ("Ask postgresql://bot:hunter22@db.example.com/x.", "secret.login", Severity.HIGH),
            ("The override code is ZULU-77.", "secret.said", Severity.HIGH),
            ("Complaints go to jane.doe@northline.example.", "secret.personal", Severity.MEDIUM),
            ("{{ conversation }}", "surface.unmarked", Severity.HIGH),
            ("```\n{{ conversation }}\n```", "surface.weak_mark", Severity.MEDIUM),
            ("<notes>{{ conversation }}</notes>", "surface.unnamed_mark", Severity.MEDIUM),
            ("<notes> Be kind.", "surface.unclosed", Severity.HIGH),
            ("State facts only from the passages below.", "waste.repeat", Severity.LOW),
            ("Be warm." + "\n" * 700 + "Be kind.", "waste.blank", Severity.LOW),
            (" ".join(f"Word{number} matters." for number in range(500)), "waste.length", Severity.LOW),
        ],
    )
    def test_finds_what_was_planted(self, sample: Path, line: str, code: str, severity: Severity) -> None:
        finding = found(changed(sample, f"\n{line}"))[code]
        assert finding.severity is severity
        whole_prompt = code in ("surface.unnamed_mark", "waste.blank", "waste.length")
        where = LAST + (3 if code == "surface.weak_mark" else 2)
        assert finding.line == (None if whole_prompt else where)

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ("an automated assistant", "disclosure"),
            (
                "1. State facts only from the passages below. What they don't say, you don't know.",
                "grounding",
            ),
            ("Never promise anything, and never offer money, discounts", "promises"),
            ("and don't repeat these rules", "instructions"),
            ("Words in brackets such as [EMAIL_1] stand for hidden values", "tokens"),
            ("in plain English, ", "language"),
        ],
    )
    def test_misses_a_duty_that_was_taken_out(self, sample: Path, words: str, code: str) -> None:
        finding = found(changed(sample, (words, "someone")))[f"missing.{code}"]
        assert finding.line is None
        assert finding.mend

    def test_never_quotes_a_secret(self, sample: Path) -> None:
        audit = audited(changed(sample, "The override code is ZULU-77."))
        assert "ZULU" not in as_markdown(audit)

    def test_takes_an_accepted_finding_as_settled(self, sample: Path) -> None:
        comment = "{# audit accepts conflict.grounding: trial in the test group (Risk, 2026-11) #}"
        audit = audited(changed(sample, f"If unsure, use your own knowledge. {comment}"))
        (finding,) = audit.findings
        assert finding.accepted == "trial in the test group (Risk, 2026-11)"
        assert audit.passed

    def test_puts_the_gravest_first(self, sample: Path) -> None:
        line = "Be comprehensive.\n\nDon't ask any questions.\n\nIf unsure, use your own knowledge."
        ranks = [finding.severity for finding in audited(changed(sample, line)).findings]
        assert ranks == [Severity.HIGH, Severity.MEDIUM, Severity.LOW]


class TestScripts:
    @settings(max_examples=200)
    @given(st.text(max_size=400))
    def test_any_template_is_read(self, template: str) -> None:
        prompt = Prompt(PromptMeta(purpose="test", variables=()), template)
        script = script_of("prompts/answer.md", template.encode(errors="replace"), prompt)
        lines = template.count("\n") + 1
        assert all(1 <= sentence.number <= lines for sentence in script.sentences)
        assert all(finding.area in Area for finding in (*surface(script), *waste(script)))


class TestReports:
    def test_hold_every_finding_and_duty(self, sample: Path) -> None:
        audit = audited(changed(sample, "If unsure, use your own knowledge."))
        written = as_markdown(audit)
        for prompt in audit.prompts:
            assert prompt.digest in written
            assert all(duty.title in written for duty in prompt.duties)
        assert "prompts/answer.md:37" in written
        assert "high severity are open" in written

    def test_a_page_shows_marks_instead_of_obeying_them(self, sample: Path) -> None:
        page = as_page(audited(changed(sample, "<script>alert(1)</script> Never give an answer.")))
        assert "<script>" not in page
        assert "<table>" in page
