"""Uploads one file with tuspy, with checksums: `send_tuspy.py ENDPOINT PATH CHUNK_SIZE METADATA`, the last in JSON."""

from __future__ import annotations

import json
import sys
import time
import uuid

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader.uploader import Uploader

RETRIES = 30
DELAY = 0.05  # seconds


def send(endpoint: str, path: str, chunk_size: str, metadata: str) -> str:
    uploader = TusClient(endpoint).uploader(
        path,
        chunk_size=int(chunk_size),
        metadata=json.loads(metadata),
        retries=RETRIES,
        retry_delay=DELAY,
        upload_checksum=True,
    )
    for _ in range(RETRIES):
        try:
            if uploader.url is None:
                create(uploader)
            uploader.offset = uploader.get_offset()
            uploader.upload()
        except (TusCommunicationError, TypeError) as error:  # TypeError: of an answer that broke off
            if getattr(error, "status_code", None) not in {None, 200, 201, 204}:
                raise
            time.sleep(DELAY)
        else:
            return str(uploader.url)
    raise TimeoutError(f"{uploader.offset} bytes were sent")


def create(uploader: Uploader) -> None:
    """tuspy tries a chunk again, but not the creation."""
    url = str(uploader.create_url())
    if len(url.rpartition("/")[2]) < len(str(uuid.uuid4())):
        raise TypeError("the answer broke off")  # Python takes a head that does for a whole one
    uploader.set_url(url)


if __name__ == "__main__":
    sys.stdout.write(send(*sys.argv[1:]))
