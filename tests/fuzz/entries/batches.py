"""The job file of `masklet batch`, and what it keeps of a batch."""

import json
from pathlib import Path
from random import Random

import numpy as np
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.fuzz.spoiling import spoil_json_file, spoil_json_lines

from masklet.jobs.batch_folder import BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import read_jobs
from masklet.masks.run_length import encode_run_length


def _make(folder: Path) -> Path:
    materials.write_image(folder / "a.png")
    materials.write_image(folder / "b/0.png")
    materials.write_image(folder / "mask.png", materials.mask().astype(np.uint8) * 255)
    (folder / "p.json").write_text(json.dumps([{"box": [15, 10, 40, 30]}, {"id": 5, "points": [[20, 20], [3, 4, 0]]}]))
    encoded = dict(encode_run_length(materials.mask()))
    lines = [
        {"id": "one", "image": "a.png", "prompt_file": "p.json", "options": {"multimask": True, "ids": True}},
        {"video": "b", "prompts": [{"mask": "mask.png"}, {"mask": encoded, "frame": 0}]},
        {"id": "all", "image": "a.png", "everything": True, "options": {"settings": {"points_per_side": 4}}},
        {
            "id": "two",
            "video": "b",
            "everything": True,
            "options": {"policy": "fast", "write": ["sa-v"], "zoom": False},
        },
    ]
    (folder / "jobs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder / "jobs.jsonl"


def _spoil(rng: Random, path: Path) -> tuple[str, Path]:
    return spoil_json_lines(rng, path), path


def _use(path: Path) -> None:
    run_command("batch", str(path), "--dry-run", "-o", "out")


def _make_kept(folder: Path) -> Path:
    batch = BatchFolder(folder / "out")
    jobs = read_jobs(_make(folder))
    batch.begin(jobs)
    batch.agree({"masklet": "1"})
    for job, status in zip(jobs, (Status.DONE, Status.FAILED, Status.BEGUN), strict=False):
        batch.keep(JobRecord(job.id, job.fingerprint, status, seconds=1.5))
    batch.part(jobs[0].id).mkdir()
    batch.commit(jobs[0], 1, {"masklet": "1"})
    return folder


def _spoil_kept(rng: Random, folder: Path) -> tuple[str, Path]:
    files = [*(folder / "out/.batch").rglob("*.json"), *(folder / "out").glob("*/job.jsonl")]
    return spoil_json_file(rng, rng.choice(sorted(files))), folder


def _use_kept(folder: Path) -> None:
    run_command("batch", str(folder / "out"), "--status")
    run_command("batch", str(folder / "jobs.jsonl"), "--dry-run", "--retry-failed", "-o", str(folder / "out"))


ENTRIES = {"batch-jobs": Entry(_make, _spoil, _use), "batch-folder": Entry(_make_kept, _spoil_kept, _use_kept)}
