import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from annotations.errors import InputError
from reid.verification.joint_bayesian import JointBayesian


def identities(seed, sizes, between, within):
    """Features of identities with these numbers of images, and covariances, about a mean."""
    random = np.random.default_rng(seed)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    zero = np.zeros(len(between))
    shared = random.multivariate_normal(zero, between, len(sizes))
    own = random.multivariate_normal(zero, within, len(classes))
    return 5 + shared[classes] + own, classes


def covariance(seed, dimensions, scale=1.0):
    root = np.random.default_rng(seed).normal(size=(dimensions, dimensions + 2))
    return scale * root @ root.T / dimensions


def hidden(images, between, within):
    """E(h | x) of one identity by the paper's P and Sigma_h: mu (D,) and epsilons (m, D)."""
    count, dimensions = images.shape
    one = np.eye(dimensions)
    p = np.hstack([np.tile(one, (count, 1)), np.kron(np.eye(count), one)])
    sigma_h = block_diag(between, *[within] * count)
    sigma_x = p @ sigma_h @ p.T
    h = (sigma_h @ p.T @ np.linalg.inv(sigma_x) @ images.ravel()).reshape(-1, dimensions)
    return h[0], h[1:]


def groups_of(x, classes):
    x = x - x.mean(0)
    return [x[classes == name] for name in np.unique(classes)]


def moment(rows):
    return sum(np.outer(row, row) for row in rows) / len(rows)


def slow(x, classes, steps):
    groups = groups_of(x, classes)
    between = moment([group.mean(0) for group in groups])
    within = moment([row for group in groups for row in group - group.mean(0)])
    for _ in range(steps):
        found = [hidden(group, between, within) for group in groups]
        between = moment([mu for mu, _ in found])
        within = moment([row for _, rows in found for row in rows])
    return between, within


def steps(count, **settings):
    return JointBayesian(tolerance=0, iterations=count, **settings)


@pytest.mark.parametrize("count", [1, 2, 4, 7])
@pytest.mark.parametrize(
    ("dimensions", "sizes", "scale"),
    [
        (4, [1, 2, 2, 3, 5, 7, 1, 4, 6, 3, 2, 2, 9], 40),
        (8, [6, 4, 9, 6, 1], 40),
        (3, [4] * 6, 40),
        (1, [9, 7, 5, 8, 6, 9], 40),
        (5, [2, 3, 1] * 8, 3),  # S_mu goes to 0 in two directions
    ],
)
def test_learning_is_the_papers_written_out(dimensions, sizes, scale, count):
    between, within = covariance(2, dimensions, scale), covariance(3, dimensions)
    x, classes = identities(1, sizes, between, within)
    model = steps(count).fit(x, classes)
    between, within = slow(x, classes, count)
    np.testing.assert_allclose(model.between, between, atol=1e-8 * np.abs(between).max())
    np.testing.assert_allclose(model.within, within, atol=1e-8 * np.abs(within).max())
    assert model.steps == count


@pytest.fixture(scope="module")
def fitted():
    x, classes = identities(4, [5, 2, 9, 1, 4, 4] * 10, covariance(5, 5, 2), covariance(6, 5))
    return JointBayesian().fit(x, classes)


def test_score_is_equations_4_to_6(fitted):
    a, b = np.random.default_rng(7).normal(5, 2, (2, 50, 5))
    both = np.block(
        [
            [fitted.between + fitted.within, fitted.between],
            [fitted.between, fitted.between + fitted.within],
        ]
    )
    inverse = np.linalg.inv(both)
    g = inverse[:5, 5:]
    of_a = np.linalg.inv(fitted.between + fitted.within) - inverse[:5, :5]
    x, y = a - fitted.mean, b - fitted.mean
    written = [p @ of_a @ p + q @ of_a @ q - 2 * p @ g @ q for p, q in zip(x, y, strict=True)]
    np.testing.assert_allclose(fitted.score(a, b), written, rtol=1e-8, atol=1e-8)


def test_score_is_twice_the_log_likelihood_ratio_but_for_a_constant(fitted):
    a, b = np.random.default_rng(8).normal(5, 2, (2, 50, 5))
    alone = fitted.between + fitted.within
    both = np.block([[alone, fitted.between], [fitted.between, alone]])
    same = multivariate_normal(np.tile(fitted.mean, 2), both).logpdf(np.hstack([a, b]))
    one = multivariate_normal(fitted.mean, alone)
    left = 2 * (same - one.logpdf(a) - one.logpdf(b)) - fitted.score(a, b)
    np.testing.assert_allclose(left, left[0], atol=1e-8)


@given(st.integers(0, 1000), st.integers(1, 30))
def test_a_pair_has_no_order(fitted, seed, count):
    a, b = np.random.default_rng(seed).normal(5, 3, (2, count, 5))
    np.testing.assert_array_equal(fitted.score(a, b), fitted.score(b, a))


