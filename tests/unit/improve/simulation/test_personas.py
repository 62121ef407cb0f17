from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from steward.improve.simulation.personas import Habits, Population, matters_of, slot_value
from steward.improve.simulation.wording import Style
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.workflow import Slot

CUSTOMERS = 400


class TestPopulation:
    def test_is_the_same_for_the_same_seed(self, sample: Folder) -> None:
        first, second = Population(sample, seed=3), Population(sample, seed=3)

        for number in range(50):
            persona = first.customer(number)
            assert persona == second.customer(number)
            assert first.matter(persona, 0) == second.matter(persona, 0)

    def test_is_another_for_another_seed(self, sample: Folder) -> None:
        first, second = Population(sample, seed=3), Population(sample, seed=4)

        words = [
            [each.matter(each.customer(number), 0).wordings for number in range(20)]
            for each in (first, second)
        ]
        assert words[0] != words[1]

    def test_does_not_depend_on_who_was_asked_before(self, sample: Folder) -> None:
        first, second = Population(sample, seed=3), Population(sample, seed=3)
        for number in range(10):
            first.customer(number)

        assert first.customer(99) == second.customer(99)

    def test_has_every_style_in_its_share(self, population: Population) -> None:
        styles = Counter(population.customer(number).style for number in range(CUSTOMERS))

        assert styles[Style.PLAIN] / CUSTOMERS == pytest.approx(0.4, abs=0.08)
        assert set(styles) == set(Style)

    def test_has_moods_of_mean_0_and_variance_1(self, population: Population) -> None:
        moods = [population.customer(number).mood for number in range(CUSTOMERS)]

        assert sum(moods) / CUSTOMERS == pytest.approx(0, abs=0.15)
        assert sum(mood**2 for mood in moods) / CUSTOMERS == pytest.approx(1, abs=0.2)

    def test_comes_back_with_the_same_matter_as_often_as_its_habits_say(self, sample: Folder) -> None:
        population = Population(sample, seed=5, habits=Habits(same_matter=0.5, wants_agent=0, off_topic=0))

        same = 0
        for number in range(CUSTOMERS):
            persona = population.customer(number)
            same += population.matter(persona, 1) == population.matter(persona, 0)

        assert same / CUSTOMERS == pytest.approx(0.5, abs=0.08)

    def test_wants_a_person_or_something_else_now_and_then(self, sample: Folder) -> None:
        population = Population(sample, seed=5, habits=Habits(wants_agent=0.2, off_topic=0.2))

        matters = [population.matter(population.customer(number), 0) for number in range(CUSTOMERS)]

        assert sum(matter.agent for matter in matters) / CUSTOMERS == pytest.approx(0.2, abs=0.07)
        off_topic = [matter for matter in matters if matter.intent is None and not matter.agent]
        assert len(off_topic) / CUSTOMERS == pytest.approx(0.2, abs=0.07)
        assert all(matter.wordings[0] in sample.intents.out_of_scope for matter in off_topic)


class TestMattersOf:
    def test_are_the_intents_with_their_examples_and_cases(self, sample: Folder) -> None:
        matters = {matter.intent: matter for matter in matters_of(sample)}

        assert "talk_to_human" not in matters
        assert "greeting" not in matters
        double_charge = matters["double_charge"]
        assert set(sample.intent("double_charge").examples) <= set(double_charge.wordings)
        assert "I've been charged twice this month, what happens now?" in double_charge.wordings


class TestValue:
    def test_is_what_the_customer_knows(self, population: Population) -> None:
        persona = population.customer(0)

        value = population.value(persona, "refund_double_charge", "account", Random(1))

        assert value == persona.facts["account"]

    def test_fits_every_slot_of_the_sample(self, population: Population, sample: Folder) -> None:
        for name, workflow in sample.workflows.items():
            for slot in workflow.slots:
                value = population.value(population.customer(1), name, slot.name, Random(1))
                assert value is not None, (name, slot.name)
                if slot.pattern:
                    assert re.fullmatch(slot.pattern, value)
                if slot.choices:
                    assert value in slot.choices

    def test_is_unknown_for_a_slot_that_the_folder_does_not_have(self, population: Population) -> None:
        assert population.value(population.customer(0), None, "shoe_size", Random(1)) is None


class TestSlotValue:
    @pytest.mark.parametrize("kind", ["number", "money", "date", "email", "phone", "yes_no"])
    def test_is_made_up_for_each_type(self, population: Population, kind: str) -> None:
        slot = Slot.model_validate({"name": "any", "title": "Any", "ask": "Which?", "type": kind})

        assert slot_value(slot, population.customer(3), Random(1))

    def test_is_nothing_where_no_made_up_answer_fits(self, population: Population) -> None:
        slot = Slot.model_validate({"name": "any", "title": "Any", "ask": "Which?", "pattern": "[xyz]{40}"})

        assert slot_value(slot, replace(population.customer(3), facts={}), Random(1)) is None
