"""The commands `send` and `watch`: reads the words, runs, and ends with a status. No logic of either."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import os
import signal
import ssl
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from client.link import Link
from client.options import Settings, settings_of
from client.patience import Timing
from client.send import Sending
from client.watch import Watching
from client.words import Words

COMMANDS = ("send", "watch")
FAILED, USAGE = 1, 2
INTERRUPTED = 130
_TERMINATED = 128 + signal.SIGTERM
_MUTE = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def main(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """The exit status. The first argument is one of COMMANDS."""
    command, *words = arguments
    settings = settings_of(command, words, environment)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that this terminal cannot show
    logging.disable()  # Tornado's: what goes wrong is told in words of our own
    try:
        trust = ssl.create_default_context(cafile=settings.cacert or None)
    except (OSError, ssl.SSLError) as error:
        print(f"--cacert: cannot use {settings.cacert}: {error.strerror or error}", file=sys.stderr)
        return USAGE
    try:
        return asyncio.run(_run(command, settings, trust))
    except KeyboardInterrupt:
        return INTERRUPTED
    except asyncio.CancelledError:
        return _TERMINATED
    except OSError as error:
        if error.errno not in _MUTE:  # no fault of what takes our words
            raise
        _muted(error, Words(settings.language))
        return FAILED


def _muted(error: OSError, words: Words) -> None:
    """What happens can be told no more."""
    if not isinstance(error, BrokenPipeError):  # whoever reads only the beginning, as in `… | head -1`, knows
        with suppress(OSError):  # standard error may be no better
            print(words("mute", reason=error.strerror or error), file=sys.stderr)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # Python would write once more what is left in it, and complain
            os.dup2(nowhere, stream.fileno())


async def _run(command: str, settings: Settings, trust: ssl.SSLContext) -> int:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    link = Link(settings.place.base, language=settings.language, trust=trust)
    kind = Sending if command == "send" else Watching
    return await kind(settings, link, settings.place, Timing()).run()
