"""The body is the file: `PUT /api/upload/session/<id>/files/<name>` and, with a session of its own, `PUT /u/<name>`."""

from __future__ import annotations

from handlers.access import demand_pin
from handlers.base import verb
from handlers.uploads import Uploading
from station.channel import Channel
from station.errors import Refused
from station.intake import RawIntake


class RawUpload(Uploading):
    intake: RawIntake | None

    async def decide(self) -> None:
        await super().decide()
        if self.request.method != "PUT":
            return
        fields = self.request.headers
        if fields.get("Upload-Complete") == "?0" or fields.get("Upload-Incomplete") == "?1":
            raise Refused("VALIDATION_ERROR", "parts of a file go to /files/")  # one must not pass for the whole
        session_id, name = self.path_args if len(self.path_args) == 2 else (None, *self.path_args)
        if not name:
            raise Refused("VALIDATION_ERROR", "the address must end with the file's name")
        if session_id is None:
            demand_pin(self)
        self.intake = RawIntake(self.station.dock, self.station.sessions, self.content_length, name)
        self.watch_over(self.intake)
        file_id = self.get_query_argument("fileId", None)
        await self.intake.open(session_id, file_id, self.get_query_argument("category", None))

    async def take(self, chunk: bytes) -> None:
        if self.intake is None:
            return  # OPTIONS may have a body too
        await self.intake.feed(chunk)
        if self.intake.problem is not None:
            raise self.intake.problem.refusal()

    @verb
    async def put(self, *_: str) -> None:
        assert self.intake is not None
        self._finishing = True
        receipt = await self.intake.finish()
        if (problem := receipt.problem) is not None:
            # Even if the file is there: then a newer request has stored it, or it is not recorded yet.
            raise problem.refusal()
        if not receipt.stored or receipt.channel is None:
            raise Refused("UPLOAD_FAILED")
        self._link(receipt.channel)
        link = f"/s/{receipt.channel.session.id}"
        self.send_json({"sessionId": receipt.channel.session.id, "link": link, **receipt.snapshots()[0]}, 201)

    def _link(self, channel: Channel) -> None:
        page = f"{self.request.protocol}://{self.request.host}/s/{channel.session.id}"
        self.set_header("Link", f'<{page}>; rel="related"; title="upload session"')
