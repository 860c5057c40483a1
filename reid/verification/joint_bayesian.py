"""Joint Bayesian verification (Chen et al., 'Bayesian Face Revisited', ECCV 2012)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from annotations.errors import InputError
from annotations.files import whole_file
from reid.verification.features import Floats, checked_features, checked_pairs

_SAVED = ("settings", "mean", "between", "within", "directions", "ratios", "steps", "change")
_EPSILON = float(np.finfo(np.float64).eps)


class JointBayesian:
    """Scores pairs by a Gaussian for what identities share and one for what images add.

    A feature is x = mu + epsilon: mu ~ N(0, S_mu) is drawn once per identity and
    epsilon ~ N(0, S_eps) once per image, after the mean of all images was subtracted.

    The covariances are learned by the paper's iteration. Its E-step, equations (7) and (8),
    gives every mu and epsilon its expectation given the images of the identity; its M-step sets
    S_mu = cov(mu) and S_eps = cov(epsilon), here second moments around 0, the model's mean. The
    paper calls this EM-like: exact EM would add the posterior covariance of mu to both. Without
    it the joint density of features, mu and epsilon rises at each step, but the likelihood of
    the features may fall, and S_mu comes out too small: where identities vary less than about
    3 / m as much as images of one identity, of which there are m, it goes to 0. We keep to the
    paper, whose baseline this is. By our choice it starts from the second moment of the
    identities' means and the covariance within identities, as linear discriminant analysis does.

    Args:
        components: principal components to keep before anything else; None for all dimensions.
        tolerance: iteration ends once neither covariance changes by more than this share of its
            Frobenius norm, in coordinates where the covariance within identities is 1; so the
            scale of features does not matter.
        iterations: at most this many.

    Attributes:
        mean: float64 (D,), of the training features.
        between: S_mu, float64 (K, K): K is ``components``, or D without.
        within: S_eps, float64 (K, K).
        directions: float64 (D, R), in which S_eps is 1 and S_mu is ``ratios``; those where S_mu
            is 0 say nothing of a pair and are left out.
        ratios: float64 (R,), above 0.
        steps: iterations that were done.
        change: the last relative change, to compare with ``tolerance``.

    Raises:
        InputError: settings that are out of range.
    """

    mean: Floats
    between: Floats
    within: Floats
    directions: Floats
    ratios: Floats
    steps: int
    change: float

    def __init__(
        self, components: int | None = None, tolerance: float = 1e-4, iterations: int = 100
    ) -> None:
        if components is not None and components < 1:
            raise InputError(f"components: {components}; give 1 or more, or none to keep all")
        if not tolerance >= 0 or iterations < 1:
            raise InputError(
                f"tolerance: {tolerance}, iterations: {iterations}; give 0 or more, and 1 or more"
            )
        self.components, self.tolerance, self.iterations = components, tolerance, iterations

    def fit(self, features: npt.ArrayLike, classes: npt.ArrayLike) -> JointBayesian:
        """Learn mean and covariances, and return itself.

        Args:
            features: floating (N, D).
            classes: (N,), the identity, or model, of each image; numbers or names. One with a
                single image is used, too.

        Raises:
            InputError: lengths that differ, a value or class that is missing, fewer than two
                classes, no class of two images, more components than dimensions, dimensions in
                which images of one class do not differ, or classes that are not told apart.
        """
        x = checked_features(features, "features")
        codes = _codes(classes, len(x))
        self.mean = x.mean(0)
        x = x - self.mean
        reduction = None
        if self.components is not None:
            reduction = _principal(x, self.components)
            x = x @ reduction

        sizes = np.bincount(codes)
        members = csr_array((np.ones(len(x)), (codes, np.arange(len(x)))))
        means = (members @ x) / sizes[:, None]
        x -= means[codes]
        within = x.T @ x / len(x)
        # Columns of inward lead to coordinates where that is 1, those of outward back from them.
        inward, outward = _coordinates(within, means)
        root, added = self._learn(means @ inward, sizes)

        self.ratios, turned, _ = _diagonal(root, added)
        if not self.ratios.size:
            raise InputError(
                "features: S_mu became 0, as classes hardly differ more than their images do; "
                "give more images per class"
            )
        self.directions = inward @ turned
        if reduction is not None:
            self.directions = reduction @ self.directions
        self.between = (outward @ root) @ (outward @ root).T
        self.within = within + outward @ (added - np.eye(len(added))) @ outward.T
        return self

    def score(self, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
        """Return equation (4) for pairs: float64 (P,), higher where they are the same.

        r = a' A a + b' A b - 2 a' G b, with A and G of equations (5) and (6). As in the paper,
        factor and constant of the log-likelihood ratio are left out: r is twice that ratio but
        for a constant, so the threshold is not 0 and must be chosen on training pairs.

        Args:
            a: floating (P, D), one side.
            b: floating (P, D), the other.

        Raises:
            InputError: lengths that differ, other dimensions than in training, or a value that
                is not finite.
        """
        sides = checked_pairs(a, b, len(self.mean))
        first, second = ((side - self.mean) @ self.directions for side in sides)
        # Where S_eps is 1 and S_mu is diagonal, so are A and G.
        a_diagonal = -(self.ratios**2) / ((1 + self.ratios) * (1 + 2 * self.ratios))
        g_diagonal = -self.ratios / (1 + 2 * self.ratios)
        score: Floats = (first**2 + second**2) @ a_diagonal - 2 * (first * second) @ g_diagonal
        return score

    def save(self, path: Path) -> None:
        """Write settings and what was learned as an .npz file, which appears whole."""
        settings = np.array([self.components or 0, self.tolerance, self.iterations])
        learned = {name: getattr(self, name) for name in _SAVED[1:]}
        # A file rather than its name: numpy would put .npz behind another ending.
        with whole_file(path) as aside, aside.open("wb") as file:
            np.savez(file, settings=settings, **learned)

    @classmethod
    def load(cls, path: Path) -> JointBayesian:
        """Read what `save` wrote; it gives the same scores.

        Raises:
            InputError: no such file, or not one that `save` wrote.
        """
        try:
            with np.load(path) as file:
                found = {name: file[name] for name in _SAVED}
        except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile):
            raise InputError(f"{path}: not a saved Joint Bayesian model; fit and save it") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        components, tolerance, iterations = found.pop("settings")
        made = cls(int(components) or None, float(tolerance), int(iterations))
        made.steps, made.change = int(found.pop("steps")), float(found.pop("change"))
        for name, value in found.items():
            setattr(made, name, value)
        return made

    def _learn(self, means: Floats, sizes: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return S_mu and S_eps, (K, R) and (K, K), where the covariance within identities is 1.

        S_mu comes as a root H, H H' = S_mu. Equations (7) and (8) say
        mu = S_mu (S_mu + S_eps / m)^-1 (mean of the m images) and epsilon = x - mu, so the
        identities' means are all that is needed. Directions that make S_mu and S_eps diagonal at
        once turn the inverse for every m into quotients: one decomposition does for all m, and
        one product for all identities.

        Args:
            means: (C, K), of each identity.
            sizes: (C,), images of each.
        """
        one = np.eye(means.shape[1])
        root, within = _root(means.T @ means / len(means)), one
        between = root @ root.T
        weights = np.sqrt(sizes / sizes.sum())[:, None]
        for step in range(1, self.iterations + 1):
            ratios, inward, outward = _diagonal(root, within)
            share = sizes[:, None] * ratios
            share /= 1 + share
            mu = (means @ inward) * share
            root = outward @ _root(mu.T @ mu / len(mu))
            rest = (means - mu @ outward.T) * weights
            old = between, within
            between, within = root @ root.T, one + rest.T @ rest
            self.steps = step
            self.change = max(_change(between, old[0]), _change(within, old[1]))
            if self.change <= self.tolerance:
                break
        return root, within


