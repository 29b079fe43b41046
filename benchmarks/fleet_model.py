"""What limits a batch on many workers: `python -m benchmarks.fleet_model [--jobs 20000] [--seconds 300]`.

A model of queues, with the times that `python -m benchmarks.batch` measured on Ray: workers start, ask the one driver
for a job, and work; some are slow (stragglers), and machines are taken away at random (pre-emption), which loses what
was done since the session was saved, and costs a start-up. Jobs are begun longest first, or in any order. Writes
`benchmarks/results/fleet_model.json`.
"""

import argparse
import heapq
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import batch
from benchmarks.measuring import write_report

RESULTS = Path(__file__).parent / "results" / "fleet_model.json"
SHORT = 3.0  # seconds of work
SIZES = (10, 100, 1000)


@dataclass(frozen=True)
class Fleet:
    """Workers, jobs and what goes wrong.

    Attributes:
        workers: how many.
        jobs: how many.
        seconds: that a job takes on average; they are spread as lengths of videos are (log-normal, sigma 1).
        start_up_s: from the start of a worker to its first job.
        dispatch_s: that the driver computes for each job; it does one after the other.
        overhead_s: of the worker, for each job.
        slow_share: of the workers that take three times as long.
        lost_an_hour: how often a worker is taken away.
        saved_every_s: sessions of videos.
        longest_first: the order of the jobs.
    """

    workers: int
    jobs: int
    seconds: float
    start_up_s: float
    dispatch_s: float
    overhead_s: float
    slow_share: float = 0.0
    lost_an_hour: float = 0.0
    saved_every_s: float = 30.0
    longest_first: bool = True


def simulated(fleet: Fleet, seed: int = 0) -> dict[str, float]:
    """Go through all jobs; return when the last one ends, and what became of the workers' time, as shares."""
    rng = np.random.default_rng(seed)
    lengths = rng.lognormal(sigma=1.0, size=fleet.jobs)
    lengths *= fleet.seconds / lengths.mean()
    if fleet.longest_first:
        lengths = np.sort(lengths)[::-1]
    pace = np.where(rng.random(fleet.workers) < fleet.slow_share, 3.0, 1.0)
    free = [(fleet.start_up_s, number) for number in range(fleet.workers)]
    driver = end = waited = again = slowed = 0.0
    for length in lengths:
        asked, number = heapq.heappop(free)
        begun = driver = max(asked, driver) + fleet.dispatch_s
        took = length * pace[number]
        lost = _lost(rng, took, fleet) + fleet.overhead_s
        waited += begun - asked
        again += lost
        slowed += took - length
        end = max(end, begun + took + lost)
        heapq.heappush(free, (begun + took + lost, number))
    whole = end * fleet.workers
    idle = sum(end - at for at, _ in free)
    return {
        "hours": end / 3600,
        "work": float(lengths.sum()) / whole,
        "start_up": fleet.start_up_s * fleet.workers / whole,
        "driver": waited / whole,
        "tail": idle / whole,
        "slow": slowed / whole,
        "lost": again / whole,
    }


def _lost(rng: np.random.Generator, seconds: float, fleet: Fleet) -> float:
    """Return what is done again because the worker was taken away: since the session was saved, and starting."""
    losses = rng.poisson(fleet.lost_an_hour * seconds / 3600)
    return float(rng.uniform(0, min(fleet.saved_every_s, seconds), losses).sum() + losses * fleet.start_up_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=20_000, help="how many videos (default 20,000)")
    parser.add_argument("--seconds", type=float, default=300, help="that one takes on average (default 300)")
    options = parser.parse_args()
    measured = json.loads(batch.RESULTS.read_text())
    way = measured["batches"]["ray"]
    times = {"start_up_s": way["start_up_s"], "overhead_s": max(way["overhead_a_job_s"], 0.0)}
    times["dispatch_s"] = measured["on_ray"]["driver_cpu_s"]
    troubles = {
        "calm": {},
        "any order": {"longest_first": False},
        "one in 20 slow": {"slow_share": 0.05},
        "each lost once an hour": {"lost_an_hour": 1.0},
        "short videos": {"seconds": SHORT},
    }
    rows = []
    for name, trouble in troubles.items():
        for workers in SIZES:
            fleet = Fleet(workers, options.jobs, **{"seconds": options.seconds, **times, **trouble})
            rows.append({"fleet": name, **asdict(fleet), **simulated(fleet)})
    report = {"command": f"python -m benchmarks.fleet_model --jobs {options.jobs} --seconds {options.seconds:g}"}
    write_report(report | {"fleets": rows}, RESULTS)


if __name__ == "__main__":
    main()
