"""The server from outside: a process of its own with the bundled model, asked over HTTP and WebSocket."""

import hashlib
import io
import json
import socket as sockets
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.served import PACKETS, TOKENS, Answer, Client, Served, served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from masklet import ImageSegmenter, VideoTracker, open_video
from masklet.formats.reading.opening import open_dataset
from masklet.masks.overlap import intersection_over_union
from masklet.masks.run_length import decode_run_length, encode_run_length
from masklet.media.recorded_masks import RecordedMasks
from masklet.server.packets import Flag, Kind, State, decode, parted

ASSETS = Path(__file__).parents[2] / "assets"
TRUCK, JUGGLE = ASSETS / "truck.jpg", ASSETS / "juggle.mp4"
CLICK, SECOND = [[320, 425, 1]], [[263, 430, 1]]
BALL, MAN = (229, 105, 262, 137), (228, 18, 312, 252)
LAST = 15  # of the frames that are tracked here


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="module")
def ann(server: Served) -> Client:
    return server.ann


@pytest.fixture(scope="module")
def project(ann: Client) -> str:
    return ann.project()


@pytest.fixture
def truck(ann: Client, project: str) -> str:
    return ann.item(project, TRUCK, "image")


@pytest.fixture
def juggle(ann: Client, project: str) -> str:
    return ann.item(project, JUGGLE, "video")


def masks_of(client: Client, item: str) -> dict[tuple[int, int], dict]:
    found = client.get(f"items/{item}/masks")
    return {(mask["object"], frame["frame"]): mask for frame in found["frames"] for mask in frame["masks"]}


def areas(client: Client, item: str) -> dict[tuple[int, int], int]:
    return {key: mask["area"] for key, mask in masks_of(client, item).items()}


def boxes(client: Client, item: str) -> None:
    for box in (BALL, MAN):
        answer = client.command(item, "prompt", object=0, frame=0, box=box)
        assert answer.status == 200, answer.body


def tracked(client: Client, item: str, **fields: object) -> dict:
    fields = {"frames": [0, LAST]} | fields
    answer = client.command(item, "track", **fields)
    assert answer.status == 200, answer.body
    return client.done(answer.json["job"]["id"])


# -- access (checks 2 to 9) -------------------------------------------------------------------------------------------


def test_who_is_calling(server: Served) -> None:
    refused = server.nobody.ask("GET", "info")
    assert (refused.status, refused.headers["content-type"]) == (401, "application/problem+json")
    info = server.ann.get("info")
    assert (info["user"], info["model"]["image_size"]) == ("ann", 384)
    assert info["limits"]["sockets_per_user"] == 8
    assert server.nobody.ask("GET", "healthz", api=False).json == {"status": "ok"}


def log_in(client: Client, token: str, **forwarded: str) -> Answer:
    headers = {f"X-Forwarded-{name}": value for name, value in forwarded.items()}
    return client.ask("POST", "login", {"token": token}, headers)


def test_a_proxy_is_believed_who_calls_and_how(server: Served, tmp_path: Path) -> None:
    with served(tmp_path, "--proxy", "127.0.0.0/8") as behind:
        failed = [log_in(behind.nobody, "wrong", For="192.0.2.1").status for _ in range(11)]
        assert failed == [401] * 10 + [429]
        other = log_in(behind.nobody, TOKENS["ann"], For="192.0.2.2", Proto="https")
        assert other.status == 204, "failed logins of one address lock out no other"
        assert "secure" in other.headers["set-cookie"].lower()
    unasked = log_in(server.nobody, TOKENS["ann"], Proto="https")
    assert "secure" not in unasked.headers["set-cookie"].lower()


def test_other_names_are_not_served(server: Served, truck: str) -> None:
    evil = {"Host": f"evil.example:{server.port}"}
    assert server.ann.ask("GET", "info", headers=evil).status == 421
    with pytest.raises(InvalidStatus) as caught:
        connect(
            f"ws://evil.example:{server.port}/api/v1/items/{truck}/ws",
            sock=sockets.create_connection(("127.0.0.1", server.port)),
            additional_headers=server.ann.bearer,
        )
    assert caught.value.response.status_code == 421


