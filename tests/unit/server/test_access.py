"""Who is let in: a row of the list of threats each."""

import base64
import json
import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from masklet.errors import InvalidInputError
from masklet.server import tokens as tokens_module
from masklet.server.access import AccessGate, AccessRules
from masklet.server.limits import Limits
from masklet.server.problems import Problem
from masklet.server.tokens import MOST_SESSIONS, Tokens, hash_of, read_users

TOKEN = "a-token-of-twenty-characters"
HERE = "http://127.0.0.1:8765"


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the caller's name, after the body."""
    while scope["type"] == "http" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["state"]["user"]).encode()})


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens({"ann": hash_of(TOKEN)}, tmp_path / "server.json", failures=2)


def client(tokens: Tokens, *, is_read_only: bool = False) -> TestClient:
    rules = AccessRules.at(8765, ["studio.example"], is_read_only=is_read_only)
    return TestClient(AccessGate(reads_all, rules, tokens, Limits()), base_url=HERE)


BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("LOCALHOST:8765", 200),
        ("[::1]:8765", 200),
        ("studio.example", 200),
        ("studio.example:8765", 200),
        ("evil.example:8765", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1:8766", 421),
    ],
)
def test_names_that_are_served(tokens: Tokens, host: str, status: int) -> None:
    assert client(tokens).get("/api/v1/info", headers=BEARER | {"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        (BEARER, 200),
        (BEARER | {"Origin": HERE}, 200),
        (BEARER | {"Origin": "http://evil.example"}, 403),
        (BEARER | {"Origin": "null"}, 403),
        (BEARER | {"Sec-Fetch-Site": "cross-site"}, 403),
        (BEARER | {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (BEARER | {"Content-Type": "text/plain"}, 415),
    ],
)
def test_callers(tokens: Tokens, headers: dict[str, str], status: int) -> None:
    answer = client(tokens).post("/api/v1/projects", headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("given", "status"), [(f"ann:{TOKEN}", 200), (f"bob:{TOKEN}", 401), ("ann:wrong", 401), ("ann", 401), ("", 401)]
)
def test_other_tools_have_names_and_passwords(tokens: Tokens, given: str, status: int) -> None:
    basic = {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"}
    assert client(tokens).post("/adapters/x", headers=basic).status_code == status
    assert client(tokens).post("/api/v1/projects", headers=basic).status_code == 401
    assert client(tokens).post("/adapters/x", headers={"Authorization": "Basic ä!".encode()}).status_code == 401


def test_the_cookie_counts_with_proof_only(tokens: Tokens) -> None:
    cookie = {"Cookie": f"masklet={tokens.log_in(TOKEN, 'here')}"}
    assert client(tokens).get("/api/v1/info", headers=cookie).text == "ann"
    assert client(tokens).post("/api/v1/projects", headers=cookie).status_code == 403
    assert client(tokens).post("/api/v1/projects", headers=cookie | {"X-Masklet": "1"}).status_code == 200


def test_sessions_survive_a_restart_until_logged_out(tokens: Tokens, tmp_path: Path) -> None:
    key = tokens.log_in(TOKEN, "here")
    again = Tokens({"ann": hash_of(TOKEN)}, tmp_path / "server.json", failures=2)
    assert again.user_of_session(key) == "ann"
    assert key not in (tmp_path / "server.json").read_text()
    again.log_out(key)
    assert Tokens({"ann": hash_of(TOKEN)}, tmp_path / "server.json", failures=2).user_of_session(key) is None
    assert Tokens({"bob": hash_of(TOKEN)}, tmp_path / "server.json", failures=2).user_of_session(key) is None


def test_the_oldest_sessions_go(tokens: Tokens, tmp_path: Path) -> None:
    keys = [tokens.log_in(TOKEN, "here") for _ in range(MOST_SESSIONS + 2)]
    assert [tokens.user_of_session(key) for key in keys] == [None, None, *["ann"] * MOST_SESSIONS]
    assert len(json.loads((tmp_path / "server.json").read_text())["sessions"]) == MOST_SESSIONS


def test_addresses_that_logged_in_are_forgotten(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "_MOST_ADDRESSES", 3)
    for number in range(10):
        with pytest.raises(Problem):
            tokens.log_in("wrong", f"address{number}")
    tokens.log_in(TOKEN, "here")
    assert len(tokens._failed) <= 4


def test_failed_logins_are_slowed_down(tokens: Tokens) -> None:
    statuses = []
    for _ in range(3):
        with pytest.raises(Problem) as caught:
            tokens.log_in("wrong", "there")
        statuses.append(caught.value.status_code)
    assert statuses == [401, 401, 429]
    assert tokens.log_in(TOKEN, "elsewhere")


def test_long_bodies_are_refused_before_they_are_read(tokens: Tokens) -> None:
    body = b"x" * (Limits().json_body + 1)
    with pytest.raises(Problem, match="at most 262144 bytes"):
        client(tokens).post("/api/v1/login", content=body, headers={"Content-Type": "application/json"})
    part = client(tokens).put("/api/v1/uploads/upl_1", content=body, headers=BEARER)
    assert part.status_code == 200, "parts of uploads are longer"
    assert client(tokens).post("/adapters/x", content=body, headers=BEARER).status_code == 200, "so are images"


def test_nothing_is_changed_where_it_is_only_shown(tokens: Tokens) -> None:
    shown = client(tokens, is_read_only=True)
    assert shown.get("/api/v1/projects", headers=BEARER).status_code == 200
    assert shown.delete("/api/v1/projects/x", headers=BEARER).status_code == 403
    assert shown.post("/api/v1/login", json={"token": TOKEN}).status_code == 200


def test_files_of_users(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    file.write_text(json.dumps({"ann": TOKEN, "bob": f"sha256:{hash_of('x' * 20)}"}))
    os.chmod(file, 0o600)
    assert read_users(file) == {"ann": hash_of(TOKEN), "bob": hash_of("x" * 20)}
    os.chmod(file, 0o640)
    with pytest.raises(InvalidInputError, match="chmod 600"):
        read_users(file)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"ann": TOKEN, "Ann": "x" * 20}),
        "[]",
        "{}",
        json.dumps({"../x": TOKEN}),
        '{"ann": "short"}',
        '{"ann": 7}',
    ],
)
def test_files_of_users_that_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(content)
    os.chmod(file, 0o600)
    with pytest.raises(InvalidInputError):
        read_users(file)
