"""The workers of a Ray cluster, with a stand-in for Ray."""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.jobs import ray_stand_in, stub_batches
from tests.unit.jobs.stub_batches import MOST_ASKED, batch_of, worker_in

from masklet.errors import InvalidInputError
from masklet.jobs import ray_cluster
from masklet.jobs.batch import done_jobs, open_jobs
from masklet.jobs.batch_folder import MOST_ATTEMPTS, JobRecord, Status
from masklet.jobs.batch_worker import BatchWorker
from masklet.jobs.ray_cluster import RayCluster
from masklet.jobs.run import ItemJob

CONTENTS = {"a": "hello", "b": "deadly", "c": "broken", "d": "a longer one", "e": "hi"}


ENDED = "The actor died because its node has died.\n\tthe actor's node was terminated expectedly: received SIGTERM"


def die(process: int, number: int) -> None:
    raise ray_stand_in.Deadly(ENDED if number == signal.SIGTERM else "it died")


@pytest.fixture(autouse=True)
def _actors_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stub_batches.os, "kill", die)
    monkeypatch.setattr(BatchWorker, "abandon", lambda self: None)  # a process that is killed notes nothing
    monkeypatch.setattr(ray_cluster, "use_threads", lambda count: None)


def lanes_of(folder: Path, *, cpus: tuple[int, ...] = (4, 4), gpus: int = 0, **more: Any) -> tuple[Any, Any]:
    ray = ray_stand_in.StandIn(list(cpus), gpus)
    return ray, lanes_on(RayCluster(ray), worker_in(folder), **more)


def lanes_on(cluster: RayCluster, worker: BatchWorker, **more: Any) -> Any:
    own = BatchWorker(worker.folder, worker.choice, run="this")
    return cluster.lanes(own, worker.choice.device, worker.folder.mark, **more)


def test_actors_do_what_processes_do(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, CONTENTS)
    ray, lanes = lanes_of(tmp_path)
    folder = worker_in(tmp_path).folder
    became = {each.id: each.status for each in done_jobs(open_jobs(folder, jobs), lanes)}
    assert became == {**dict.fromkeys("ade", Status.DONE), "b": Status.POISON, "c": Status.FAILED}
    assert len(ray.started) == ray.killed == 2 + 2  # of which two died
    assert ray.stored == 1


def test_machines_that_are_asked_to_end_are_no_deaths_of_their_job(tmp_path: Path) -> None:
    jobs = batch_of(tmp_path, {"a": "pre-empted"})
    _, lanes = lanes_of(tmp_path, cpus=(4,))
    (record,) = done_jobs(jobs, lanes, on_lost=worker_in(tmp_path).folder.take_back)
    assert (record.status, record.error) == (Status.DONE, "")
    assert len(list(tmp_path.glob("asked*"))) == MOST_ASKED > MOST_ATTEMPTS


def test_each_worker_has_a_share_that_every_machine_can_give(tmp_path: Path) -> None:
    for cpus, workers, asked in (((4, 12), None, (2, 4)), ((4, 12), 4, (4, 4)), ((1, 1), 9, (9, 1))):
        ray, lanes = lanes_of(tmp_path, cpus=cpus, workers=workers)
        lanes[0]()
        assert (len(lanes), ray.started[0][0]["num_cpus"], ray.started[0][0]["num_gpus"]) == (*asked, 0)


def test_on_gpus_there_is_a_worker_for_each(tmp_path: Path) -> None:
    ray = ray_stand_in.StandIn([8, 8], gpus=2)
    cluster = RayCluster(ray)
    assert (cluster.device(None), cluster.device("cpu")) == ("cuda", "cpu")
    lanes = lanes_on(cluster, worker_in(tmp_path).on("cuda"))
    lanes[0]()
    assert (len(lanes), ray.started[0][0]["num_cpus"], ray.started[0][0]["num_gpus"]) == (4, 4, 1)


def test_a_cluster_whose_gpus_come_when_they_are_asked_for_is_asked(tmp_path: Path) -> None:
    ray = ray_stand_in.StandIn([4])
    lanes = lanes_on(RayCluster(ray), worker_in(tmp_path).on("cuda"), workers=40)
    lanes[0]()
    assert (len(lanes), ray.started[0][0]["num_cpus"], ray.started[0][0]["num_gpus"]) == (40, 1, 1)


