"""Of progress only the newest waits, and it goes out no faster than once a second for each session."""

from __future__ import annotations

from station.trickle import EVERY, FILES, SESSIONS, Trickle


def test_of_each_file_only_the_newest_waits_at_the_end() -> None:
    trickle: Trickle[int] = Trickle()
    trickle.put("s", "a", 1)
    trickle.put("s", "b", 2)
    trickle.put("s", "a", 3)
    assert [trickle.take("s", at * EVERY) for at in range(3)] == [2, 3, None]


def test_one_a_second_and_session() -> None:
    trickle: Trickle[int] = Trickle()
    trickle.put("s", "a", 1)
    trickle.put("t", "a", 2)
    assert sorted(trickle.due(10.0)) == ["s", "t"]
    assert trickle.take("s", 10.0) == 1
    trickle.put("s", "a", 3)
    assert (trickle.take("s", 10.9), trickle.due(10.9)) == (None, ["t"])
    assert trickle.take("t", 10.9) == 2
    assert trickle.due(11.0) == ["s"]
    assert trickle.take("s", 11.0) == 3


def test_what_would_come_too_late_is_forgotten() -> None:
    trickle: Trickle[int] = Trickle()
    trickle.put("s", "a", 1)
    trickle.forget("s")
    trickle.forget("unknown")
    assert (trickle.due(0.0), trickle.take("s", 0.0)) == ([], None)


def test_no_more_waits_than_fits() -> None:
    trickle: Trickle[int] = Trickle()
    for session in range(SESSIONS + 5):
        for file in range(FILES + 5):
            trickle.put(str(session), str(file), file)
    due = trickle.due(0.0)
    assert len(due) == SESSIONS
    assert [trickle.take("0", at * EVERY) for at in range(FILES + 1)] == [*range(FILES), None]


def test_nothing_is_kept_of_sessions_that_went_by() -> None:
    trickle: Trickle[int] = Trickle()
    for at in range(3 * SESSIONS):
        trickle.put(str(at), "a", at)
        assert trickle.take(str(at), float(at)) == at
        trickle.due(float(at))
    assert len(trickle._told) <= 2
    assert not trickle._waiting
