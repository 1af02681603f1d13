"""The files of one session, in the order of their coming. Finds them; the session changes them."""

from __future__ import annotations

from station.errors import Refused
from station.file import Attempt, File, Status
from station.names import shown_name


class Roster(dict[str, File]):
    def add(self, file_id: str, name: str, size: int | None, limit: int) -> File:
        """Add a file that has yet to come (`pending`). Raises TOO_MANY_FILES beyond `limit`."""
        if len(self) >= limit:
            raise Refused("TOO_MANY_FILES", f"at most {limit}")
        file = self[file_id] = File(file_id, shown_name(name), size)
        return file

    def announce(self, file_id: str, name: str, size: int | None, limit: int) -> File:
        """The same for one that the client promised, with its size."""
        file = self.add(file_id, name, size, limit)
        file.announced = size
        return file

    def named(self, file_id: str) -> File:
        """Raises FILE_NOT_FOUND."""
        if file_id not in self:
            raise Refused("FILE_NOT_FOUND")
        return self[file_id]

    def current(self, attempt: Attempt) -> File | None:
        """The file whose attempt this is, while bytes may flow into it."""
        file = self.get(attempt.file_id)
        if file is None or file.status is not Status.UPLOADING or file.attempt != attempt.number:
            return None
        return file

    def unfinished(self, now: float) -> list[File]:
        """Those that a cancel still reaches: not final, and not being published."""
        return [file for file in self.values() if not file.is_final(now) and not file.sealed]

    def resumable(self, file_id: str | None, status: Status) -> list[File]:
        """The file named, or all resumable ones in this status. Raises NOT_RESUMABLE if it, or all, cannot rest."""
        meant = self.values() if file_id is None else [self.named(file_id)]
        files = [file for file in meant if file.resumable and (file_id is not None or file.status is status)]
        if not files:
            raise Refused("NOT_RESUMABLE")
        return files