@settings(max_examples=20)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3), st.floats(-10, 10))
def test_scores_follow_no_scale_rotation_or_shift(seed, scale, shift):
    x, classes = identities(seed, [3, 6, 2, 8, 5] * 3, 4 * np.eye(3), np.eye(3))
    turn = scale * (np.eye(3) + covariance(seed, 3))
    a, b = np.random.default_rng(seed).normal(5, 2, (2, 20, 3))
    here = JointBayesian().fit(x, classes).score(a, b)
    there = JointBayesian().fit((x + shift) @ turn, classes)
    np.testing.assert_allclose(
        there.score((a + shift) @ turn, (b + shift) @ turn), here, rtol=1e-6, atol=1e-6
    )


def test_order_of_rows_and_names_of_classes_do_not_matter():
    x, classes = identities(9, [3, 6, 2, 8, 1], 9 * np.eye(3), np.eye(3))
    order = np.random.default_rng(0).permutation(len(x))
    names = np.array(["d", "a", "e", "b", "c"])[classes]
    one, other = steps(5).fit(x, classes), steps(5).fit(x[order], names[order])
    np.testing.assert_allclose(one.between, other.between, atol=1e-10)
    np.testing.assert_allclose(one.within, other.within, atol=1e-10)


def test_covariances_are_found_again():
    between, within = covariance(10, 3, 2), covariance(11, 3)
    x, classes = identities(12, [40] * 1500, between, within)
    model = JointBayesian().fit(x, classes)
    assert model.change <= model.tolerance and model.steps < model.iterations
    assert np.linalg.norm(model.between - between) < 0.1 * np.linalg.norm(between)
    assert np.linalg.norm(model.within - within) < 0.05 * np.linalg.norm(within)


def likelihoods(x, classes, count):
    """Log densities after each step: of features, mu and epsilon, and of the features alone."""
    groups = groups_of(x, classes)
    joint, alone = [], []
    for step in range(1, count + 1):
        model = steps(step).fit(x, classes)
        zero = np.zeros(x.shape[1])
        of_mu = multivariate_normal(zero, model.between)
        of_epsilon = multivariate_normal(zero, model.within)
        found = [hidden(group, model.between, model.within) for group in groups]
        joint.append(sum(of_mu.logpdf(mu) + of_epsilon.logpdf(rows).sum() for mu, rows in found))
        total = 0.0
        for group in groups:
            size = len(group)
            sigma = np.kron(np.ones((size, size)), model.between)
            sigma += np.kron(np.eye(size), model.within)
            total += multivariate_normal(np.zeros(group.size), sigma).logpdf(group.ravel())
        alone.append(total)
    return np.array(joint), np.array(alone)


def test_the_joint_density_rises_and_the_features_likelihood_need_not():
    # As the docstring says: the paper's iteration is not exact EM.
    x, classes = identities(13, [4, 2, 3, 5] * 8, 0.9 * np.eye(2), np.eye(2))
    joint, alone = likelihoods(x, classes, 8)
    assert (np.diff(joint) >= -1e-9 * np.abs(joint[1:])).all() and joint[-1] > joint[0] + 1
    assert alone[-1] < alone.max() - 1


def test_a_direction_in_which_identities_vary_little_goes_to_zero():
    # The line is 3 / m of the variance within, 0.3 here.
    x, classes = identities(14, [10] * 800, np.diag([0.2, 0.45]), np.eye(2))
    model = JointBayesian(tolerance=1e-9, iterations=1000).fit(x, classes)
    assert len(model.ratios) == 1 and model.directions.shape == (2, 1)
    assert model.between[0, 0] < 0.01 and model.between[1, 1] > 0.2


def test_it_tells_pairs_apart_where_cosine_is_misled():
    within = np.diag([30.0, 30, 30, 1, 1, 1, 1, 1])
    x, classes = identities(15, [8] * 150, 2 * np.eye(8), within)
    model = JointBayesian().fit(x, classes)
    unseen, names = identities(16, [2] * 600, 2 * np.eye(8), within)
    same = np.arange(600) % 2 == 0
    a, b = unseen[::2], np.where(same[:, None], unseen[1::2], np.roll(unseen[1::2], 1, 0))
    assert (names[::2] == np.where(same, names[1::2], np.roll(names[1::2], 1))).tolist() == (
        same.tolist()
    )
    x, y = a - model.mean, b - model.mean
    cosine = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    assert roc_auc_score(same, model.score(a, b)) > roc_auc_score(same, cosine) + 0.1


def test_components_are_those_of_scikit_learn():
    x, classes = identities(17, [4, 7, 2, 5] * 5, covariance(18, 6, 9), covariance(19, 6))
    pca = PCA(3).fit(x)
    a, b = np.random.default_rng(20).normal(5, 2, (2, 30, 6))
    reduced = JointBayesian().fit(pca.transform(x), classes)
    model = JointBayesian(components=3).fit(x, classes)
    assert model.between.shape == model.within.shape == (3, 3)
    np.testing.assert_allclose(
        model.score(a, b), reduced.score(pca.transform(a), pca.transform(b)), atol=1e-7
    )


