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
    """Coefficients (labels, texts), and held-out scores (held-out texts, labels)."""

    coefficients: Floats
    held_out_scores: Floats


def fit_ridge(kernel: Floats, targets: Floats, *, penalty: float, held_out: int) -> RidgeFit:
    """Solve for the coefficients and predict each of the last `held_out` texts from all others.

    The held-out texts stand last because the factor's inverse is triangular: what is needed of its last
    columns comes from its last block alone.

    Args:
        kernel: shape (texts, texts), of which the lower triangle is read; overwritten.
        targets: shape (texts, labels).
        penalty: λ.
        held_out: how many texts to leave out one at a time.
    """
    from scipy.linalg import cholesky, solve_triangular
    from scipy.linalg.lapack import strtri

    kernel[np.diag_indices(len(kernel))] += penalty
    # LAPACK works in columns: the lower triangle of rows is its upper triangle of columns, in place.
    factor: NDArray[Any] = cholesky(kernel.T, lower=False, overwrite_a=True, check_finite=False).T
    half = solve_triangular(factor, targets, lower=True, check_finite=False)
    coefficients = solve_triangular(factor, half, lower=True, trans="T", check_finite=False)
    first = len(kernel) - held_out
    inverse, _ = strtri(np.asfortranarray(factor[first:, first:]), lower=1, overwrite_c=1)
    # The diagonal of the inverse: squared lengths of the columns of the factor's inverse.
    diagonal = np.einsum("ij,ij->j", np.tril(inverse), np.tril(inverse))
    scores = targets[first:] - coefficients[first:] / diagonal[:, None]
    return RidgeFit(np.ascontiguousarray(coefficients.T, np.float32), scores.astype(np.float32))
