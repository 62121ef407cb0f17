from __future__ import annotations

from dataclasses import replace

import pytest

from steward.improve.simulation.customers import MOST_MESSAGES, Heard, Visit
from steward.improve.simulation.personas import Habits, Matter, Persona, Population, Reaction
from steward.improve.simulation.surveys import Ended
from steward.improve.simulation.wording import Style
from steward.supply.assistant.folder import Folder

REFUND = Matter("double_charge", "payments_refunds", ("charged twice", "two payments", "paid double"))
ACCOUNT = {"account": "NL-204816", "postcode": "NW1 6ZZ"}
ASKED_BACK = Heard("asked", asks=True)


def population_of(folder: Folder, **habits: float | bool) -> Population:
    """Everybody behaves the same but for what a test says."""
    given = {"follow_ups": 0.0, "vanishes": 0.0, "tells": 1.0, "thumbs": 0.0, "accepts": 1.0, "confirms": 1.0}
    return Population(folder, seed=1, habits=Habits(**{**given, **habits}))  # type: ignore[arg-type]


def visit_of(population: Population, *, matter: Matter = REFUND, **persona: object) -> Visit:
    """A plain, patient customer with an account."""
    plain: dict[str, object] = {
        "style": Style.PLAIN,
        "patience": 2,
        "reaction": Reaction.GIVES_UP,
        "facts": ACCOUNT,
    }
    somebody: Persona = replace(population.customer(0), **{**plain, **persona})  # type: ignore[arg-type]
    return Visit(population, somebody, 0, matter=matter)


class TestOpening:
    def test_is_the_first_wording(self, sample: Folder) -> None:
        assert visit_of(population_of(sample)).opening() == "charged twice"

    def test_asks_for_a_person_where_that_is_the_matter(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample), matter=Matter(None, None, (), agent=True))
        visit.opening()

        assert visit.hear(Heard("handed_over")) is None
        assert visit.farewell().experience.ended is Ended.REACHED_HUMAN


class TestHear:
    def test_leaves_content_after_an_answer(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample))
        visit.opening()

        assert visit.hear(Heard("answered", intent="double_charge")) is None
        farewell = visit.farewell()
        assert farewell.experience.ended is Ended.ANSWERED
        assert farewell.resolved is True

    def test_goes_through_a_workflow(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, may_act=True))
        visit.opening()

        offered = Heard(
            "answered", intent="double_charge", workflow="refund_double_charge", action="proposed"
        )
        assert visit.hear(offered) in ("yes", "yes please")
        assert visit.hear(Heard("asked", asks=True, slot="account")) == "NL-204816"
        assert visit.hear(Heard("asked", asks=True, slot="postcode")) == "NW1 6ZZ"
        assert visit.hear(Heard("asked", asks=True, action="confirming")) in ("yes", "yes please")
        assert visit.hear(Heard("acted", action="done")) is None
        assert visit.farewell().experience.ended is Ended.ACTED

    def test_never_confirms_where_nothing_may_happen(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, may_act=False))
        visit.opening()

        assert visit.hear(Heard("asked", asks=True, action="confirming")) in ("no", "no thanks")

    def test_declines_an_offer_and_leaves(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, accepts=0.0))
        visit.opening()

        assert visit.hear(Heard("answered", intent="double_charge", action="proposed")) in ("no", "no thanks")
        assert visit.hear(Heard("answered", intent="greeting", action="cancelled")) is None
        assert visit.farewell().experience.ended is Ended.ANSWERED

    def test_puts_it_in_other_words_when_asked_back(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample))
        visit.opening()

        assert visit.hear(ASKED_BACK) == "two payments"

    @pytest.mark.parametrize(
        ("reaction", "messages", "ended"),
        [(Reaction.GIVES_UP, 2, Ended.GAVE_UP), (Reaction.COMPLAINS, 3, Ended.GAVE_UP)],
    )
    def test_loses_patience(self, sample: Folder, reaction: Reaction, messages: int, ended: Ended) -> None:
        visit = visit_of(population_of(sample), reaction=reaction)
        said = [visit.opening()]

        while (words := visit.hear(ASKED_BACK)) is not None:
            said.append(words)

        assert len(said) == messages
        experience = visit.farewell().experience
        assert experience.ended is ended
        assert experience.complained is (reaction is Reaction.COMPLAINS)

    def test_asks_for_a_person_when_patience_is_over(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample), reaction=Reaction.ASKS_FOR_AGENT, patience=1)
        visit.opening()

        asking = visit.hear(ASKED_BACK)

        assert asking is not None
        assert asking not in REFUND.wordings
        assert visit.hear(Heard("handed_over")) is None
        assert visit.farewell().experience.ended is Ended.REACHED_HUMAN

    def test_tells_a_hand_over_that_nobody_asked_for(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample))
        visit.opening()
        visit.hear(Heard("handed_over"))

        assert visit.farewell().experience.ended is Ended.HANDED_OVER

    def test_notes_slow_answers(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample))
        visit.opening()
        visit.hear(Heard("answered", intent="double_charge", waited_s=5.0))

        assert visit.farewell().experience.slow_s == pytest.approx(2.0)

    def test_ends_in_any_case(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, may_act=True))
        visit.opening()
        confirming = Heard("asked", asks=True, action="confirming")

        said = 1
        while visit.hear(confirming) is not None:
            said += 1

        assert said == MOST_MESSAGES


class TestThumb:
    def test_is_down_for_an_answer_to_something_else(self, sample: Folder) -> None:
        population = population_of(sample, thumbs=1.0)
        thumbs = set()
        for number in range(30):
            visit = Visit(population, replace(population.customer(number), patience=3), 0, matter=REFUND)
            visit.opening()
            visit.hear(Heard("answered", intent="late_fee"))
            thumbs.add(visit.thumb())

        assert thumbs == {"up", "down"}

    def test_is_pressed_for_answers_only(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, thumbs=1.0))
        visit.opening()
        visit.hear(ASKED_BACK)

        assert visit.thumb() is None


class TestFarewell:
    def test_may_be_without_a_word(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, vanishes=1.0))
        visit.opening()
        visit.hear(Heard("answered", intent="double_charge"))

        farewell = visit.farewell()
        assert not farewell.closes
        assert farewell.resolved is None

    def test_never_leaves_anybody_at_the_desk_waiting(self, sample: Folder) -> None:
        visit = visit_of(population_of(sample, vanishes=1.0))
        visit.opening()
        visit.hear(Heard("handed_over"))

        assert visit.farewell().closes
