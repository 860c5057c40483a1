import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reid.data.sampler import EpochSampler


def drawn(identities, per_identity, seed=0, epoch=0):
    return list(EpochSampler(np.array(identities), per_identity, seed, lambda: epoch))


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=40), st.sampled_from([2, 3, 4]))
def test_a_group_is_of_one_identity_and_repeats_only_where_it_must(identities, per_identity):
    rows = [row for row, _ in drawn(identities, per_identity)]
    assert len(rows) == len(identities)
    for start in range(0, len(rows), per_identity):
        group = rows[start : start + per_identity]
        owners = {identities[row] for row in group}
        assert len(owners) == 1
        available = identities.count(owners.pop())
        if available >= per_identity:
            assert len(set(group)) == len(group)


def test_every_identity_comes_once_before_any_comes_twice():
    identities = [0, 0, 1, 1, 2, 2, 3, 3]
    rows = [row for row, _ in drawn(identities, 2)]
    assert sorted(identities[row] for row in rows) == identities


def test_without_groups_every_image_comes_once():
    assert sorted(row for row, _ in drawn([0] * 9, 0)) == list(range(9))


def test_seed_and_epoch_alone_fix_the_order():
    identities = [number // 2 for number in range(20)]
    assert drawn(identities, 2, 1, 3) == drawn(identities, 2, 1, 3)
    assert drawn(identities, 2, 1, 3) != drawn(identities, 2, 1, 4)
    assert drawn(identities, 2, 1, 3) != drawn(identities, 2, 2, 3)
