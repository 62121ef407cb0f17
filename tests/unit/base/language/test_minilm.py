from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from steward.base.language.minilm import MiniLm, minilm_digest, open_minilm
from steward.base.language.numeric_form import NumericForm
from steward.base.language.weights import WeightFiles

# 32 texts and their vectors from the reference implementation (torch 2.13, transformers 5.23: mean of
# the last hidden states over tokens, length one, cut at 256 tokens).
REFERENCE = Path(__file__).parent / "reference_vectors.npz"


def deviations(model: MiniLm) -> NDArray[np.float64]:
    with np.load(REFERENCE) as reference:
        expected = reference["vectors"].astype(np.float64)
        found = model.vectors([str(text) for text in reference["texts"]])
    return np.asarray(1 - (found * expected).sum(axis=1), np.float64)


class TestOpenMinilm:
    def test_eight_bits_stay_within_a_hundredth_of_the_reference(self, model: MiniLm) -> None:
        found = deviations(model)
        assert found.max() < 0.01
        assert found.mean() < 0.003

    def test_full_precision_gives_the_reference(self, weight_files: WeightFiles, graph_cache: Path) -> None:
        exact = open_minilm(weight_files, graph_cache, form=NumericForm.EXACT)
        assert deviations(exact).max() < 1e-5

    def test_a_damaged_graph_is_built_again(
        self, model: MiniLm, weight_files: WeightFiles, graph_cache: Path
    ) -> None:
        path = graph_cache / f"minilm-{minilm_digest(NumericForm.INT8)[:16]}.onnx"
        whole = path.read_bytes()
        path.write_bytes(whole[:1000])
        again = open_minilm(weight_files, graph_cache)
        assert path.read_bytes() == whole
        np.testing.assert_array_equal(again.vectors(["my bill"]), model.vectors(["my bill"]))


class TestVectors:
    def test_have_length_one_also_for_empty_and_endless_texts(self, model: MiniLm) -> None:
        found = model.vectors(["", "   ", "word " * 5000, "\ud800 half a surrogate", "🙂"])
        assert found.shape == (5, 384)
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)

    def test_no_texts_give_no_vectors(self, model: MiniLm) -> None:
        assert model.vectors([]).shape == (0, 384)

    def test_do_not_depend_on_the_rest_of_the_batch(self, model: MiniLm) -> None:
        texts = [f"invoice {number} " + "and again " * number for number in range(40)]
        together = model.vectors(texts)
        alone = np.concatenate([model.vectors([text]) for text in texts])
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_are_the_same_every_time(self, model: MiniLm) -> None:
        texts = ["I was charged twice", "agent"]
        np.testing.assert_array_equal(model.vectors(texts), model.vectors(texts))

    def test_similar_meaning_is_nearer_than_other_meaning(self, model: MiniLm) -> None:
        twice, double, weather = model.vectors(
            ["I was charged twice", "my card was billed two times", "will it rain tomorrow"]
        )
        assert twice @ double > twice @ weather + 0.3


class TestMinilmDigest:
    def test_differs_between_numeric_forms(self) -> None:
        assert minilm_digest(NumericForm.INT8) != minilm_digest(NumericForm.EXACT)

    def test_is_the_opened_models_digest(self, model: MiniLm) -> None:
        assert model.digest == minilm_digest(NumericForm.INT8)


@pytest.mark.parametrize("form", list(NumericForm))
def test_every_form_has_a_digest_of_64_digits(form: NumericForm) -> None:
    assert len(minilm_digest(form)) == 64