def test_the_cookie_needs_our_own_page(server: Served, truck: str) -> None:
    login = server.nobody.ask("POST", "login", {"token": TOKENS["ann"]})
    assert login.status == 204
    cookie, _, rest = login.headers["set-cookie"].partition(";")
    assert {"HttpOnly", "SameSite=strict"} <= {each.strip() for each in rest.split(";")}
    ours, evil = {"Cookie": cookie}, {"Origin": "http://evil.example"}
    assert server.nobody.ask("GET", "info", headers=ours).json["user"] == "ann"
    assert server.nobody.ask("POST", "projects", {"name": "x"}, ours).status == 403
    assert server.nobody.ask("POST", "projects", {"name": "x"}, ours | {"X-Masklet": "1"} | evil).status == 403
    for headers in (ours | evil, ours):
        with pytest.raises(InvalidStatus) as caught:
            connect(f"ws://127.0.0.1:{server.port}/api/v1/items/{truck}/ws", additional_headers=headers)
        assert caught.value.response.status_code == 403


def test_every_answer_binds_the_browser(server: Served) -> None:
    paths = ("", "healthz", "api/v1/info", "api/v1/nothing", "nothing")
    for answer in (client.ask("GET", path, api=False) for path in paths for client in (server.ann, server.nobody)):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        rules = {each.strip() for each in answer.headers["content-security-policy"].split(";")}
        assert {"default-src 'self'", "object-src 'none'", "frame-ancestors 'none'", "form-action 'none'"} <= rules
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_uploads_go_on_where_they_were(server: Served, project: str) -> None:
    data = TRUCK.read_bytes()
    broken = server.ann.upload(project, data, "image", "../../x.jpg", part=20_000, stop_after=3)
    upload = broken.headers["upload"]
    offset = int(server.ann.ask("HEAD", f"uploads/{upload}").headers["upload-offset"])
    assert offset == 60_000
    wrong = server.ann.ask("PUT", f"uploads/{upload}", b"x", {"Content-Range": f"bytes 5-5/{len(data)}"})
    assert (wrong.status, wrong.headers["upload-offset"]) == (409, "60000")
    beyond = f"bytes {len(data)}-{len(data)}/{len(data) + 1}"
    assert server.ann.ask("PUT", f"uploads/{upload}", b"x", {"Content-Range": beyond}).status == 416
    item = server.ann.go_on(upload, data, offset, 100_000).json["item"]
    shown = server.ann.get(f"items/{item['id']}")
    assert (shown["status"], shown["width"], shown["height"]) == ("ready", 1024, 683)
    assert shown["sha256"] == hashlib.sha256(data).hexdigest()
    outside = [path for path in server.folder.rglob("*") if "x.jpg" in path.name]
    assert outside == []


def test_what_is_anns_is_nothing_to_bob(server: Served, project: str, truck: str) -> None:
    server.ann.command(truck, "prompt", object=0, frame=0, points=CLICK)
    unknown = {"projects": "prj_" + "A" * 22, "items": "itm_" + "A" * 22}
    for path in ("{i}", "{i}/frames/0", "{i}/masks", "{i}/objects", "{i}/stats", "{i}/review", "{i}/filmstrip"):
        found = [server.bob.ask("GET", f"items/{path.format(i=each)}") for each in (truck, unknown["items"])]
        assert [each.status for each in found] == [404, 404]
        assert found[0].body == found[1].body
    for path in (f"projects/{project}", f"projects/{unknown['projects']}"):
        assert server.bob.ask("GET", path).status == 404
        assert server.bob.ask("POST", f"{path}/exports", {"format": "coco", "items": [truck]}).status == 404
    assert server.bob.command(truck, "undo").status == 404
    assert server.bob.get("projects")["projects"] == []
    for item in (truck, unknown["items"]):
        with pytest.raises(ConnectionClosed) as caught, server.bob.socket(item):
            pass
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4404


def test_jobs_exports_and_uploads_are_nothing_to_bob(server: Served, project: str, truck: str) -> None:
    server.ann.command(truck, "prompt", object=0, frame=0, points=CLICK)
    job = server.ann.ask("POST", f"projects/{project}/exports", {"format": "coco", "items": [truck]}).json["id"]
    export = server.ann.done(job)["result"]["export"]
    upload = server.ann.upload(project, TRUCK, "image", part=1000, stop_after=1).headers["upload"]
    for path, unknown in ((f"jobs/{job}", "jobs/job_"), (f"exports/{export}", "exports/exp_")):
        answers = [server.bob.ask("GET", each) for each in (path, unknown + "A" * 22)]
        assert [each.status for each in answers] == [404, 404]
        assert answers[0].body == answers[1].body
    assert server.bob.ask("DELETE", f"jobs/{job}").status == 404
    assert server.bob.ask("HEAD", f"uploads/{upload}").status == 404
    assert server.bob.ask("PUT", f"uploads/{upload}", b"x", {"Content-Range": "bytes 1000-1000/2000"}).status == 404
    other = server.bob.project()
    for kind, asked in (("exports", {"format": "coco", "items": [truck]}), ("imports", {"upload": upload})):
        assert server.bob.ask("POST", f"projects/{other}/{kind}", asked).status == 404
    assert server.ann.ask("GET", f"exports/{export}", headers={"Range": "bytes=0-3"}).body == b"PK\x03\x04"


