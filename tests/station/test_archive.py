"""What the journal tells of sessions that are over or were cut short: written by real stations."""

from __future__ import annotations

from pathlib import Path

import pytest

from station import archive
from station.archive import picture_of
from station.resumption import Kind
from station.wire import Message
from tests.station.places import Place, file_of, open_place, until

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def a_settled_session(place: Place) -> str:
    channel = await place.open(("a.txt", 5), ("b.txt", 5), ("c.txt", 5))
    await place.raw(channel, "a.txt", b"first")
    await place.station.orders.cancel(channel.session.id, file_of(channel, 1).id, "unwanted")
    await place.raw(channel, "c.txt", b"third")
    await place.listener.hears_the_last()
    return channel.session.id


async def kept_of(place: Place, session_id: str) -> archive.KeptSession | None:
    return await place.journal.read(lambda journal: archive.session(journal, session_id))


async def missed(place: Place, session_id: str, after: int, upto: int, page: int) -> list[Message]:
    return await place.journal.read(lambda journal: archive.missed(journal, session_id, after, upto, page))


@pytest.mark.gen_test
async def test_an_unknown_session_is_none(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert await kept_of(place, UNKNOWN) is None
        assert await place.journal.read(lambda journal: archive.stored_file(journal, UNKNOWN)) is None


@pytest.mark.gen_test
async def test_a_session_is_kept_with_its_files_in_order_and_its_events(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("b.txt", 5), ("a.txt", None))
        await place.raw(channel, "b.txt")
        kept = await kept_of(place, channel.session.id)
        assert kept is not None
        assert (kept.opened_at, kept.settled_at) == (channel.opened_at, None)
        assert [(file_id, file["name"]) for file_id, file in kept.files] == [
            (file_of(channel, 0).id, "b.txt"),
            (file_of(channel, 1).id, "a.txt"),
        ]
        assert [(seq, name) for seq, name, _ in kept.events] == [(1, "upload-started"), (2, "upload-completed")]
        assert [text for *_, text in kept.events] == [each.text for each in place.listener.messages if each.lifecycle]


@pytest.mark.gen_test
async def test_the_picture_read_back_is_the_picture_that_was_told(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5), ("b.txt", 5), ("c.txt", 5))
        await place.raw(channel, "a.txt", b"first")
        await place.station.orders.cancel(channel.session.id, file_of(channel, 1).id, "unwanted")
        for settled in (False, True):
            if settled:
                await place.raw(channel, "c.txt", b"third")
            kept = await kept_of(place, channel.session.id)
            assert kept is not None
            again = picture_of(kept, "en", place.journal.epoch)
            assert again.settled == settled
            assert again.snapshot("now") == channel.picture.snapshot("now")
            assert again.progress_of(None, "now") == channel.picture.progress_of(None, "now")


@pytest.mark.gen_test
async def test_a_session_without_events_was_last_changed_when_it_was_opened(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        opened = place.clock().stamp
        place.clock.pass_by(60)
        kept = await kept_of(place, channel.session.id)
        assert kept is not None
        again = picture_of(kept, "en", place.journal.epoch).snapshot("now")
        assert again["lastUpdate"] == channel.picture.snapshot("now")["lastUpdate"] == opened


@pytest.mark.gen_test
async def test_unsettled_sessions_come_oldest_first(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        ids = []
        for _ in range(5):
            place.clock.pass_by(1)
            ids.append((await place.open(auto_complete=False)).session.id)
        await place.station.orders.complete(ids[2])
        assert await place.journal.read(archive.unsettled) == [*ids[:2], *ids[3:]]


@pytest.mark.gen_test
async def test_the_newest_time_is_that_of_the_last_entry(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert await place.journal.read(archive.newest_time) == 0
        channel = await place.open(auto_complete=False)
        assert await place.journal.read(archive.newest_time) == place.clock.wall
        place.clock.pass_by(7)
        await place.station.orders.complete(channel.session.id)
        assert await place.journal.read(archive.newest_time) == place.clock.wall


@pytest.mark.gen_test
async def test_missed_events_are_those_in_between_page_by_page(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        session_id = await a_settled_session(place)
        told = [(m.seq, m.event, m.text) for m in place.listener.messages if m.lifecycle]
        assert len(told) == 6
        for after in range(8):
            for upto in range(8):
                for page in (1, 2, 100):
                    found = await missed(place, session_id, after, upto, page)
                    wanted = [each for each in told if after < each[0] <= upto][:page]
                    assert [(m.seq, m.event, m.text) for m in found] == wanted
                    assert all(m.lifecycle and m.key is None and not m.last for m in found)


@pytest.mark.gen_test
async def test_a_stored_file_is_known_until_it_is_deleted(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(("a.txt", 5))
        await place.raw(channel)
        file = file_of(channel)
        found = await place.journal.read(lambda journal: archive.stored_file(journal, file.id))
        assert found == (channel.session.id, "completed", file.path)
        await place.station.orders.delete_stored(file.id)
        found = await place.journal.read(lambda journal: archive.stored_file(journal, file.id))
        assert found == (channel.session.id, "completed", None)


@pytest.mark.gen_test
async def test_an_upload_is_told_as_it_was_recorded(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        read = place.journal.read
        assert await read(lambda journal: archive.upload(journal, UNKNOWN)) is None
        assert await read(archive.open_uploads) == []
        berth = await place.upload(await place.open(expected=1), length=1000)
        await place.add(berth, b"hello")
        found = await read(lambda journal: archive.upload(journal, berth.upload.id))
        assert found is not None
        assert (found.id, found.offset, found.expires_at) == (berth.upload.id, 5, place.clock.wall + 86400)
        assert (found.kept["length"], found.kept["kind"], found.kept["name"]) == (1000, "whole", "a.txt")
        assert await read(archive.open_uploads) == [found]


@pytest.mark.gen_test
async def test_open_uploads_are_those_that_can_be_gone_on_with(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        channel = await place.open(auto_complete=False)
        stored = await place.upload(channel, "a.txt", 5)
        resting = await place.upload(channel, "b.txt", 1000)
        cancelled = await place.upload(channel, "c.txt", 5)
        partial = await place.upload(length=5, kind=Kind.PARTIAL)
        await place.add(stored, b"hello")
        await place.add(partial, b"hello")
        await place.add(resting, b"hello")
        await place.station.orders.cancel(channel.session.id, cancelled.upload.file_id, "user")
        await until(lambda: len(place.station.shelf) == 2)
        kept = await place.journal.read(archive.open_uploads)
        assert {each.id for each in kept} == {resting.upload.id, partial.upload.id}
