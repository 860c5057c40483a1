"""Whose turn it is to be answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import HTTPException

Made = TypeVar("Made")


class Turns:
    """Lets so many wait for their turn and no more, and nobody longer than so many seconds.

    Args:
        waiting: requests at a time, those that are being answered included.
        seconds: that one may take.
        at_once: that are being answered; each may hold a decoded image in memory.
    """

    def __init__(self, waiting: int = 8, seconds: float = 60, at_once: int = 2) -> None:
        self._free, self._seconds = waiting, seconds
        self._room = asyncio.Semaphore(at_once)

    async def take(self, make: Callable[[], Made]) -> Made:
        """Return what is made, on another thread.

        Raises:
            HTTPException: 503 where too many wait, 504 where it took too long.
        """
        if self._free < 1:
            raise HTTPException(503, "too many requests at a time; try again in a moment")
        self._free -= 1
        begun = False

        async def made() -> Made:
            nonlocal begun
            async with self._room:
                begun = True
                return await asyncio.get_running_loop().run_in_executor(None, make)

        work = asyncio.ensure_future(made())
        work.add_done_callback(self._done)
        await asyncio.wait([work], timeout=self._seconds)
        if work.done():
            return work.result()
        if not begun:
            work.cancel()
        raise HTTPException(504, f"took longer than {self._seconds:g} seconds")

    def _done(self, work: asyncio.Future[Any]) -> None:
        self._free += 1
        if not work.cancelled():
            work.exception()  # what nobody waited for is no news
