"""The editor: an element of the page that shows one image and lets a person label it."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from annotations.labelling.page.talk import Talk


class Editor(Element, component="editor.js"):
    """Shows images and boxes, and passes on what is said on either side.

    Args:
        setup: see `annotations.labelling.page.talk.describe`; and ``by``, who labels, and
            ``review``, whether they review.
        talk: who answers.
    """

    def __init__(self, setup: dict[str, Any], talk: Talk) -> None:
        super().__init__()
        self._props["setup"] = setup
        self._talk = talk
        self.on("say", self._answer)

    async def _answer(self, event: GenericEventArguments) -> None:
        method, payload = await self._talk.hear(event.args)
        self.run_method(method, payload)

    async def tell_status(self) -> None:
        """Say what the detector is doing; on another thread, for it may be busy."""
        self.run_method("status", await asyncio.to_thread(self._talk.status))
