"""How well generated points cover known modes: the three scores of PacGAN's tables (Lin et al. 2018, section 4.1; 2,500 points there).

The first two are VEEGAN's (Srivastava et al. 2017). Points are ``(N, D)``, modes ``(M, D)``, in the same units; both may be
anything that numpy takes. All raise UserError for other shapes, for no points at all, and for points that are not finite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from translate import UserError

#: A point is good up to this many standard deviations from its nearest mode.
WITHIN = 3.0


def modes_found(samples: ArrayLike, modes: ArrayLike, std: float) -> int:
    """How many modes are the nearest of at least one good point: 0…M.

    >>> modes_found([[0.0, 0.0], [0.1, 0.0], [7.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]], std=0.1)
    1
    """
    nearest, distances = _nearest(samples, modes)
    return len(np.unique(nearest[distances <= WITHIN * std]))


def high_quality(samples: ArrayLike, modes: ArrayLike, std: float) -> float:
    """The share of good points, which lie within 3 ``std`` of a mode: 0…1.

    Points drawn from Gaussians around the modes themselves score 1 - exp(-4.5), 98.9 %, in the plane.

    >>> high_quality([[0.0, 0.0], [0.1, 0.0], [7.0, 0.0], [2.0, 0.2]], [[0.0, 0.0], [2.0, 0.0]], std=0.1)
    0.75
    """
    _, distances = _nearest(samples, modes)
    return float(np.mean(distances <= WITHIN * std))


def reverse_kl(samples: ArrayLike, modes: ArrayLike) -> float:
    """KL(generated || real) over the modes, in nats: 0 where each has as many points, log M where one has them all.

    Every point, good or not, counts for its nearest mode; the real points are taken to be spread evenly. Even a perfect sampler
    scores about (M - 1) / 2N, for chance spreads its N points unevenly.

    >>> round(reverse_kl([[0.0], [0.1], [0.2], [2.1]], [[0.0], [2.0]]), 4)  # 3/4 log(3/2) + 1/4 log(1/2)
    0.1308
    """
    nearest, _ = _nearest(samples, modes)
    count = len(np.asarray(modes))
    shares = np.bincount(nearest, minlength=count) / len(nearest)
    shares = shares[shares > 0]  # p log p is 0 at 0
    return max(0.0, float(np.sum(shares * np.log(shares * count))))


def _nearest(samples: ArrayLike, modes: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest mode of each sample and the Euclidean distance to it: (N,) both."""
    points, centres = np.asarray(samples, np.float64), np.asarray(modes, np.float64)
    if points.ndim != 2 or centres.ndim != 2 or points.shape[1] != centres.shape[1] or not points.size or not centres.size:
        raise UserError(
            f"Points of shape {points.shape} cannot be scored on modes of shape {centres.shape}; give (N, D) and (M, D)."
        )
    if not np.isfinite(points).all():
        raise UserError(f"{int((~np.isfinite(points)).any(axis=1).sum())} of {len(points)} points to be scored are not finite.")
    distances: NDArray[np.float64] = np.linalg.norm(points[:, None] - centres, axis=2)
    return distances.argmin(axis=1), distances.min(axis=1)
