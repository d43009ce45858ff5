"""A broker made of files, for one machine without Redis: kombu's filesystem transport, made safe for many readers.

The stock channel writes a message in place, so that a reader may take half of one. Here a message appears under its
name only when it is complete, and one reader at a time wins it by renaming it. A message in the hands of a worker that
is killed is gone: job rows and their sweeper bring the work back, on this broker and on Redis alike.
"""

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """Reads and writes whole messages only."""

    @property
    def folder(self) -> Path:
        """Where waiting messages lie."""
        return Path(self.data_folder_in)

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]  # kombu's own disagree
        name = f"{time.time_ns():020d}_{uuid.uuid4().hex}.{queue}.msg"
        temporary = self.folder / f".{name}.new"
        temporary.write_bytes(str_to_bytes(dumps(payload)))
        temporary.rename(self.folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        ending = f".{queue}.msg"
        for name in sorted(name for name in os.listdir(self.folder) if name.endswith(ending) and name[0] != "."):
            taken = self.folder / f".{name}.{uuid.uuid4().hex}.taken"
            with suppress(FileNotFoundError):  # another reader was faster
                (self.folder / name).rename(taken)
                text = bytes_to_str(taken.read_bytes())
                taken.unlink()
                payload: dict[str, Any] = loads(text)
                return payload
        raise Empty


class Transport(filesystem.Transport):
    """`filebroker://`, known to Celery by the name of this class."""

    Channel = Channel
    polling_interval = 0.2
