from __future__ import annotations

import numpy as np

from steward.base.language.ridge import fit_ridge


class TestFitRidge:
    def test_leaving_one_out_equals_training_without_it(self) -> None:
        generator = np.random.default_rng(2)
        points = generator.normal(size=(12, 3))
        kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2)).astype(np.float32)
        targets = generator.normal(size=(12, 2)).astype(np.float32)
        fit = fit_ridge(kernel.copy(), targets, penalty=0.1, held_out=8)
        for place in (4, 7, 11):
            others = np.arange(12) != place
            without = fit_ridge(
                kernel[np.ix_(others, others)].copy(), targets[others], penalty=0.1, held_out=0
            )
            expected = without.coefficients @ kernel[others, place]
            np.testing.assert_allclose(fit.held_out_scores[place - 4], expected, atol=1e-3)