def test_paths_of_the_server_stay_its_own(server: Served, project: str, truck: str) -> None:
    for path in ("../../etc/passwd", "/etc/passwd", "/dev/zero"):
        assert server.ann.ask("POST", f"projects/{project}/items", {"path": path}).status in (404, 422)
    assert server.ann.ask("GET", f"items/{truck}/frames/..%2f..%2fx").status in (404, 422)


@pytest.mark.parametrize(
    "content",
    [
        b"ffconcat version 1.0\nfile juggle.mp4\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\njuggle.mp4\n#EXT-X-ENDLIST\n",
        b"nothing at all",
    ],
)
def test_media_that_read_other_files(server: Served, project: str, content: bytes) -> None:
    answer = server.ann.upload(project, content, "video", "evil.mp4")
    assert answer.status == 422
    assert str(server.folder) not in answer.json["detail"]
    item = answer.json["item"]
    assert server.ann.get(f"items/{item}")["status"] == "failed"
    assert server.ann.ask("GET", f"items/{item}/frames/0").status == 422


def test_images_that_would_fill_the_memory(server: Served, project: str) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    before = server.ann.get("metrics")["rss"]
    answer = server.ann.upload(project, b"\x89PNG\r\n\x1a\n" + chunk + b"\0" * 100, "image", "bomb.png")
    assert answer.status == 422
    assert server.ann.get("metrics")["rss"] - before < 50 * 2**20


def test_bodies_have_an_end(server: Served) -> None:
    long = {"name": "x" * 300_000}
    assert server.ann.ask("POST", "projects", long).status == 413
    assert server.ann.ask("POST", "projects", b"{", {"Content-Type": "application/json"}).status == 400
    assert server.ann.ask("POST", "projects", {"name": 7}).status == 422
    form = server.ann.ask("POST", "projects", b"name=x", {"Content-Type": "application/x-www-form-urlencoded"})
    assert form.status == 415


def test_the_description_is_complete(ann: Client) -> None:
    found = ann.get("openapi.json")
    assert found["openapi"].startswith("3.1")
    assert {"Command", "Reply", "Event", "ProblemMessage"} <= found["components"]["schemas"].keys()
    text = json.dumps(found)
    names = {each.split('"')[0] for each in text.split("#/components/schemas/")[1:]}
    assert names <= found["components"]["schemas"].keys()


# -- images (checks 10 to 12) -----------------------------------------------------------------------------------------


def test_what_somebody_looks_at_is_encoded_ahead(ann: Client, juggle: str) -> None:
    def encoded() -> int:
        return ann.get("metrics")["model_units"]["encode"]

    before = encoded()
    assert ann.command(juggle, "look", frame=45, ahead=8).status == 200  # the last frame is 47
    while encoded() < before + 3:
        time.sleep(0.05)
    units = encoded()
    ann.command(juggle, "prompt", object=0, frame=46, points=[[320, 180, 1]])
    assert encoded() == units == before + 3


