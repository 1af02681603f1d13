"""What the operator sees and may do: health, and deleting stored files behind the token."""

from __future__ import annotations

import pytest

from tests.handlers.site import TOKEN, UNKNOWN, Box, movie, on_the_loop

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@on_the_loop
async def test_health_tells_what_the_contract_names(box: Box) -> None:
    answer = await box.get("/health")
    health = answer.json()
    assert answer.status == 200
    assert {"status", "timestamp", "uptime", "version", "memory", "disk"} <= health.keys()
    assert health["status"] == "ok"
    assert health["uptime"] >= 0
    assert health["disk"]["free"] <= health["disk"]["total"]
    assert health["memory"]["peak"] > 1024**2
    assert (await box.ask("HEAD", "/health")).status == 200


@pytest.mark.parametrize("options", [["--min-free-space=999999TiB"]])
@on_the_loop
async def test_without_room_the_station_is_not_well(box: Box) -> None:
    answer = await box.get("/health")
    assert (answer.status, answer.json()["status"]) == (503, "unavailable")
    refused = await box.ask("PUT", "/u/a.mp4", movie(5))
    assert (refused.status, refused.code) == (507, "INSUFFICIENT_STORAGE")


@on_the_loop
async def test_a_station_that_stops_is_not_well_and_takes_nothing(box: Box) -> None:
    session_id = await box.open(autoComplete=False)
    await box.station.end_attempts(1.0)
    assert (await box.get("/health")).status == 503
    for answer in (
        await box.put(session_id, "a.mp4", movie(5)),
        await box.ask("PUT", "/u/a.mp4", movie(5)),
        await box.post("/api/upload/session", {}),
    ):
        assert (answer.status, answer.code) == (503, "TOO_MANY_CONNECTIONS")
        assert "Retry-After" in answer.headers


@on_the_loop
async def test_only_the_operator_may_delete(box: Box) -> None:
    stored = (await box.ask("PUT", "/u/a.mp4", movie(5))).json()
    address = f"/api/upload/file/{stored['id']}"
    for header in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer \xe9",
    ):
        answer = await box.ask("DELETE", address, headers={"Authorization": header})
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        unknown = await box.ask("DELETE", f"/api/upload/file/{UNKNOWN}", headers={"Authorization": header})
        assert unknown.status == 401
    assert len(box.visible()) == 1


@on_the_loop
async def test_the_operator_deletes_a_stored_file_once(box: Box) -> None:
    stored = (await box.ask("PUT", "/u/a.mp4", movie(5))).json()
    kept = await box.ask("PUT", "/u/b.mp4", movie(7))
    answer = await box.ask("DELETE", f"/api/upload/file/{stored['id']}", headers=BEARER)
    assert (answer.status, answer.body) == (204, b"")
    assert [path.stat().st_size for path in box.visible()] == [7]
    for id in (stored["id"], UNKNOWN, "x", "%2e%2e"):
        answer = await box.ask("DELETE", f"/api/upload/file/{id}", headers=BEARER)
        assert (answer.status, answer.code) == (404, "FILE_NOT_FOUND")
    assert kept.status == 201
    # What was told stays told.
    assert (await box.progress(stored["sessionId"]))["files"][0]["status"] == "completed"


@on_the_loop
async def test_a_file_that_somebody_else_took_away_is_not_found(box: Box) -> None:
    stored = (await box.ask("PUT", "/u/a.mp4", movie(5))).json()
    box.visible()[0].unlink()
    answer = await box.ask("DELETE", f"/api/upload/file/{stored['id']}", headers=BEARER)
    assert (answer.status, answer.code) == (404, "FILE_NOT_FOUND")


@on_the_loop
async def test_a_preflight_for_deleting_needs_no_token(box: Box) -> None:
    answer = await box.ask("OPTIONS", f"/api/upload/file/{UNKNOWN}")
    assert answer.status == 204
    assert "DELETE" in answer.headers["Allow"]
