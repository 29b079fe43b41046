"""Job files and folders of media: what they mean, and what is refused before any work."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from masklet.errors import InvalidInputError
from masklet.jobs.batch_jobs import read_jobs

PROMPTS = [{"points": [[1, 2]]}]


def jobs_of(folder: Path, *lines: Any) -> list[Any]:
    (folder / "jobs.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return read_jobs(folder / "jobs.jsonl")


def test_a_line_is_an_image_or_a_video_with_prompts_a_file_of_them_or_everything(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps([{"box": [0, 0, 3, 3], "frame": 4, "id": 7}]))
    image, video, everything = jobs_of(
        tmp_path,
        {"image": "x/a.jpg", "prompts": PROMPTS, "options": {"multimask": True}},
        {"id": "v", "video": "b.mp4", "prompt_file": "p.json", "options": {"direction": "both", "write": ["sa-v"]}},
        {"video": "c.mp4", "everything": True, "options": {"policy": "fast", "settings": {"every": 5}}},
    )
    assert (image.id, image.path, image.is_video) == ("a", tmp_path / "x/a.jpg", False)
    assert [*video.objects()] == [(4, 7)]
    assert (everything.id, everything.prompts, everything.objects()) == ("c", None, {})


def test_the_output_of_a_batch_among_its_media_is_no_job(tmp_path: Path) -> None:
    for name in ("a.jpg", "frames/0.jpg", "results/.batch/batch.json", "results/a/a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [each.id for each in read_jobs(tmp_path, everything=True)] == ["a", "frames"]


def test_only_what_is_asked_for_is_in_the_fingerprint(tmp_path: Path) -> None:
    line = {"id": "a", "image": "a.jpg", "prompts": PROMPTS}
    changed = [
        {**line, "prompts": [{"points": [[1, 3]]}]},
        {**line, "options": {"ids": True}},
        {**line, "image": "b.jpg"},
    ]
    first, *others = (jobs_of(tmp_path, each)[0].fingerprint for each in (line, *changed))
    assert len({first, *others}) == 4
    assert jobs_of(tmp_path, {**line, "id": "other"})[0].fingerprint == first


def test_another_mask_in_the_same_file_is_another_job(tmp_path: Path) -> None:
    line = {"id": "a", "image": "a.jpg", "prompts": [{"mask": "mask.png"}]}
    found = []
    for content in (None, b"one", b"other"):
        if content is not None:
            (tmp_path / "mask.png").write_bytes(content)
        found.append(jobs_of(tmp_path, line)[0].fingerprint)
    assert len(set(found)) == 3
    assert jobs_of(tmp_path, line)[0].fingerprint == found[-1]


def test_a_job_that_was_handed_on_stays_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"one")
    (job,) = jobs_of(tmp_path, {"id": "a", "image": "a.jpg", "prompts": [{"mask": "mask.png"}]})
    before, handed_on = job.fingerprint, pickle.dumps(job)
    (tmp_path / "mask.png").write_bytes(b"other")
    assert pickle.loads(handed_on).fingerprint == before


def test_the_size_of_a_folder_of_frames_is_asked_of_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frames").mkdir()
    for number in range(9):
        (tmp_path / f"frames/{number}.jpg").write_bytes(bytes(10))
    (job,) = jobs_of(tmp_path, {"video": "frames", "everything": True})
    asked: list[str] = []
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **how: asked.append(path.suffix) or stat(path, **how))
    assert job.size() == 90
    assert asked.count(".jpg") == 1


def test_a_folder_has_prompts_beside_its_media(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "clip.v2").mkdir()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "a.json").write_text(json.dumps(PROMPTS))
    with pytest.raises(InvalidInputError, match=r"clip\.v2 has no prompts; they stand in clip\.v2\.json beside it"):
        read_jobs(tmp_path)
    image, video = read_jobs(tmp_path, everything=True)
    assert (image.id, image.is_video, len(image.objects())) == ("a", False, 1)
    assert (video.id, video.is_video, video.prompts) == ("clip.v2", True, None)


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("Street", "street"), ("caf\u00e9", "cafe\u0301")])
def test_results_that_would_be_one_folder_are_refused(tmp_path: Path, one: str, other: str) -> None:
    lines = [{"id": name, "image": "a.jpg", "prompts": PROMPTS} for name in (one, other)]
    with pytest.raises(InvalidInputError, match=r"line 1 and .*line 2 have the ids"):
        jobs_of(tmp_path, *lines)


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".batch", "a.part", "A.PART", "report.jsonl", "nul", "COM1.x", "a.", "caf\udce9", 7]
)
def test_ids_that_are_no_names_of_folders_are_refused(tmp_path: Path, name: object) -> None:
    with pytest.raises(InvalidInputError, match=r"line 1: the id .* cannot be the name of a folder"):
        jobs_of(tmp_path, {"id": name, "image": "a.jpg", "prompts": PROMPTS})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"image": "a.jpg"}, "one of 'prompts', 'prompt_file' and 'everything'"),
        ({"image": "a.jpg", "video": "b.mp4", "prompts": PROMPTS}, "either 'image' or 'video'"),
        ({"image": "a.jpg", "prompt": PROMPTS}, "with the keys id, image"),
        ({"image": "a.jpg", "everything": False}, "true or left out"),
        ({"image": "a.jpg", "prompts": [{"frame": 3, "points": [[1, 2]]}]}, "an image has no frames"),
        ({"video": "a.mp4", "prompts": [{"points": [[1, 2]], "id": 1}] * 2}, "entry 2: object 1 is there twice"),
        ({"video": "a.mp4", "prompts": []}, "list of objects"),
        ({"video": "a.mp4", "prompt_file": "none.json"}, "none.json does not exist"),
        (
            {"video": "a.mp4", "prompts": PROMPTS, "options": {"multimask": True}},
            "can have ids, write, zoom, direction",
        ),
        ({"video": "a.mp4", "prompts": PROMPTS, "options": {"frames": [5, 5]}}, "from 6 to"),
        ({"video": "a.mp4", "prompts": PROMPTS, "options": {"write": ["films"]}}, "is a list of overlay"),
        ({"video": "a.mp4", "everything": True, "options": {"settings": {"often": 1}}}, "A policy has no often"),
    ],
)
def test_lines_that_are_no_jobs_are_named(tmp_path: Path, line: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=f"line 1: .*{message}"):
        jobs_of(tmp_path, line)


def test_a_file_without_jobs_or_with_half_a_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="holds no jobs"):
        jobs_of(tmp_path)
    (tmp_path / "jobs.jsonl").write_text('{"image": ')
    with pytest.raises(InvalidInputError, match="line 1: this is not JSON"):
        read_jobs(tmp_path / "jobs.jsonl")