def _codes(classes: npt.ArrayLike, count: int) -> npt.NDArray[np.int64]:
    """Number the classes from 0: int64 (N,)."""
    given = np.asarray(classes)
    if given.shape != (count,):
        raise InputError(f"classes: shape {given.shape} for {count} rows of features")
    codes, _ = pd.factorize(given)
    if (codes < 0).any():
        raise InputError(f"classes: row {int(codes.argmin())} has none")
    sizes = np.bincount(codes)
    if len(sizes) < 2 or sizes.max() < 2:
        raise InputError(
            f"classes: {len(sizes)} of at most {sizes.max()} images; give two or more, one of them "
            "of two images or more"
        )
    return codes.astype(np.int64)


def _principal(x: Floats, components: int) -> Floats:
    """Return the directions of greatest variance: (D, ``components``)."""
    if components > x.shape[1]:
        raise InputError(f"components: {components} of features of {x.shape[1]} dimensions")
    _, directions = np.linalg.eigh(x.T @ x)
    return directions[:, : -components - 1 : -1]


def _coordinates(within: Floats, means: Floats) -> tuple[Floats, Floats]:
    """Return directions (D, K) in which ``within`` is 1 and that hold all means, and the way back.

    Across all others every identity has mean 0, so S_mu is 0 there, S_eps stays what it is and
    no iteration changes that. With fewer identities than dimensions this makes iterations small.
    """
    values, turn = np.linalg.eigh(within)
    rank = int((values > len(values) * _EPSILON * values[-1]).sum())
    if rank < len(values):
        raise InputError(
            f"features: images of one class differ in {rank} of {len(values)} dimensions only; "
            f"give more images, or components of at most {rank}"
        )
    scale = np.sqrt(values)
    whitened = means @ (turn / scale)
    spread, basis = np.linalg.eigh(whitened.T @ whitened)
    basis = basis[:, spread > len(spread) * _EPSILON * spread[-1]]
    return (turn / scale) @ basis, (turn * scale) @ basis


def _diagonal(root: Floats, within: Floats) -> tuple[Floats, Floats, Floats]:
    """Make S_mu = root root' and S_eps diagonal at once, where S_mu is not 0.

    Directions in which the iteration has brought S_mu to 0, which it does with many, are left
    out here and stay 0, so that the decomposition becomes small. numpy's BLAS alone is used: its
    threads and those of scipy's would fight for the cores.

    Args:
        root: (K, R).
        within: (K, K).

    Returns:
        ratios (S,), directions V (K, S) with V' S_eps V = 1 and V' S_mu V = diag(ratios), and
        S_eps V, which leads back.
    """
    solved = np.linalg.solve(within, root)
    ratios, turn = np.linalg.eigh(root.T @ solved)
    telling = ratios > len(root) * _EPSILON * max(1, ratios.max(initial=0))
    ratios = ratios[telling]
    turn = turn[:, telling] / np.sqrt(ratios)
    return ratios, solved @ turn, root @ turn


def _root(matrix: Floats) -> Floats:
    """Return R with R R' = ``matrix``, which has no eigenvalue below 0 but by rounding."""
    values, turn = np.linalg.eigh(matrix)
    root: Floats = turn * np.sqrt(values.clip(min=0))
    return root


def _change(new: Floats, old: Floats) -> float:
    size = float(np.linalg.norm(old))
    return float(np.linalg.norm(new - old)) / size if size else 0.0