def test_frames_are_what_the_model_sees(ann: Client, juggle: str) -> None:
    answer = ann.ask("GET", f"items/{juggle}/frames/7?type=png")
    assert answer.headers["cache-control"] == "private, immutable, max-age=31536000"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.body))), open_video(JUGGLE)[7])
    again = ann.ask("GET", f"items/{juggle}/frames/7?type=png", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    small = ann.ask("GET", f"items/{juggle}/frames/7?width=120&type=webp")
    assert Image.open(io.BytesIO(small.body)).size == (120, 68)
    assert ann.ask("GET", f"items/{juggle}/frames/48").status == 404
    assert Image.open(io.BytesIO(ann.ask("GET", f"items/{juggle}/filmstrip?count=4").body)).size == (4 * 85, 48)


def test_a_click_is_that_of_the_segmenter(ann: Client, truck: str) -> None:
    answer = ann.command(truck, "prompt", object=0, frame=0, points=CLICK).json
    (mask,) = answer["masks"]
    decoded = decode_run_length(mask["rle"])
    segmenter = ImageSegmenter.from_pretrained()
    expected = segmenter.segment(segmenter.encode(TRUCK), points=[[(320, 425)]])
    assert decoded.shape == (683, 1024)
    assert intersection_over_union(decoded, expected.mask(0)) >= 0.99
    assert mask["score"] == pytest.approx(float(expected.scores[0]), abs=1e-4)
    with ann.socket(truck) as socket:
        assert socket.command("prompt", object=0, frame=0, points=CLICK)["object"] == 2
        packet = decode(socket.packets[-1])
    assert (packet.kind, packet.entries[0].object, packet.width, packet.height) == (Kind.ANSWER, 2, 1024, 683)
    assert np.array_equal(packet.entries[0].mask.mask(683, 1024), decoded)
    posted = ann.ask(
        "POST", f"items/{truck}/commands", {"do": "segment", "frame": 0, "objects": [1]}, {"Accept": PACKETS}
    )
    (sent,) = parted(posted.body)
    assert np.array_equal(sent.entries[0].mask.mask(683, 1024), decoded)


def test_undo_and_redo(ann: Client, truck: str) -> None:
    first = ann.command(truck, "prompt", object=0, frame=0, points=CLICK).json["masks"][0]["area"]
    second = ann.command(truck, "prompt", object=1, frame=0, points=SECOND, keep=True).json["masks"][0]["area"]
    assert first != second
    units, seen = ann.get("metrics")["model_units"], []
    for turn in ("undo", "undo", "redo", "redo"):
        assert ann.command(truck, turn).status == 200
        seen.append(areas(ann, truck).get((1, 0)))
    assert seen == [first, None, first, second]
    assert ann.get("metrics")["model_units"] == units
    assert ann.command(truck, "redo").status == 409


def test_brush_candidates_and_choice(ann: Client, truck: str) -> None:
    ann.command(truck, "prompt", object=0, frame=0, points=CLICK)
    three = ann.command(truck, "candidates", object=1, frame=0).json["masks"]
    assert [each["candidate"] for each in three] == [0, 1, 2]
    assert ann.command(truck, "choose", object=1, frame=0, candidate=2).json["masks"][0]["area"] == three[2]["area"]
    drawn = np.zeros((683, 1024), dtype=bool)
    drawn[:10, :20] = True
    stroke = encode_run_length(drawn)
    painted = ann.command(truck, "paint", object=1, frame=0, add=stroke).json["masks"][0]
    assert (painted["area"], painted["state"]) == (three[2]["area"] + 200, State.EDITED)
    erased = ann.command(truck, "paint", object=1, frame=0, sub=stroke).json["masks"][0]
    assert erased["area"] == three[2]["area"]


def test_commands_that_cannot_be_done(ann: Client, truck: str) -> None:
    outside = ann.command(truck, "prompt", object=0, frame=0, points=[[5000, 1, 1]])
    assert (outside.status, outside.json["code"], outside.json["field"]) == (422, "outside_frame", "points[0]")
    assert ann.command(truck, "prompt", object=0, frame=1, points=CLICK).status == 422
    assert ann.command(truck, "prompt", object=9, frame=0, points=CLICK).status == 404
    assert ann.command(truck, "prompt", object=0, frame=0).status == 422
    assert ann.command(truck, "nonsense").status == 422
    many = [[each / 10, 5, 1] for each in range(300)]
    assert ann.command(truck, "prompt", object=0, frame=0, points=many).status == 422
    ann.command(truck, "prompt", object=0, frame=0, points=CLICK)
    assert ann.command(truck, "object", object=1, locked=True).status == 200
    assert ann.command(truck, "clear", object=1, frame=0).status == 423
    assert ann.command(truck, "undo", if_revision=0).status == 409


def proposed(client: Client, item: str) -> list[int]:
    answer = client.ask("GET", f"items/{item}/proposals?frame=0", headers={"Accept": PACKETS})
    (packet,) = parted(answer.body)
    assert packet.kind is Kind.EVERYTHING
    return [each.object for each in packet.entries]


def test_everything_is_proposed_and_accepted(ann: Client, truck: str) -> None:
    with ann.socket(truck) as socket:
        job = socket.command("everything", frame=0, grid=4)["job"]["id"]
        assert socket.until_done(job)["state"] == "done"
        while not socket.packets:
            socket.receive()
        packet = decode(socket.packets[0])
        numbers = [each.object for each in packet.entries]
        assert (packet.kind, numbers) == (Kind.EVERYTHING, list(range(1, len(numbers) + 1)))
        assert len(numbers) > 2
        assert areas(ann, truck) == {}
        accepted = socket.command("accept", proposals=numbers[:2], **{"class": "part"})["objects"]
        expected = {(number, 0): each.mask.area for number, each in zip(accepted, packet.entries, strict=False)}
        assert areas(ann, truck) == expected
        assert socket.command("reject", proposals=numbers[:1])["ok"] is False
        assert socket.command("reject", proposals=numbers[3:])["ok"]
        assert proposed(ann, truck) == numbers[2:3]
        socket.command("undo")
        assert areas(ann, truck) == {}
        assert proposed(ann, truck) == numbers[:3], "what was accepted is open again"


# -- videos (checks 16 to 20, 22) -------------------------------------------------------------------------------------


def test_tracking_is_that_of_the_tracker(ann: Client, juggle: str) -> None:
    with ann.socket(juggle) as socket:
        for box in (BALL, MAN):
            socket.command("prompt", object=0, frame=0, box=box)
        job = socket.command("track", frames=[0, LAST])["job"]["id"]
        ended = socket.until_done(job)
        packets = [decode(each) for each in socket.packets]
    assert (ended["state"], ended["done"], ended["total"]) == ("done", LAST + 1, LAST + 1)
    steps = [each["job"]["done"] for each in socket.events if each["ev"] == "job"]
    assert steps == sorted(steps)
    numbers = [each.seq for each in packets] + [each["seq"] for each in socket.events]
    assert len(numbers) == len(set(numbers)), "no number is given twice"
    assert {each.frame for each in packets if each.kind is Kind.TRACK} == set(range(1, LAST + 1))

    video = VideoTracker.from_pretrained(device="cpu").open(JUGGLE)
    video.add(1, 0, box=BALL)
    video.add(2, 0, box=MAN)
    expected = {
        (number, frame): run_length
        for frame, found in video.track(frames=range(LAST + 1))
        for number, run_length in zip(found.object_ids, found.run_lengths, strict=True)
    }
    assert {key: mask["rle"] for key, mask in masks_of(ann, juggle).items()} == expected

    check_correction(ann, juggle)
    check_absence(ann, juggle)


def check_correction(ann: Client, item: str) -> None:
    """A click on frame 8 renews the masks around it, and nothing else; undoing brings them back."""
    before = masks_of(ann, item)
    answer = ann.command(item, "prompt", object=1, frame=8, points=[[300, 60, 0]])
    assert answer.json["stale"] == [{"object": 1, "frames": [[1, 7], [9, LAST]]}]
    clicked = masks_of(ann, item)
    ended = tracked(ann, item, objects="changed")
    after = masks_of(ann, item)
    renewed = {key for key in after if after[key]["run"] != clicked[key]["run"]}
    assert {number for number, _ in renewed} <= {1}
    assert (1, 0) not in renewed
    assert ended["done"] <= 7 + LAST - 8
    assert all(after[key]["rle"] == before[key]["rle"] for key in after if key not in renewed | {(1, 8)})
    assert {each["state"] for each in after.values()} == {State.ANSWERED, State.TRACKED}
    assert tracked(ann, item)["total"] == 0, "what is current is not tracked again"
    for _ in range(2):
        ann.command(item, "undo")
    assert {key: each["rle"] for key, each in masks_of(ann, item).items()} == {
        key: each["rle"] for key, each in before.items()
    }


def check_absence(ann: Client, item: str) -> None:
    units = ann.get("metrics")["model_units"]
    assert ann.command(item, "absent", object=1, frames=[[3, 5]]).status == 200
    found = masks_of(ann, item)
    assert [found[1, frame]["area"] > 0 for frame in (2, 3, 4, 5, 6)] == [True, False, False, False, True]
    assert found[1, 4]["state"] == State.ABSENT
    assert ann.get("metrics")["model_units"] == units
    (first, _) = ann.get(f"items/{item}/objects")["objects"]
    assert first["ranges"] == [[3, 5]]
    ann.command(item, "absent", object=1, frames=[[4, 4]], value=False)
    assert areas(ann, item)[1, 4] > 0


def test_cancelled_tracking_goes_on_where_it_was(ann: Client, juggle: str) -> None:
    boxes(ann, juggle)
    with ann.socket(juggle) as socket:
        job = socket.command("track")["job"]["id"]
        while not any(decode(each).frame >= 4 for each in socket.packets):
            socket.receive()
        socket.command("cancel", job=job)
        ended = socket.until_done(job)
    assert ended["state"] == "cancelled"
    there = areas(ann, juggle)
    front = max(frame for _, frame in there)
    assert front < 30
    assert {(number, frame) for number in (1, 2) for frame in range(front + 1)} == there.keys()
    units = ann.get("metrics")["model_units"]["step"]
    ended = tracked(ann, juggle, frames=[0, front + 2])
    assert (ended["state"], ended["total"]) == ("done", 2)
    assert ann.get("metrics")["model_units"]["step"] - units == 4


def test_a_click_behind_the_front(ann: Client, juggle: str) -> None:
    boxes(ann, juggle)
    with ann.socket(juggle) as socket:
        job = socket.command("track", frames=[0, LAST])["job"]["id"]
        while not any(decode(each).frame >= 8 for each in socket.packets):
            socket.receive()
        runs = {key: mask["run"] for key, mask in masks_of(ann, juggle).items()}
        reply = socket.command("prompt", object=1, frame=3, points=[[245, 120, 1]])
        assert reply["ok"]
        answers = [each for each in map(decode, socket.packets) if each.n == reply["re"]]
        assert answers[-1].flags & Flag.MORE == 0
        assert socket.until_done(job)["state"] == "done"
    after = {key: mask["run"] for key, mask in masks_of(ann, juggle).items()}
    assert after.keys() == {(number, frame) for number in (1, 2) for frame in range(LAST + 1)}
    assert all(after[key] == run for key, run in runs.items() if key[0] == 2)
    assert all(after[1, frame] == runs[1, frame] for frame in range(3))
    assert any(after[1, frame] != runs[1, frame] for frame in range(3, 8))


def test_undoing_while_tracking_takes_the_tracking_back(ann: Client, juggle: str) -> None:
    boxes(ann, juggle)
    prompted = areas(ann, juggle)
    with ann.socket(juggle) as socket:
        job = socket.command("track")["job"]["id"]
        while not any(decode(each).frame >= 3 for each in socket.packets):
            socket.receive()
        assert socket.command("redo")["error"]["code"] == "conflict"
        assert socket.command("undo")["ok"]
        assert socket.until_done(job)["state"] == "cancelled"
    assert areas(ann, juggle) == prompted
    ann.command(juggle, "redo")
    assert {frame for _, frame in areas(ann, juggle)} > {1, 2, 3}


def test_missed_news_are_replayed(ann: Client, juggle: str) -> None:
    with ann.socket(juggle) as socket:
        seen = socket.hello["seq"]
        socket.command("prompt", object=0, frame=0, box=BALL)
    with ann.socket(juggle, since=seen) as again:
        assert "resync" not in again.hello
        replayed = [decode(each) for each in again.packets]
        assert [each.frame for each in replayed] == [0]
        assert [each["ev"] for each in again.events] == ["objects"]
        assert sorted([replayed[0].seq, again.events[0]["seq"]]) == [seen + 1, seen + 2]
    with ann.socket(juggle, since=seen + 10_000) as lost:
        assert lost.hello["resync"] is True
    with ann.socket(juggle) as first, ann.socket(juggle) as second:
        first.command("prompt", object=0, frame=0, box=MAN)
        while not second.packets:
            second.receive()
        assert decode(second.packets[0]).entries[0].object == 2


def test_absent_objects_come_back(ann: Client, juggle: str) -> None:
    boxes(ann, juggle)
    ann.command(juggle, "absent", object=1, frames=[[2, 3]])
    ended = tracked(ann, juggle, frames=[0, 5])
    assert ended["notes"] == [
        "object 1 comes back on frame 4, by its prompt on frame 0 and its masks before it was absent"
    ]
    found = masks_of(ann, juggle)
    assert [found[1, frame]["area"] > 0 for frame in (1, 4, 5) if (1, frame) in found] == [True] * 3
    assert (1, 2) not in found
    assert found[2, 2]["area"] > 0


def test_swapped_objects_go_on_from_their_new_masks(ann: Client, juggle: str) -> None:
    boxes(ann, juggle)
    tracked(ann, juggle, frames=[0, 3])
    ann.command(juggle, "swap", a=1, b=2, **{"from": 2})
    ended = tracked(ann, juggle, frames=[0, 5])
    assert ended["total"] == 2
    assert ended["notes"] == [f"object {number} goes on from its mask on frame 3" for number in (1, 2)]
    assert {frame for _, frame in areas(ann, juggle)} == set(range(6))


def test_objects_are_split_swapped_and_merged(ann: Client, juggle: str) -> None:
    boxes(ann, juggle)
    for object_id, frame in ((1, 10), (2, 10)):
        ann.command(juggle, "prompt", object=object_id, frame=frame, box=BALL if object_id == 1 else MAN)
    before = areas(ann, juggle)
    ann.command(juggle, "swap", a=1, b=2, **{"from": 5})
    swapped = areas(ann, juggle)
    assert (swapped[1, 10], swapped[2, 10]) == (before[2, 10], before[1, 10])
    assert swapped[1, 0] == before[1, 0]
    ann.command(juggle, "undo")
    assert areas(ann, juggle) == before
    new = ann.command(juggle, "split", object=1, frame=5).json["object"]
    assert areas(ann, juggle)[new, 10] == before[1, 10]
    assert (1, 10) not in areas(ann, juggle)
    ann.command(juggle, "merge", **{"from": new, "into": 1})
    assert areas(ann, juggle) == before
    ann.command(juggle, "remove", object=2)
    assert {number for number, _ in areas(ann, juggle)} == {1}
    ann.command(juggle, "undo")
    assert areas(ann, juggle) == before


# -- exports and repeated requests ------------------------------------------------------------------------------------


def exported(client: Client, project: str, item: str, name: str, folder: Path) -> Path:
    """Export an item, and return the folder that it was unpacked into."""
    begun = client.ask("POST", f"projects/{project}/exports", {"format": name, "items": [item]})
    assert begun.status == 202, begun.body
    job = client.done(begun.json["id"])
    assert job["state"] == "done", job
    answer = client.ask("GET", f"exports/{job['result']['export']}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        archive.extractall(folder / name)
    return folder / name


def test_masks_leave_as_they_are(server: Served, project: str, juggle: str, tmp_path: Path) -> None:
    ann = server.ann
    boxes(ann, juggle)
    ann.command(juggle, "object", object=1, **{"class": "ball"})
    ann.command(juggle, "prompt", object=1, frame=2, box=BALL)
    ann.command(juggle, "prompt", object=2, frame=2, box=MAN)
    ann.command(juggle, "absent", object=1, frames=[[2, 2]])
    expected = {key: mask["rle"] for key, mask in masks_of(ann, juggle).items() if mask["area"]}
    assert (1, 2) not in expected

    with RecordedMasks(270, 480) as recorded:
        recorded.load(exported(ann, project, juggle, "masklet", tmp_path) / "juggle.json", 48)
        own = {(each, frame): recorded[frame].run_lengths[place]
               for frame in recorded for place, each in enumerate(recorded[frame].object_ids)}  # fmt: skip
    assert {key: run_length for key, run_length in own.items() if key in expected} == expected

    folder = exported(ann, project, juggle, "coco", tmp_path)
    content = json.loads((folder / "annotations" / "instances_default.json").read_text())
    frames = {each["id"]: each["frame_index"] for each in content["images"]}
    coco = {(each["attributes"]["track_id"], frames[each["image_id"]]): each["segmentation"]
            for each in content["annotations"]}  # fmt: skip
    assert coco == expected
    assert {each["name"] for each in content["categories"]} == {"ball", "object"}

    (video,) = open_dataset(exported(ann, project, juggle, "davis", tmp_path))
    assert len(video) == 2
    assert [set(video.masks(frame)) for frame in range(2)] == [{1, 2}, {2}]
    report = json.loads((tmp_path / "davis" / "export.json").read_text())
    assert report["items"][0]["sha256"] == hashlib.sha256(JUGGLE.read_bytes()).hexdigest()
    job = ann.get("jobs")["jobs"][0]
    for path in (f"jobs/{job['id']}", f"exports/{job['result']['export']}"):
        assert [each.ask("GET", path).status for each in (ann, server.bob)] == [200, 404]
    unknown = ann.ask("POST", f"projects/{project}/exports", {"format": "nothing", "items": [juggle]})
    assert unknown.status == 422


def test_masks_come_in(ann: Client, project: str, truck: str, tmp_path: Path) -> None:
    expected = ann.command(truck, "prompt", object=0, frame=0, points=CLICK).json["masks"][0]["rle"]
    exported(ann, project, truck, "coco", tmp_path)
    other = ann.project()
    copy = ann.item(other, TRUCK, "image")
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        for path in (tmp_path / "coco").rglob("*"):
            archive.write(path, path.relative_to(tmp_path / "coco"))
    uploaded = ann.upload(other, tmp_path / "m.zip", "masks")
    assert uploaded.status == 200
    body = {"upload": uploaded.headers["upload"], "as": "masks"}
    assert ann.ask("POST", f"projects/{project}/imports", body).status == 422, "it was uploaded to another project"
    job = ann.done(ann.ask("POST", f"projects/{other}/imports", body).json["id"])
    assert job["result"]["items"] == [{"item": copy, "objects": [1], "masks": 1}]
    assert masks_of(ann, copy)[1, 0]["rle"] == expected
    assert ann.ask("POST", f"projects/{other}/imports", body).status == 404, "an upload is used once"


def test_requests_that_are_repeated_are_done_once(ann: Client) -> None:
    key = {"Idempotency-Key": "a-key"}
    first, again = (ann.ask("POST", "projects", {"name": "once"}, key) for _ in range(2))
    assert (first.status, first.json["id"]) == (again.status, again.json["id"])
    assert [each["name"] for each in ann.get("projects")["projects"]].count("once") == 1


def test_lists_have_pages(server: Served) -> None:
    start = server.bob.project("the last of those before")
    made = [server.bob.project(f"number {number}") for number in range(3)]
    first = server.bob.get(f"projects?limit=2&after={start}")
    assert ([each["id"] for each in first["projects"]], first["next"]) == (made[:2], made[1])
    second = server.bob.get(f"projects?limit=2&after={first['next']}")
    assert ([each["id"] for each in second["projects"]], second["next"]) == (made[2:], None)
    assert server.bob.ask("GET", "projects?after=prj_nothing").status == 404
    for path in ("projects", "jobs"):
        assert [server.bob.ask("GET", f"{path}?limit={limit}").status for limit in (0, 500, 501)] == [422, 200, 422]
        assert server.ann.ask("GET", f"{path}?after={made[0]}").status == 404


def test_projects_change_and_go(ann: Client) -> None:
    made = ann.ask("POST", "projects", {"name": "first", "classes": [{"name": "cat", "colour": "#112233"}]}).json
    shown = ann.ask("GET", f"projects/{made['id']}")
    tag = {"If-Match": shown.headers["etag"]}
    changed = ann.ask("PATCH", f"projects/{made['id']}", {"name": "second"}, tag)
    assert (changed.json["name"], changed.json["classes"]) == ("second", made["classes"])
    assert ann.ask("PATCH", f"projects/{made['id']}", {"name": "third"}, tag).status == 409
    assert ann.ask("DELETE", f"projects/{made['id']}").status == 202
    assert ann.ask("GET", f"projects/{made['id']}").status == 404


# -- many people (checks 14 and 15) ----------------------------------------------------------------------------------


def test_two_who_track_at_once_share_the_device(server: Served, juggle: str) -> None:
    other = server.bob.item(server.bob.project(), JUGGLE, "video")
    pairs = [(server.ann, juggle), (server.bob, other)]
    for client, item in pairs:
        assert client.command(item, "prompt", object=0, frame=0, box=BALL).status == 200
    jobs = [client.command(item, "track").json["job"]["id"] for client, item in pairs]
    server.ann.done(jobs[0])
    assert server.bob.get(f"jobs/{jobs[1]}")["done"] > 24, "each gets about half"
    assert server.bob.done(jobs[1])["state"] == "done"


# -- floods (check 23) ------------------------------------------------------------------------------------------------


def test_a_user_has_eight_sockets(server: Served, truck: str) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(server.ann.socket(truck))
        with pytest.raises(InvalidStatus) as caught:
            stack.enter_context(server.ann.socket(truck))
        assert caught.value.response.status_code == 429


def test_previews_are_coalesced_and_floods_end(ann: Client, truck: str) -> None:
    with ann.socket(truck) as socket:
        for place in range(1000):
            socket.send("preview", frame=0, x=300 + place % 100, y=400)
        begin = time.monotonic()
        assert socket.command("look", frame=0)["ok"]
        assert time.monotonic() - begin < 20
        while not socket.packets:
            socket.receive()
        assert decode(socket.packets[0]).kind is Kind.PREVIEW
        assert len(socket.packets) < 100
        for wrong in ("{", '{"n":1}', '{"n":5,"do":"prompt","object":"x"}', "[]"):
            socket.connection.send(wrong)
        socket.connection.send("x" * 2**20)
        assert socket.close_code() == 1009
    assert ann.get("info")["user"] == "ann"


def test_messages_beyond_the_limits(ann: Client, truck: str) -> None:
    with ann.socket(truck) as socket:
        for count, field in ((257, "points"), (0, "points")):
            reply = socket.command("prompt", object=0, frame=0, points=[[1, 1, 1]] * count)
            assert (reply["ok"], reply["error"]["field"]) == (False, field)
        socket.send("prompt", object=0, frame=0, points=[[1, 1, 1]] * 100_000)
        assert socket.close_code() == 1009
    with suppress(ConnectionClosed), ann.socket(truck) as socket:
        socket.connection.send(bytes(9 * 2**20))
        assert socket.close_code() in (1009, None), "the end may still be on its way when the server hangs up"
    with ann.socket(truck) as socket:
        with suppress(ConnectionClosed):
            for _ in range(10_000):
                socket.send("candidates", object=1, frame=0)
        assert socket.close_code() == 4429
    assert ann.get("metrics")["queue"]["person"] <= 1
