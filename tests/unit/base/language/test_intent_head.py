from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from steward.base.language.contracts import LabelledText, Vectors
from steward.base.language.errors import TooFewExamples, TooFewLabels, UnreadableHead
from steward.base.language.intent_head import IntentHead, train_intent_head
from steward.base.language.minilm import MiniLm


@pytest.fixture(scope="module")
def head(examples: list[LabelledText], vectors: Vectors) -> IntentHead:
    return train_intent_head(examples, vectors)


class TestTrainIntentHead:
    def test_the_same_examples_give_the_same_bytes(
        self, head: IntentHead, examples: list[LabelledText], vectors: Vectors
    ) -> None:
        again = train_intent_head(examples, vectors)
        assert again.to_bytes() == head.to_bytes()
        assert again.digest == head.digest

    def test_five_examples_of_each_label_suffice(
        self, examples: list[LabelledText], vectors: Vectors
    ) -> None:
        few = [place for place in range(len(examples)) if place % 8 < 5]
        small = train_intent_head([examples[place] for place in few], vectors[few])
        rest = [place for place in range(len(examples)) if place % 8 >= 5]
        right = [
            small.predict(examples[place].text, vectors[place]).label == examples[place].label
            for place in rest
        ]
        assert np.mean(right) >= 0.75

    def test_a_label_with_one_example_is_refused(self) -> None:
        lonely = [LabelledText("a", "x"), LabelledText("b", "x"), LabelledText("c", "y")]
        with pytest.raises(TooFewExamples, match="'y' has 1 examples; training needs at least 2"):
            train_intent_head(lonely, np.eye(3, 4, dtype=np.float32))

    def test_a_single_label_is_refused(self) -> None:
        with pytest.raises(TooFewLabels, match="at least two labels; 1 given"):
            train_intent_head([LabelledText("a", "x")] * 3, np.eye(3, 4, dtype=np.float32))

    def test_asking_for_more_rejection_raises_the_threshold(
        self, examples: list[LabelledText], vectors: Vectors
    ) -> None:
        strict = train_intent_head(examples, vectors, scope_rejection=0.3)
        lenient = train_intent_head(examples, vectors, scope_rejection=0.01)
        assert strict.threshold > lenient.threshold

    def test_out_of_scope_texts_lower_the_score_of_their_like(
        self, head: IntentHead, examples: list[LabelledText], vectors: Vectors, model: MiniLm
    ) -> None:
        texts = ["what will the weather be tomorrow", "is it going to rain at the weekend"]
        warned = train_intent_head(
            examples, vectors, out_of_scope=texts, out_of_scope_vectors=model.vectors(texts)
        )
        asked = "will it rain tomorrow"
        (vector,) = model.vectors([asked])
        assert warned.predict(asked, vector).in_scope < head.predict(asked, vector).in_scope


class TestPredict:
    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("my bank shows the payment two times", "double_charge"),
            ("interent not workng at all", "internet_down"),
            ("I'd like to quit my plan", "cancel_contract"),
            ("pasword forgotten", "reset_password"),
        ],
    )
    def test_finds_the_label_of_a_new_wording(
        self, head: IntentHead, model: MiniLm, text: str, label: str
    ) -> None:
        found = head.predict(text, model.vectors([text])[0])
        assert found.label == label

    def test_new_wordings_are_in_scope(self, head: IntentHead, model: MiniLm) -> None:
        texts = ["my bank shows two payments", "the internet at home is not working", "end my plan"]
        for text, vector in zip(texts, model.vectors(texts), strict=True):
            assert not head.predict(text, vector).out_of_scope

    def test_ranks_three_labels_by_probability(self, head: IntentHead, model: MiniLm) -> None:
        text = "I was charged twice and want to cancel"
        found = head.predict(text, model.vectors([text])[0])
        confidences = [scored.confidence for scored in found.ranked]
        assert len(confidences) == 3
        assert confidences == sorted(confidences, reverse=True)
        assert 0 < sum(confidences) <= 1

    def test_other_topics_are_out_of_scope(
        self, head: IntentHead, model: MiniLm, off_topic: list[str]
    ) -> None:
        rejected = [
            head.predict(text, vector).out_of_scope
            for text, vector in zip(off_topic, model.vectors(off_topic), strict=True)
        ]
        assert np.mean(rejected) >= 0.8

    def test_a_text_without_any_known_word_is_no_fault(self, head: IntentHead, model: MiniLm) -> None:
        for text in ["", "我的网络断了", "\x00\ud800"]:
            assert 0 <= head.predict(text, model.vectors([text])[0]).confidence <= 1

    def test_needs_neither_scikit_learn_nor_scipy(self, head: IntentHead) -> None:
        code = (
            "import sys, numpy as np\n"
            "from steward.base.language.intent_head import IntentHead\n"
            "head = IntentHead.from_bytes(sys.stdin.buffer.read())\n"
            "head.predict('my internet is down', np.ones(384, np.float32))\n"
            "assert not {'sklearn', 'scipy', 'onnx', 'onnxruntime'} & set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", code], input=head.to_bytes(), check=True, timeout=60)


class TestFromBytes:
    def test_a_read_head_predicts_the_same(
        self, head: IntentHead, examples: list[LabelledText], vectors: Vectors
    ) -> None:
        read = IntentHead.from_bytes(head.to_bytes())
        assert read.digest == head.digest
        assert read.labels == head.labels
        for example, vector in zip(examples, vectors, strict=True):
            assert read.predict(example.text, vector) == head.predict(example.text, vector)

    @pytest.mark.parametrize("data", [b"", b"not a head", b"PK\x03\x04broken"])
    def test_other_bytes_are_refused(self, data: bytes) -> None:
        with pytest.raises(UnreadableHead, match="Train it again"):
            IntentHead.from_bytes(data)
