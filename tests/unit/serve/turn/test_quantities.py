"""Numbers compared as what they measure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.serve.turn.quantities import known_in, missing_quantity, quantities_in


def given_in(said: str, evidence: str) -> bool:
    return missing_quantity(said, [known_in(evidence)]) is None


class TestMissingQuantity:
    @pytest.mark.parametrize(
        ("said", "evidence"),
        [
            ("It costs £12.50.", "It is 12.50 pounds a month."),
            ("You pay 50p.", "£0.50 each"),
            ("That's £1,000.", "1000 pounds"),
            ("Up to £10k.", "£10,000 at most"),
            ("two weeks", "14 days"),
            ("14 days", "a fortnight"),
            ("twenty-one days", "three weeks"),
            ("24 hours", "one day"),
            ("a 12-month contract", "a contract of a year"),
            ("3 to 5 business days", "3 to 5 working days"),
            ("On 3 March it ends.", "until 03/03"),
            ("On March 3rd, 2026.", "3/3/2026"),
            ("By 3 March.", "on 3 March 2026"),
            ("On 2026-03-03.", "3 March 2026"),
            ("5 percent", "5 per cent"),
            ("5 to 10%", "between 5% and 10%"),
            ("at 9am", "from 09:00 to 17:00"),
            ("at 2.30pm", "14:30"),
            ("500MB", "500 MB"),
            ("£12.50", "Price: 12.50"),
            ("for INV-123456", "your invoice INV-123456"),
            ("We answer 24/7.", "open 24/7"),
            ("on Mondays", "closed on Monday"),
            ("You get a hundred pounds.", "£100 off"),
            ("two hundred pounds", "£200"),
            ("one hundred and twenty days", "120 days"),
            ("three thousand pounds", "£3,000"),
            ("twelve hundred pounds", "£1,200"),
            ("£3 million", "3,000,000 pounds"),
            ("3 million euros", "€3m"),
            ("two thousand customers", "2,000 customers"),
            ("half an hour", "30 minutes"),
            ("two and a half weeks", "2.5 weeks"),
        ],
    )
    def test_the_same_in_another_form_is_there(self, said: str, evidence: str) -> None:
        assert given_in(said, evidence)

    @pytest.mark.parametrize(
        ("said", "evidence"),
        [
            ("It takes 5 days.", "3 to 5 working days"),
            ("You get a hundred pounds.", "You get £1 back."),
            ("You get two hundred pounds.", "£100 off"),
            ("You get three thousand pounds.", "£3 off"),
            ("It costs one hundred and twenty pounds.", "£20"),
            ("It costs a thousand pounds.", "£1"),
            ("five hundred of them", "5 of them"),
            ("within half an hour", "within an hour"),
            ("one year", "half a year"),
            ("It takes 7 working days.", "3 to 5 working days"),
            ("It costs £12.50.", "12.50 GB of data"),
            ("It costs $12.50.", "£12.50"),
            ("One week.", "14 days"),
            ("30 days", "a month"),
            ("On 3 March 2026.", "on 3 March"),
            ("On 4 March.", "on 3 March"),
            ("At 9pm.", "at 9am"),
            ("6%", "5%"),
            ("The code is F65.", "The code is F56."),
            ("on Sunday", "on Monday"),
        ],
    )
    def test_another_one_is_not(self, said: str, evidence: str) -> None:
        assert not given_in(said, evidence)


class TestQuantitiesIn:
    @given(st.text(max_size=200))
    def test_a_text_gives_what_it_says(self, text: str) -> None:
        assert missing_quantity(text, [known_in(text)]) is None

    @given(st.integers(0, 10**9), st.sampled_from(["£", "$", "€"]))
    def test_an_amount_is_read_in_every_way_of_writing_it(self, amount: int, sign: str) -> None:
        written = {
            quantities_in(form)[0].key
            for form in (f"{sign}{amount}", f"{sign}{amount:,}", f"{sign} {amount}.00")
        }
        assert len(written) == 1

    @given(st.integers(1, 500))
    def test_weeks_are_seven_days(self, weeks: int) -> None:
        assert given_in(f"{weeks} weeks", f"{7 * weeks} days")
