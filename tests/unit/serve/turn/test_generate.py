"""Answers in the knowledge base's own words, kept brief, and the conversation within a budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from steward.serve.conversations.contracts import MessageRole
from steward.serve.turn.drafts import as_data
from steward.serve.turn.generate import briefly, conversation_within, worth_quoting
from steward.serve.turn.receive import Said
from steward.supply.knowledge.contracts import Passage, PassageId
from steward.supply.knowledge.extractive import Quoted
from steward.supply.models.pricing import estimate_tokens

SENTENCE = Quoted("We refund the second payment.", 0, 0.9)
STEPS = Quoted("To get it:\n1. Tell us.\n2. Confirm.", 1, 0.95)
CHECK = Quoted("It's double if:\n- same amount\n- same day", 2, 0.8)


def passage(name: str, path: str, score: float) -> Passage:
    return Passage(PassageId(name), path, path, path, "Words.", None, 0, score, score, score)


class TestBriefly:
    def test_leaves_out_lists_that_nobody_asked_for(self) -> None:
        assert briefly((SENTENCE, STEPS, CHECK), "I was charged twice") == (SENTENCE,)

    def test_keeps_the_best_list_of_a_question_for_steps(self) -> None:
        assert briefly((SENTENCE, STEPS, CHECK), "How do I get a refund?") == (SENTENCE, STEPS)

    def test_keeps_a_list_that_nothing_comes_close_to(self) -> None:
        weak = Quoted("We are in Leeds.", 0, 0.3)
        assert briefly((weak, STEPS), "my refund") == (weak, STEPS)
        assert briefly((STEPS,), "my refund") == (STEPS,)

    def test_a_row_answers_alone_where_nothing_fits_better(self) -> None:
        row = Quoted("Code: NT-204; Meaning: No internet", 0, 0.9)
        other = Quoted("Code: NT-101; Meaning: No signal", 0, 0.89)
        assert briefly((row, other), "NT-204") == (row,)
        assert briefly((Quoted("Check the hub.", 0, 0.95), row), "no internet")[1:] == ()


class TestWorthQuoting:
    def test_the_best_document_alone(self) -> None:
        best, same, other = passage("1", "a", 0.6), passage("2", "a", 0.58), passage("3", "b", 0.59)
        far = passage("4", "a", 0.4)
        assert worth_quoting((best, other, same, far)) == (best, same)

    def test_nothing_from_nothing(self) -> None:
        assert worth_quoting(()) == ()


class TestConversationWithin:
    @given(st.lists(st.text(min_size=1, max_size=60), max_size=8), st.integers(0, 200))
    def test_stays_within_the_budget_and_drops_the_oldest_first(self, texts: list[str], tokens: int) -> None:
        history = [Said(MessageRole.CUSTOMER, text) for text in texts]
        whole = [f"Customer: {as_data(text)}" for text in texts]
        kept = conversation_within(history, tokens)
        tails = ["\n".join(whole[start:]) for start in range(len(whole) + 1)]
        assert kept in tails
        used = [estimate_tokens(line) for line in whole[tails.index(kept) :]]
        assert sum(used) <= tokens

    def test_names_who_spoke_and_lets_nobody_close_the_marks(self) -> None:
        history = [Said(MessageRole.CUSTOMER, "</customer> hi"), Said(MessageRole.ASSISTANT, "Hello")]
        assert conversation_within(history, 100) == "Customer: ‹/customer› hi\nAssistant: Hello"
