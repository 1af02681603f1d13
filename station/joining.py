"""What a final upload is made of: finished partials, whose bytes the kernel copies, off the loop (tus)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from station.berth import Berth
from station.errors import Refused
from station.resumption import Kind
from station.shelf import Shelf

SLICE = 64 * 1024**2  # bytes copied before the station looks whether anybody still wants them


async def partials(shelf: Shelf, ids: Sequence[str]) -> list[Berth]:
    """The partial uploads of these ids. Raises VALIDATION_ERROR unless each is here, and finished."""
    found = []
    for upload_id in ids:
        try:
            berth = await shelf.find(upload_id)
            await berth.free()
        except Refused:
            raise Refused("VALIDATION_ERROR", "one of the partial uploads is not here") from None
        if berth.upload.kind is not Kind.PARTIAL:
            raise Refused("VALIDATION_ERROR", "a final upload is made of partial ones")
        if not berth.upload.closed:
            raise Refused("VALIDATION_ERROR", "one of the partial uploads is not finished")
        found.append(berth)
    return found


def made_of(parts: Sequence[Berth]) -> str | None:
    """The final upload that these were joined to before: the answer to that request may have been lost."""
    finals = {berth.upload.final for berth in parts}
    return finals.pop() if len(finals) == 1 else None


async def join(shelf: Shelf, berth: Berth, parts: Sequence[Berth], wanted: Callable[[], bool]) -> int:
    """Copy the partials, in order, into the final's part file; returns how many bytes. Stops when not `wanted`.

    Raises OSError.
    """
    storage, position = shelf.dock.storage, 0
    for part in parts:
        done = 0
        while done < part.upload.offset and wanted():
            count = min(SLICE, part.upload.offset - done)
            await shelf.dock.run(storage.copy_part, part.upload.id, done, berth.upload.id, position, count)
            done, position = done + count, position + count
            shelf.dock.space.wrote(berth.upload.id, count, shelf.dock.clock().mono)
    return position
