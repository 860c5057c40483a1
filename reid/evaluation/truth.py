"""Which gallery items are true matches of a query, and which are left out of its ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from annotations.errors import InputError, suggest

Labels: TypeAlias = "Sequence[Any] | pd.Series[Any] | npt.NDArray[Any] | Tensor"
"""One value for each embedding."""
LeaveOut = Literal["identity-camera", "camera"]
"""With cameras, what is left out of a ranking: items of the query's identity and camera, or all
items of the query's camera."""


class Truth:
    """Identities and cameras of queries and gallery items, compared.

    An unknown identity or camera (None, NaN, empty text) equals no other, so a distractor is
    never a match and never left out.

    Args:
        query_ids: Q identities: any values that compare equal between the two sides.
        gallery_ids: G identities.
        query_cameras: Q cameras; without cameras nothing is left out.
        gallery_cameras: G cameras.
        leave_out: what cameras are for.
        device: where results are given.

    Attributes:
        matches: int64 (Q,), how many true matches each query has.

    Raises:
        InputError: cameras on one side only, numbers of them that differ from those of
            identities, or an unknown word for what is left out.
    """

    def __init__(
        self,
        query_ids: Labels,
        gallery_ids: Labels,
        query_cameras: Labels | None = None,
        gallery_cameras: Labels | None = None,
        leave_out: LeaveOut = "identity-camera",
        device: torch.device | None = None,
    ) -> None:
        if leave_out not in get_args(LeaveOut):
            raise InputError(f"leave_out: '{leave_out}'; {suggest(leave_out, get_args(LeaveOut))}")
        if (query_cameras is None) != (gallery_cameras is None):
            raise InputError("cameras are given for one side only: give both or neither")
        self._whole_camera = leave_out == "camera"
        self._query, self._gallery = _codes(query_ids, gallery_ids, device)
        by_identity, self._order = self._gallery.sort(stable=True)
        self._start = torch.searchsorted(by_identity, self._query)
        self._stop = torch.searchsorted(by_identity, self._query, right=True)
        self._stop = self._stop.where(self._query >= 0, self._start)
        self.matches = self._stop - self._start
        self._cameras = None
        if query_cameras is not None and gallery_cameras is not None:
            for side, cameras, ids in (
                ("query", query_cameras, query_ids),
                ("gallery", gallery_cameras, gallery_ids),
            ):
                if len(cameras) != len(ids):
                    raise InputError(
                        f"{side}_cameras: {len(cameras)} for {len(ids)} {side} embeddings"
                    )
            self._cameras = _codes(query_cameras, gallery_cameras, device)
            self.matches = self.matches - self._own(self._gallery)

    def _own(self, gallery: Tensor) -> Tensor:
        """Count, for each query, the items of its identity and camera."""
        assert self._cameras is not None
        seen, shows = self._cameras
        cameras = 1 + max(int(seen.max()), int(shows.max()))
        known = (gallery >= 0) & (shows >= 0)
        both = (gallery * cameras + shows)[known].sort().values
        wanted = self._query * cameras + seen
        found = torch.searchsorted(both, wanted, right=True) - torch.searchsorted(both, wanted)
        return found.where((self._query >= 0) & (seen >= 0), torch.zeros_like(found))

    def mates(self, query: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gallery items of the same identity as each of some queries.

        Args:
            query: int64 (B,).

        Returns:
            int64 (B, M), gallery rows, padded; bool (B, M), where they are not padding; and
            bool (B, M), where they are true matches and not left out.
        """
        start, stop = self._start[query, None], self._stop[query, None]
        width = max(1, int((stop - start).amax())) if len(query) else 1
        places = start + torch.arange(width, device=start.device)
        same = places < stop
        mates = self._order[places.clamp(max=len(self._order) - 1)]
        if self._cameras is None:
            return mates, same, same
        seen = self._cameras[0][query, None]
        return mates, same, same & ((self._cameras[1][mates] != seen) | (seen < 0))

    def hide(self, values: Tensor, query: Tensor, mates: Tensor, hidden: Tensor) -> None:
        """Make values infinite of what is left out, and of mates where ``hidden``.

        Args:
            values: float32 (B, G), of the queries.
            query: int64 (B,).
            mates: int64 (B, M), as `mates` returns.
            hidden: bool (B, M).
        """
        row, place = hidden.nonzero(as_tuple=True)
        values[row, mates[row, place]] = torch.inf
        if self._whole_camera and self._cameras is not None:
            seen = self._cameras[0][query, None]
            values.masked_fill_((self._cameras[1] == seen) & (seen >= 0), torch.inf)

    def leave_out(self, values: Tensor, query: Tensor) -> None:
        """Make values infinite of what is left out of the rankings of ``query``."""
        mates, same, true = self.mates(query)
        self.hide(values, query, mates, same & ~true)

    def same(self, query: Tensor, item: Tensor) -> Tensor:
        """Return whether pairs are of one known identity: int64 (...) twice to bool (...)."""
        return (self._query[query] == self._gallery[item]) & (self._query[query] >= 0)


def _codes(query: Labels, gallery: Labels, device: torch.device | None) -> tuple[Tensor, Tensor]:
    """Number the values of both sides alike; -1 is unknown."""
    both = np.concatenate([_objects(values) for values in (query, gallery)])
    numbers, words = pd.factorize(both)
    empty = [place for place, word in enumerate(words) if isinstance(word, str) and not word]
    codes = torch.from_numpy(np.where(np.isin(numbers, empty), -1, numbers)).to(device)
    return codes[: len(query)], codes[len(query) :]


def _objects(values: Labels) -> npt.NDArray[np.object_]:
    try:
        plain = values.tolist() if hasattr(values, "tolist") else list(values)
        made = np.empty(len(plain), dtype=object)
        made[:] = plain
        for value in plain:
            hash(value)
    except (TypeError, ValueError):
        raise InputError(
            "identities and cameras must be lists of single values, one for each embedding"
        ) from None
    return made
