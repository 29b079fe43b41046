"""Requests with a key: done once, whoever repeats them, and whatever happens to the server meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from masklet.server import kept_answers
from masklet.server.kept_answers import KeptAnswers
from masklet.server.repeats import Repeats

KEY = {"Idempotency-Key": "a-key"}


class Counting:
    """Answers how often it was asked; its path is the status. `user` is the caller that the gate would have found."""

    def __init__(self, kept: KeptAnswers, user: str | None = "ann") -> None:
        self.asked, self.user, self.fails = 0, user, False
        self.client = TestClient(self._gate, raise_server_exceptions=False)
        self._repeats = Repeats(self._answer, kept)

    async def _gate(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {"user": self.user}
        await self._repeats(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if self.fails:
            raise ZeroDivisionError
        status = int(scope["path"].strip("/"))
        await send({"type": "http.response.start", "status": status, "headers": [(b"etag", b"x")]})
        await send({"type": "http.response.body", "body": str(self.asked).encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b"!"})


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptAnswers]:
    made = KeptAnswers(tmp_path / "answers.sqlite")
    yield made
    made.close()


def test_answers_survive_a_restart(kept: KeptAnswers, tmp_path: Path) -> None:
    first = Counting(kept).client.post("/201", headers=KEY)
    again = KeptAnswers(tmp_path / "answers.sqlite")
    restarted = Counting(again)
    second = restarted.client.post("/201", headers=KEY)
    again.close()
    assert (second.status_code, second.text, second.headers["etag"]) == (201, first.text, "x") == (201, "1!", "x")
    assert restarted.asked == 0


def test_the_oldest_answers_go_where_they_take_too_much(kept: KeptAnswers, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(kept)
    for number in range(20):
        counting.client.post("/200", headers={"Idempotency-Key": str(number)})
    monkeypatch.setattr(kept_answers, "KEPT_BYTES", 1)
    assert counting.client.post("/200", headers={"Idempotency-Key": "19"}).text == "20!"
    monkeypatch.undo()
    assert counting.client.post("/200", headers={"Idempotency-Key": "18"}).text == "19!"
    assert counting.client.post("/200", headers={"Idempotency-Key": "0"}).text == "21!"


def test_what_is_another_request(kept: KeptAnswers) -> None:
    asked = Counting(kept)
    assert asked.client.post("/200", headers=KEY).text == "1!"
    assert asked.client.put("/200", headers=KEY).text == "2!"
    assert asked.client.post("/201", headers=KEY).text == "3!"
    assert asked.client.post("/200", headers={"Idempotency-Key": "other"}).text == "4!"
    asked.user = "bob"
    assert asked.client.post("/200", headers=KEY).text == "5!"
    assert [asked.client.get("/200", headers=KEY).text for _ in range(2)] == ["6!", "7!"]


def test_nobodys_answers_are_not_kept(kept: KeptAnswers) -> None:
    asked = Counting(kept, user=None)
    assert [asked.client.post("/204", headers=KEY).text for _ in range(2)] == ["1!", "2!"], (
        "a login has the cookie in it"
    )


def test_faults_may_be_gone_next_time(kept: KeptAnswers) -> None:
    asked = Counting(kept)
    assert asked.client.post("/503", headers=KEY).text == "1!"
    asked.fails = True
    assert asked.client.post("/503", headers=KEY).status_code == 500
    asked.fails = False
    assert asked.client.post("/503", headers=KEY).text == "3!"
    assert [asked.client.post("/422", headers=KEY).text for _ in range(2)] == ["4!", "4!"]


def test_a_request_that_a_kill_ended_is_not_done_again(kept: KeptAnswers, tmp_path: Path) -> None:
    asked = Counting(kept)
    key = ("ann", "POST", "/200", "a-key")
    assert kept.begin(key)
    assert asked.client.post("/200", headers=KEY).json()["code"] == "conflict"
    again = KeptAnswers(tmp_path / "answers.sqlite")
    restarted = Counting(again)
    assert restarted.client.post("/200", headers=KEY).json()["code"] == "unconfirmed"
    again.close()
    assert (asked.asked, restarted.asked) == (0, 0)
