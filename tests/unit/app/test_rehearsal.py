"""The folders and the plan that are rehearsed with."""

from __future__ import annotations

from importlib.resources import as_file, files

import pytest

from steward.app.rehearsal import (
    CLEARER_QUESTION,
    TOO_SURE,
    demonstration_plan,
    edited,
    make_bad_folder,
    make_good_folder,
)
from steward.improve.rollout.contracts import RolloutKind, Stage
from steward.improve.rollout.gate import masks
from steward.improve.rollout.plan import as_json, from_json, require_sound
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder


@pytest.fixture(scope="module")
def sample() -> Folder:
    """The sample as it is installed."""
    with as_file(files("steward.supply.assistant") / "templates" / "northline") as folder:
        return read_folder(folder)


class TestMakeGoodFolder:
    def test_asks_back_more_clearly_and_changes_nothing_else(self, sample: Folder) -> None:
        good = make_good_folder(sample)

        assert good.guardrails.evidence.ask_back == CLEARER_QUESTION
        assert good.guardrails.risks == sample.guardrails.risks
        assert changed(sample, good) == {"guardrails.yaml"}


class TestMakeBadFolder:
    def test_wants_more_evidence_than_there_is(self, sample: Folder) -> None:
        bad = make_bad_folder(sample)

        assert float(bad.guardrails.evidence.answer_from) == TOO_SURE
        assert changed(sample, bad) == {"guardrails.yaml"}

    def test_masks_as_the_served_folder_does(self, sample: Folder) -> None:
        assert masks(make_bad_folder(sample)) == masks(sample)


class TestEdited:
    def test_keeps_comments(self, sample: Folder) -> None:
        written = edited(sample, ("evidence", "passages"), 3).files["guardrails.yaml"].decode()

        assert "# Never said, whoever wrote it" in written

    def test_gives_the_same_bytes_for_the_same_edit(self, sample: Folder) -> None:
        first, second = (edited(sample, ("evidence", "passages"), 3).files for _ in range(2))

        assert first == second

    def test_refuses_a_value_that_is_not_allowed(self, sample: Folder) -> None:
        with pytest.raises(FolderFaults, match="passages"):
            edited(sample, ("evidence", "passages"), 0)


class TestDemonstrationPlan:
    def test_can_be_followed(self, sample: Folder) -> None:
        plan = demonstration_plan(sample)

        require_sound(plan, kind=RolloutKind.ROLLOUT)
        assert from_json(as_json(plan)) == plan

    def test_leaves_out_what_assigns_nobody(self, sample: Folder) -> None:
        pilot, ramp, full = demonstration_plan(sample).phases

        assert set(pilot.categories) < set(ramp.categories)
        assert "payments_refunds" not in pilot.categories
        assert full.stage is Stage.FULL

    def test_asks_for_an_agreement_once(self, sample: Folder) -> None:
        assert [phase.approval for phase in demonstration_plan(sample).phases] == [None, "operator", None]


def changed(before: Folder, after: Folder) -> set[str]:
    """Return the files that differ."""
    return {path for path in before.files if before.files[path] != after.files.get(path)}
