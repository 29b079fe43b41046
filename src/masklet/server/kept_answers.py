"""Answers to requests that may be repeated, by their `Idempotency-Key`: in a file, so that a restart forgets none."""

import json
import sqlite3
import time
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from masklet.server.limits import GIB

KEPT_SECONDS = 24 * 3600
KEPT_BYTES = GIB
_TABLE = """
CREATE TABLE IF NOT EXISTS answer (
    user TEXT, method TEXT, path TEXT, key TEXT, begun REAL NOT NULL, status INTEGER, headers TEXT, body BLOB,
    PRIMARY KEY (user, method, path, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_begun ON answer(begun);
"""
_SIZE = (
    "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
_OLDEST_TENTH = (
    "DELETE FROM answer WHERE begun <= (SELECT begun FROM answer ORDER BY begun LIMIT 1 "
    "OFFSET (SELECT COUNT(*) / 10 FROM answer))"
)
_SAME = "user=? AND method=? AND path=? AND key=?"


class RequestKey(NamedTuple):
    """What a request is known by."""

    user: str
    method: str
    path: str
    key: str


class KeptAnswer(NamedTuple):
    """What a request was answered with."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class KeptAnswers:
    """The answers of the last day, the oldest of which go where all take over a gigabyte.

    A request is noted before it is worked on, so that it is never done twice.

    Args:
        file: in SQLite's format; made where there is none.
    """

    def __init__(self, file: Path) -> None:
        self._lock = Lock()
        self._working: set[RequestKey] = set()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_TABLE}")
        file.chmod(0o600)

    def begin(self, key: RequestKey) -> bool:
        """Note that a request is worked on; False if it is, or was, already."""
        with self._lock:
            self._connection.execute("DELETE FROM answer WHERE begun<?", (time.time() - KEPT_SECONDS,))
            self._keep_small()
            values = (*key, time.time())
            query = "INSERT OR IGNORE INTO answer(user, method, path, key, begun) VALUES(?, ?, ?, ?, ?)"
            is_new = self._connection.execute(query, values).rowcount == 1
            if is_new:
                self._working.add(key)
            return is_new

    def is_working(self, key: RequestKey) -> bool:
        """Return whether the request is being worked on."""
        with self._lock:
            return key in self._working

    def find(self, key: RequestKey) -> KeptAnswer | None:
        """Return the answer to a request; None if it has none."""
        with self._lock:
            query = f"SELECT status, headers, body FROM answer WHERE {_SAME}"
            status, headers, body = self._connection.execute(query, key).fetchone() or (None, "", b"")
        if status is None:
            return None
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in json.loads(headers)]
        return KeptAnswer(status, pairs, body)

    def keep(self, key: RequestKey, answer: KeptAnswer) -> None:
        """Keep the answer to a request."""
        headers = json.dumps([(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers])
        with self._lock:
            values = (answer.status, headers, answer.body, *key)
            self._connection.execute(f"UPDATE answer SET status=?, headers=?, body=? WHERE {_SAME}", values)
            self._working.discard(key)

    def forget(self, key: RequestKey) -> None:
        """Let a request that came to nothing be made again."""
        with self._lock:
            self._connection.execute(f"DELETE FROM answer WHERE {_SAME}", key)
            self._working.discard(key)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _keep_small(self) -> None:
        """Forget the oldest tenth of the answers where all of them take too much."""
        (size,) = self._connection.execute(_SIZE).fetchone()
        if size > KEPT_BYTES:
            self._connection.execute(_OLDEST_TENTH)
