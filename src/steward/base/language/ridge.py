"""Kernel ridge regression on one column per label, with exact leave-one-out predictions.

Solving (K + λI) A = Y takes one Cholesky factor. What the model would say of training text i without
having seen it needs no second training: y_i - a_i / [(K + λI)^-1]_ii (Rasmussen and Williams,
"Gaussian Processes for Machine Learning", 5.4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class RidgeFit:
    """Coefficients (labels, texts), and held-out scores of the texts numbered `held_out`."""

    coefficients: Floats
    held_out: NDArray[np.int64]
    held_out_scores: Floats


def fit_ridge(kernel: Floats, targets: Floats, *, penalty: float, held_out: NDArray[np.int64]) -> RidgeFit:
    """Solve for the coefficients and predict each held-out text from all others.

    Args:
        kernel: shape (texts, texts); overwritten.
        targets: shape (texts, labels).
        penalty: λ.
        held_out: numbers of the texts to leave out one at a time; each costs (texts)² operations.
    """
    from scipy.linalg import cholesky, solve_triangular

    kernel[np.diag_indices(len(kernel))] += penalty
    factor = cholesky(kernel, lower=True, overwrite_a=True, check_finite=False)
    half = solve_triangular(factor, targets, lower=True, check_finite=False)
    coefficients = solve_triangular(factor, half, lower=True, trans="T", check_finite=False)
    # The diagonal of the inverse: squared lengths of the columns of the factor's inverse.
    units = np.zeros((len(kernel), len(held_out)), np.float32)
    units[held_out, np.arange(len(held_out))] = 1
    columns: NDArray[Any] = solve_triangular(factor, units, lower=True, overwrite_b=True, check_finite=False)
    diagonal = np.einsum("ij,ij->j", columns, columns)
    scores = targets[held_out] - coefficients[held_out] / diagonal[:, None]
    return RidgeFit(np.ascontiguousarray(coefficients.T, np.float32), held_out, scores.astype(np.float32))
