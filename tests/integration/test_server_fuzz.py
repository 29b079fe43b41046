"""Hostile requests and messages: whatever comes in, what goes out is documented, and says nothing of the server."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.support.served import Served, served
from websockets.exceptions import ConnectionClosed

TRUCK = Path(__file__).parents[2] / "assets" / "truck.jpg"
REQUESTS, MESSAGES = 300, 300
OWN = 10**9  # numbers of commands that no other has
METHODS = ("get", "post", "put", "patch", "delete", "head")
NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**32, 2**64, -(2**70), 0.5, 1e308, -1e-308, "", " ", "0", "x" * 5000, "\0", "../..",
    "'; DROP TABLE item; --", "%s%n", "\ud83d\ude00", "é" * 300, [], [[]], {}, [None], [0] * 300, {"a": {"b": []}},
    "itm_" + "A" * 22, "prj_" + "A" * 22, [[0, 0, 1]], [[1e9, 5, 1]], [3, 2, 1, 0], {"size": [683, 1024], "counts": ""},
    {"size": [65535, 65535], "counts": "0"}, "#12345", "bytes 0-0/1", "bytes 0-99999999999999999/1",
)  # fmt: skip
PACKET_STARTS = (b"", b"MKF1", b"MKL1", b"MKF1" + b"\xff" * 16 + b"\xff\xd8\xff", b"\0" * 100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


def resolved(schema: Any, components: Any) -> Any:
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    return schema


def value_of(schema: Any, components: Any, rng: random.Random, depth: int = 0) -> Any:
    """Something like what a schema describes, or something else."""
    schema = resolved(schema, components)
    if rng.random() < 0.15 or depth > 6:
        return rng.choice(NASTY)
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return value_of(rng.choice(choices), components, rng, depth + 1)
    if "const" in schema or "enum" in schema:
        return schema.get("const", rng.choice(schema.get("enum", [None])))
    kind = schema.get("type")
    if kind == "object":
        given = {
            name: value_of(each, components, rng, depth + 1)
            for name, each in schema.get("properties", {}).items()
            if name in schema.get("required", ()) or rng.random() < 0.5
        }
        return given | ({"more": 1} if rng.random() < 0.05 else {})
    if kind == "array":
        items = schema.get("prefixItems") or [schema.get("items", {})] * rng.choice([0, 1, 2, 5])
        return [value_of(each, components, rng, depth + 1) for each in items]
    plain = {"integer": rng.choice([0, 1, 2, 7]), "number": rng.uniform(-5, 1100), "boolean": rng.random() < 0.5}
    return plain.get(kind, rng.choice(["name", "image", "coco", "#112233", "A"]))


def known_ids(server: Served) -> dict[str, str]:
    """Ids that are there, which a part of the requests is about."""
    project = server.ann.project()
    item = server.ann.item(project, TRUCK, "image")
    server.ann.command(item, "prompt", object=0, frame=0, points=[[320, 425, 1]])
    return {"project": project, "item": item}


def test_requests_of_any_kind(server: Served) -> None:
    description, rng, ids = server.ann.get("openapi.json"), random.Random(0), known_ids(server)
    components = description["components"]["schemas"]
    operations = [
        (method, path, about)
        for path, methods in description["paths"].items()
        for method, about in methods.items()
        if method in METHODS and not path.endswith(("/logout", "/login"))
    ]
    faults = []
    for _ in range(REQUESTS):
        method, path, about = rng.choice(operations)
        headers, query = {}, []
        for each in about.get("parameters", []):
            value = value_of(each["schema"], components, rng)
            text = quote(value if isinstance(value, str) else json.dumps(value), safe="", errors="replace")
            if each["in"] == "path":
                path = path.replace(
                    "{" + each["name"] + "}", ids.get(each["name"], text) if rng.random() < 0.7 else text
                )
            elif rng.random() < 0.5 and each["in"] == "query":
                query.append(f"{each['name']}={text}")
            elif rng.random() < 0.5:
                headers[each["name"]] = text[:300]
        if method == "delete" and any(each in path for each in ids.values()):
            continue  # the others need them
        body = None
        if content := about.get("requestBody", {}).get("content"):
            schema = content.get("application/json", {}).get("schema")
            body = rng.randbytes(rng.choice([0, 1, 300])) if schema is None else value_of(schema, components, rng)
        address = path[1:] + ("?" + "&".join(query) if query else "")
        answer = server.ann.ask(method.upper(), address, body, headers, api=False)
        documented = {int(each) for each in about["responses"]} | {405}
        if answer.status not in documented or answer.status >= 500 or leaks(server, answer.body):
            faults.append((method, address[:200], headers, body, answer.status, answer.body[:200]))
    assert faults == []
    check_health(server)


def test_messages_of_any_kind(server: Served) -> None:
    rng, ids = random.Random(1), known_ids(server)
    components = server.ann.get("openapi.json")["components"]["schemas"]
    left, codes = MESSAGES, set()
    while left:
        with server.ann.socket(ids["item"]) as socket:
            try:
                while left:
                    left -= 1
                    socket.connection.send(message(components, rng))
                    if left % 20 == 0:
                        socket.connection.send(json.dumps({"n": OWN + left, "do": "look", "frame": 0}))
                        assert socket.reply(OWN + left)["ok"]
            except ConnectionClosed as closed:
                codes.add(closed.rcvd.code if closed.rcvd else None)
            assert not any(leaks(server, json.dumps(each).encode()) for each in socket.events)
    assert codes <= {1003, 1009, 4429}, "the server closes with a reason"
    check_health(server)


def message(components: Any, rng: random.Random) -> str | bytes:
    """A message of a socket: mostly a command, or nearly one; seldom bytes, which are for streams only."""
    if rng.random() < 0.02:
        return rng.choice(PACKET_STARTS) + rng.randbytes(rng.choice([0, 1, 50]))
    command = value_of(components["Command"], components, rng)
    text = json.dumps(command)
    if rng.random() < 0.1:
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(["", "}", '"', "\x00", "1e999"]) + text[place + rng.randrange(3) :]
    return text


def leaks(server: Served, body: bytes) -> bool:
    """Whether an answer names folders of the server, or lines of its code."""
    return str(server.folder).encode() in body or re.search(rb"Traceback|\.py\b|sqlite3\.", body) is not None


def check_health(server: Served) -> None:
    assert server.process.poll() is None
    assert server.ann.get("metrics")["queue"]["running"] <= 2
    log = (server.folder / "log.txt").read_text()
    assert "fault in masklet" not in log, log[-3000:]
