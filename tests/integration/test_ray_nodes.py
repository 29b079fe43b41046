"""A Ray cluster of two nodes: jobs and measurements on both, and a node that is killed."""

import hashlib
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from tests.support.annotated_folders import write_coco, write_sequences
from tests.support.small_video_models import SIZE, small_video_model
from tests.support.video_files import moving_square, write_small_video

from masklet import Sam2Processor
from masklet.jobs.batch_folder import BatchFolder, Status
from masklet.jobs.lanes import MachineLost
from masklet.jobs.ray_cluster import ray_cluster
from masklet.jobs.run import NamedWork

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'masklet[ray]'"
)
LONG, SHORT = ("long0", "long1"), ("short0", "short1", "short2")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of a core each, for whoever has their token; `address`, and `second`, which can be killed."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {"AUTH_MODE": "token", "AUTH_TOKEN": "ab" * 32, "worker_niceness": "0"}.items():
            patched.setenv(f"RAY_{name}", value)
        patched.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patched.setenv("OMP_NUM_THREADS", "1")
        from ray.cluster_utils import Cluster

        how = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
        nodes = Cluster(initialize_head=True, head_node_args={**how, "include_dashboard": False})
        nodes.second = nodes.add_node(**how)
        yield nodes
        nodes.shutdown()


def masklet(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "masklet", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """Return what a command printed; one that takes five minutes is killed, and fails the test."""
    try:
        return process.communicate(timeout=300)
    finally:
        process.kill()


def content(out: Path) -> dict[str, str]:
    """Checksums of all files of results, by their paths."""
    files = (path for path in out.glob("[!.]*/**/*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    ("kind", "write", "predictor"), [("vos", write_sequences, "repeat"), ("stills", write_coco, "ellipse")]
)
def test_measurements_on_nodes_are_those_of_one_process(
    cluster: Any, tmp_path: Path, kind: str, write: Callable[[Path], None], predictor: str
) -> None:
    write(tmp_path / "data")
    evaluate = ("evaluate", kind, tmp_path / "data", "--predictor", predictor, "-o")
    runs = [
        masklet(*evaluate, tmp_path / "alone.json"),
        masklet(*evaluate, tmp_path / "nodes.json", "--ray", cluster.address, "--workers", "2"),
    ]
    printed = [ended(each) for each in runs]
    assert [each.returncode for each in runs] == [0, 0], printed
    assert printed[1][0] == printed[0][0], printed
    assert json.loads((tmp_path / "nodes.json").read_text()) == json.loads((tmp_path / "alone.json").read_text())


def test_a_node_that_is_asked_to_end_is_told_apart_from_a_worker_that_dies(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    with ray_cluster(cluster.address) as connected:
        lanes = [each() for each in connected.lanes(NamedWork(time.sleep), "cpu", tmp_path)]  # one a node
        for each in lanes:
            each.prepare().result(timeout=120)
        at_work = [each.submit(600) for each in lanes]
        cluster.remove_node(node, allow_graceful=True)
        (lost,), others = wait(at_work, timeout=120, return_when=FIRST_COMPLETED)
        assert isinstance(lost.exception(), MachineLost)
        lanes[at_work.index(others.pop())].close()
        (died,), _ = wait(set(at_work) - {lost}, timeout=120, return_when=FIRST_COMPLETED)
        assert type(died.exception()) is BrokenExecutor
        for each in lanes:
            each.close()


def test_a_node_that_is_killed_costs_no_job(cluster: Any, tmp_path: Path) -> None:
    for name in (*LONG, *SHORT):
        write_small_video(tmp_path / f"{name}.mp4", moving_square(60 if name in LONG else 4))
    jobs = [{"video": f"{name}.mp4", "prompts": [{"points": [[8, 18]]}]} for name in (*LONG, *SHORT)]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    small_video_model().save_pretrained(tmp_path / "model")
    Sam2Processor(size=SIZE).save_pretrained(tmp_path / "model")
    batch = ("batch", tmp_path / "jobs.jsonl", "--model", tmp_path / "model", "--save-every", "0.001")

    folder = BatchFolder(tmp_path / "nodes")
    with masklet(*batch, "-o", folder.path, "--ray", cluster.address) as on_nodes:
        wait_until_at_work(folder, on_nodes)
        cluster.remove_node(cluster.second, allow_graceful=False)
        _, errors = ended(on_nodes)
    assert on_nodes.returncode == 0, errors
    assert len({folder.records()[name].worker for name in LONG}) == 1  # one of the two was finished by the other node

    ended(masklet(*batch, "-o", tmp_path / "alone"))
    assert len(content(tmp_path / "alone")) > len(jobs)
    assert content(folder.path) == content(tmp_path / "alone")


def wait_until_at_work(folder: BatchFolder, driver: "subprocess.Popen[str]") -> None:
    """Wait until both long videos have begun."""
    while driver.poll() is None:
        known = folder.records() if folder.mark.is_file() else {}
        if [name for name, each in known.items() if each.status is Status.BEGUN] == list(LONG):
            return
        time.sleep(0.02)
    pytest.fail(f"it ended before both nodes had begun: {driver.communicate()}")