def test_components_leave_out_dimensions_that_never_change():
    x, classes = identities(17, [4, 7, 2, 5] * 5, covariance(18, 3, 9), covariance(19, 3))
    wide = np.hstack([x, np.zeros((len(x), 2))])
    with pytest.raises(InputError, match=r"differ in 3 of 5 dimensions only; .* at most 3"):
        JointBayesian().fit(wide, classes)
    model = JointBayesian(components=3).fit(wide, classes)
    plain = JointBayesian().fit(x, classes)
    np.testing.assert_allclose(model.score(wide, wide[::-1]), plain.score(x, x[::-1]), atol=1e-7)


@pytest.mark.parametrize("name", ["model.npz", "model"])
@pytest.mark.parametrize("components", [None, 2])
def test_a_saved_model_gives_the_same_scores(tmp_path, name, components):
    x, classes = identities(21, [4, 7, 2, 5] * 5, 9 * np.eye(3), np.eye(3))
    model = JointBayesian(components, tolerance=1e-5, iterations=50).fit(x, classes)
    model.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    again = JointBayesian.load(tmp_path / name)
    np.testing.assert_array_equal(again.score(x, x[::-1]), model.score(x, x[::-1]))
    for kept in ("components", "tolerance", "iterations", "steps", "change"):
        assert getattr(again, kept) == getattr(model, kept)
    np.testing.assert_array_equal(again.between, model.between)
    np.testing.assert_array_equal(again.within, model.within)


def test_a_file_that_is_no_model_is_named(tmp_path, fitted):
    path = tmp_path / "model.npz"
    with pytest.raises(InputError, match=r"model.npz: cannot be read \(No such file"):
        JointBayesian.load(path)
    fitted.save(path)
    whole = path.read_bytes()
    for wrong in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match="not a saved Joint Bayesian model"):
            JointBayesian.load(path)
    np.savez(path, mean=np.zeros(3))
    with pytest.raises(InputError, match="not a saved Joint Bayesian model"):
        JointBayesian.load(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(InputError, match="not a saved Joint Bayesian model"):
        JointBayesian.load(tmp_path / "one.npy")


GOOD = np.random.default_rng(22).normal(size=(6, 2))


@pytest.mark.parametrize(
    ("features", "classes", "message"),
    [
        (GOOD[0], [1], "features: shape (2,)"),
        (np.where(GOOD[4, 1] == GOOD, np.nan, GOOD), [0, 0, 1, 1, 2, 2], "features: row 4"),
        (GOOD, [0, 0, 1, 1, 2], "classes: shape (5,) for 6 rows"),
        (GOOD, ["a", "a", None, "b", "b", "b"], "classes: row 2 has none"),
        (GOOD, [0] * 6, "classes: 1 of at most 6 images"),
        (GOOD, range(6), "classes: 6 of at most 1 images"),
        (GOOD[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2], "differ in 0 of 2 dimensions"),
        (GOOD[[0, 1, 2, 0, 1, 2]], [0, 0, 0, 1, 1, 1], "S_mu became 0"),
        ([[1, 2], [-1, -2], [2, 1], [-2, -1]], [0, 0, 1, 1], "S_mu became 0"),
    ],
)
def test_wrong_input_is_named(features, classes, message):
    with pytest.raises(InputError) as raised:
        JointBayesian().fit(features, classes)
    assert message in str(raised.value)


def test_classes_that_are_not_told_apart_are_named():
    x, classes = identities(23, [2] * 50, 0.01 * np.eye(2), np.eye(2))
    with pytest.raises(InputError, match="S_mu became 0"):
        JointBayesian().fit(x, classes)


def test_wrong_settings_are_named():
    with pytest.raises(InputError, match="components: 0"):
        JointBayesian(components=0)
    with pytest.raises(InputError, match="components: 3 of features of 2 dimensions"):
        JointBayesian(components=3).fit(GOOD, [0, 0, 1, 1, 2, 2])
    with pytest.raises(InputError, match="tolerance: nan"):
        JointBayesian(tolerance=np.nan)
    with pytest.raises(InputError, match="iterations: 0"):
        JointBayesian(iterations=0)


def test_wrong_pairs_are_named(fitted):
    with pytest.raises(InputError, match="b: 4 dimensions, but fitted on 5"):
        fitted.score(np.zeros((3, 5)), np.zeros((3, 4)))
    with pytest.raises(InputError, match=r"pairs: shapes \(3, 5\) and \(2, 5\)"):
        fitted.score(np.zeros((3, 5)), np.zeros((2, 5)))
    with pytest.raises(InputError, match="a: row 1 is not finite"):
        fitted.score([[0.0] * 5, [np.inf] * 5], np.zeros((2, 5)))
