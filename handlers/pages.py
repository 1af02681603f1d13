"""The pages that people open: the first one and that of a session. Knows what a page is given, not what it does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from handlers.access import is_asked
from handlers.base import Base
from handlers.modules import needed, sentences
from station.errors import Refused

# The categories of the start have names for people; any other is shown as it is called.
CATEGORIES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"personal": ("个人视频", "Personal videos"), "scenic": ("景区视频", "Scenic videos")}
)


def label(category: str, language: str) -> str:
    """The name of a category for people."""
    zh, en = CATEGORIES.get(category, (category, category))
    return zh if language.startswith("zh") else en


class Index(Base):
    """`/` and `/s/<sessionId>`. An id that cannot be one gets the same page as one that is unknown."""

    async def get(self, session_id: str = "") -> None:
        self.remember_language()
        # A page that was changed must not be drawn from yesterday's copy.
        self.set_header("Cache-Control", "no-cache")
        if session_id and not await self._is_known(session_id):
            self.set_status(404)
            self.render("missing.html", lang=self.language)
            return
        names = self.station.config.categories
        pin_required = not session_id and is_asked(self)
        # Whoever comes to choose gets what that needs, and the rest of the page a moment later.
        later = ["js/rest.js"] if session_id or pin_required else []
        labels = [(name, label(name, self.language)) for name in names]
        self.render(
            "index.html",
            lang=self.language,
            session_id=session_id,
            categories=labels,
            pin_required=pin_required,
            modules=needed("js/main.js", sentences(self.language), *later),
        )

    async def _is_known(self, session_id: str) -> bool:
        try:
            await self.station.sessions.picture(session_id)
        except Refused:
            return False
        return True
