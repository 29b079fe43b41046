"""Who a caller is: tokens of users, and the sessions of browsers that a token was exchanged for."""

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from masklet.atomic_files import written_whole
from masklet.errors import InvalidInputError
from masklet.json_files import read_json, shown
from masklet.server.problems import Problem

LOCAL = "local"
SHORTEST_TOKEN = 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_SESSION_SECONDS = 30 * 24 * 3600
_MINUTE = 60
MOST_SESSIONS = 50  # of a user: so many browsers stay logged in
_MOST_ADDRESSES = 10_000


def hash_of(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal digits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_users(path: Path) -> dict[str, str]:
    """Return the names of a users file with the SHA-256 of each one's token.

    The file is a JSON object of names and tokens, or `sha256:` and the hash of one. InvalidInputError if it is no such
    file, or others than its owner may read it.
    """
    if os.name == "posix" and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InvalidInputError(f"{path} can be read by others; make it yours alone: chmod 600 {path}")
    content = read_json(path)
    if not isinstance(content, dict) or not content:
        raise InvalidInputError(f"{path} must be a JSON object of user names and tokens; got {shown(content)}.")
    if len({name.lower() for name in content}) < len(content):
        raise InvalidInputError(f"{path}: names that differ in case only share a folder on some systems.")
    users = {}
    for name, token in content.items():
        if not _NAME.fullmatch(name):
            raise InvalidInputError(f"{path}: a user name has letters, digits, '.', '_' and '-'; got {shown(name)}.")
        if not isinstance(token, str) or len(token) < SHORTEST_TOKEN:
            raise InvalidInputError(f"{path}: the token of {name} needs {SHORTEST_TOKEN} characters or more.")
        is_hashed = re.fullmatch("sha256:[0-9a-f]{64}", token)
        users[name] = token.removeprefix("sha256:") if is_hashed else hash_of(token)
    return users


class Tokens:
    """Recognises callers by tokens and by session cookies; keeps hashes only.

    Args:
        users: names and hashes of tokens.
        file: where the sessions are kept.
        failures: so many failed logins a minute are allowed to an address.
    """

    def __init__(self, users: Mapping[str, str], file: Path, failures: int) -> None:
        self._users, self._file, self._failures = dict(users), file, failures
        self._lock = Lock()
        self._failed: dict[str, deque[float]] = defaultdict(deque)
        self._sessions: dict[str, tuple[str, float]] = _read_sessions(file)

    def user_of_token(self, token: str) -> str | None:
        """Return who has this token, compared in constant time; None: nobody."""
        given, found = hash_of(token), None
        for name, known in self._users.items():
            if hmac.compare_digest(given, known):
                found = name
        return found

    def user_of_session(self, key: str) -> str | None:
        """Return whose session this is; None: nobody's, or it is over."""
        with self._lock:
            name, until = self._sessions.get(hash_of(key), ("", 0.0))
        return name if name in self._users and until > time.time() else None

    def log_in(self, token: str, address: str) -> str:
        """Exchange a token for the key of a new session; Problem if it is wrong, or too many were."""
        with self._lock:
            if self._failed_lately(address) >= self._failures:
                raise Problem(429, "too_many", "Too many failed logins; wait a minute.", headers={"Retry-After": "60"})
        user = self.user_of_token(token)
        if user is None:
            with self._lock:
                self._failed[address].append(time.monotonic())
            raise Problem(401, "unauthenticated", "There is no such token.")
        key = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[hash_of(key)] = (user, time.time() + _SESSION_SECONDS)
            own = sorted((until, each) for each, (name, until) in self._sessions.items() if name == user)
            for _, oldest in own[:-MOST_SESSIONS]:
                del self._sessions[oldest]
            self._save()
        return key

    def log_out(self, key: str) -> None:
        """End a session."""
        with self._lock:
            if self._sessions.pop(hash_of(key), None) is not None:
                self._save()

    def _failed_lately(self, address: str) -> int:
        """Return how many logins of an address failed within a minute."""
        if len(self._failed) > _MOST_ADDRESSES:
            self._failed.clear()
        failed, since = self._failed.get(address, deque()), time.monotonic() - _MINUTE
        while failed and failed[0] < since:
            failed.popleft()
        if not failed:
            self._failed.pop(address, None)
        return len(failed)

    def _save(self) -> None:
        now = time.time()
        self._sessions = {key: entry for key, entry in self._sessions.items() if entry[1] > now}
        with written_whole(self._file) as unfinished:
            unfinished.write_text(json.dumps({"sessions": self._sessions}), encoding="utf-8")
            unfinished.chmod(0o600)


def _read_sessions(file: Path) -> dict[str, tuple[str, float]]:
    content = read_json(file) if file.exists() else {}
    found = content.get("sessions", {}) if isinstance(content, dict) else {}
    return {key: (str(name), float(until)) for key, (name, until) in found.items()}
