from __future__ import annotations

import numpy as np
import pytest

from steward.base.language.calibration import Calibration, calibration_error, fit_calibration


class TestFitCalibration:
    def test_recovers_the_calibration_that_made_the_labels(self) -> None:
        generator = np.random.default_rng(5)
        scores = generator.uniform(-0.1, 0.9, size=(6000, 4))
        shares = Calibration(sharpness=3.0, floor=0.1).probabilities(scores)
        truth = (shares.cumsum(axis=1) > generator.uniform(size=(6000, 1))).argmax(axis=1)
        fitted = fit_calibration(scores, truth)
        assert np.abs(fitted.probabilities(scores) - shares).mean() < 0.01

    def test_the_order_of_labels_stays(self) -> None:
        scores = np.array([[0.1, 0.7, 0.2], [0.3, -0.4, 0.1]])
        shares = Calibration(sharpness=4.0, floor=0.1).probabilities(scores)
        assert shares.argmax(axis=1).tolist() == [1, 0]
        np.testing.assert_allclose(shares.sum(axis=1), 1)


class TestCalibrationError:
    def test_is_zero_where_confidence_is_accuracy(self) -> None:
        confidences = np.full(100, 0.8)
        assert calibration_error(confidences, np.arange(100) < 80) == pytest.approx(0)

    def test_is_the_gap_where_it_is_not(self) -> None:
        assert calibration_error(np.full(10, 0.95), np.arange(10) < 5) == pytest.approx(0.45)

    def test_full_confidence_falls_into_the_last_bin(self) -> None:
        assert calibration_error(np.array([1.0]), np.array([True])) == pytest.approx(0)