def test_machines_with_other_versions_are_named_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = worker_in(tmp_path).folder
    jobs = batch_of(tmp_path, {"a": "hello"})
    told = iter([{"masklet": "1", "torch": "2"}, {"masklet": "1", "torch": "3"}])
    monkeypatch.setattr(ray_cluster, "versions", lambda: next(told))
    _, lanes = lanes_of(tmp_path, cpus=(4,))
    message = f"machine {socket.gethostname()} of the cluster has masklet 1, torch 3; this one has masklet 1, torch 2"
    with pytest.raises(InvalidInputError, match=message):
        list(done_jobs(jobs, lanes))
    assert folder.record(jobs[0]).status is Status.OPEN


def test_machines_that_do_not_see_the_results_are_refused(tmp_path: Path) -> None:
    folder = worker_in(tmp_path).folder
    jobs = batch_of(tmp_path, {"a": "hello"})
    _, lanes = lanes_of(tmp_path, cpus=(4,))
    (folder.path / ".batch/batch.json").unlink()
    with pytest.raises(InvalidInputError, match=r"does not see .*OUT"):
        list(done_jobs(jobs, lanes))


def test_deaths_count_within_a_run_of_the_cluster_only(tmp_path: Path) -> None:
    (job,) = batch_of(tmp_path, {"a": "hello"})
    folder = worker_in(tmp_path).folder
    begun = JobRecord(job.id, job.fingerprint, Status.BEGUN, attempts=2, worker="gone:1", run="earlier")
    folder.keep(begun)
    _, lanes = lanes_of(tmp_path)
    assert [each.status for each in done_jobs([job], lanes)] == [Status.DONE]


def length(name: str) -> int:
    """Return the length of a name, of which "deadly" kills its process."""
    if name == "deadly":
        die(0, 9)
    return len(name)


def job_on_ray(names: list[str], folder: Path) -> ItemJob[Any]:
    ray = ray_stand_in.StandIn([1, 1])
    job: ItemJob[Any] = ItemJob(names, length)
    job.run(lanes=lambda work: RayCluster(ray).lanes(work, "cpu", folder))
    return job


def test_items_of_other_jobs_go_to_actors_as_well(tmp_path: Path) -> None:
    assert job_on_ray(["a", "bcd"], tmp_path).results == {"a": 1, "bcd": 3}
    with pytest.raises(InvalidInputError, match=r"2 workers ended at deadly, .*\(it died\)"):
        job_on_ray(["a", "deadly"], tmp_path)
    with pytest.raises(InvalidInputError, match=r"does not see .*missing"):
        job_on_ray(["a"], tmp_path / "missing")


def test_workers_that_die_before_they_begin_end_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = worker_in(tmp_path).folder
    jobs = batch_of(tmp_path, {"a": "hello"})
    monkeypatch.setattr(stub_batches.CopyingChoice, "load", lambda self: die(0, 9))
    ray, lanes = lanes_of(tmp_path, cpus=(4,))
    with pytest.raises(InvalidInputError, match=r"3 workers ended before their work began.*\(it died\)"):
        list(done_jobs(jobs, lanes))
    assert folder.record(jobs[0]).attempts == 0
    assert len(ray.started) == 3


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InvalidInputError, match=r"pip install 'masklet\[ray\]'"), ray_cluster.ray_cluster("local"):
        pass


def test_a_cluster_that_is_started_here_reports_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    reporting = []
    ray: Any = ray_stand_in.StandIn([4])
    ray.is_initialized = lambda: False
    ray.init = lambda **options: reporting.append(os.environ["RAY_USAGE_STATS_ENABLED"])
    ray.shutdown = lambda: None
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", ray.exceptions)
    for chosen, expected in ((None, "0"), ("1", "1")):
        monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", chosen or "")
        if chosen is None:
            monkeypatch.delenv("RAY_USAGE_STATS_ENABLED")
        with ray_cluster.ray_cluster("local"):
            assert reporting.pop() == expected


def test_a_cluster_that_is_started_here_has_a_token_and_the_priority_of_its_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[Any] = []
    ray: Any = ray_stand_in.StandIn([4])
    ray.is_initialized = lambda: False
    ray.init = lambda **options: found.append(options | {"token": os.environ.get("RAY_AUTH_TOKEN")})
    ray.shutdown = lambda: None
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", ray.exceptions)
    monkeypatch.setattr(os, "environ", {name: os.environ[name] for name in os.environ if not name.startswith("RAY_")})
    for address, mode in (("auto", None), ("local", "token")):
        with ray_cluster.ray_cluster(address):
            assert os.environ.get("RAY_AUTH_MODE") == mode
    assert [each["token"] is None for each in found] == [True, False]
    assert [each.get("_system_config") for each in found] == [None, {"worker_niceness": 0}]


def test_an_address_where_nothing_listens_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "_ray_module", lambda is_local: None)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # not listening
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(InvalidInputError, match=f"--ray {address}: there is no cluster"):
            ray_cluster.ray_cluster(address).__enter__()
