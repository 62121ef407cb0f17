"""Shared by the language tests: the real model, and a small labelled set with vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from steward.base.language.contracts import LabelledText, Vectors
from steward.base.language.minilm import MiniLm, open_minilm
from steward.base.language.weights import WeightFiles, find_weights

TOPICS = {
    "double_charge": [
        "I was charged twice this month",
        "you took the money two times",
        "there is a duplicate payment on my account",
        "why was my card billed twice",
        "the same invoice was paid double",
        "two identical charges on my statement",
        "I see a second charge for the same bill",
        "my payment went through twice",
    ],
    "internet_down": [
        "my internet is down",
        "no connection since this morning",
        "the router has a red light and no wifi",
        "I can't get online at home",
        "broadband stopped working",
        "the connection drops every few minutes",
        "there's no internet in the whole house",
        "wifi is connected but nothing loads",
    ],
    "cancel_contract": [
        "I want to cancel my contract",
        "how do I terminate my plan",
        "please end my subscription",
        "I'd like to leave and close my account",
        "what is the notice period for cancelling",
        "stop my contract at the end of the month",
        "cancel everything please",
        "I am moving abroad and need to end the contract",
    ],
    "reset_password": [
        "I forgot my password",
        "how can I reset my login",
        "the password link doesn't work",
        "can't sign in to my account",
        "I need a new password",
        "my login is locked after three attempts",
        "send me the password reset mail again",
        "change my password please",
    ],
}
OFF_TOPIC = [
    "what's the weather on Mars",
    "tell me a joke about penguins",
    "who won the chess championship",
    "how do I bake sourdough bread",
    "what is the capital of Mongolia",
    "recommend a book about the Roman empire",
]


@pytest.fixture(scope="session")
def weight_files() -> WeightFiles:
    return find_weights()


@pytest.fixture(scope="session")
def graph_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="session")
def model(weight_files: WeightFiles, graph_cache: Path) -> MiniLm:
    return open_minilm(weight_files, graph_cache)


@pytest.fixture(scope="session")
def examples() -> list[LabelledText]:
    return [LabelledText(text, label) for label, texts in TOPICS.items() for text in texts]


@pytest.fixture(scope="session")
def vectors(model: MiniLm, examples: list[LabelledText]) -> Vectors:
    return model.vectors([example.text for example in examples])


@pytest.fixture(scope="session")
def off_topic() -> list[str]:
    return OFF_TOPIC
