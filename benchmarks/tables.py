"""The results as Markdown: `python -m benchmarks.tables [RESULTS.json]` prints them, `--write` fills the documents."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.measuring import processor

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "docs" / "benchmarks.md",
    ROOT / "src" / "masklet" / "bundled" / "MODEL_CARD.md",
)
NAMES = {"masklet": "masklet", "transformers": "transformers", "meta": "Meta sam2"}
FAST = "masklet (fast)"
PROCESS_TASKS = {
    "first_mask_s": ("cold start to first mask", "s"),
    "memory_first_mask_mib": ("peak memory, one image", "MiB"),
    "memory_64_prompts_mib": ("peak memory, 64 prompts", "MiB"),
}


def markdown(report: dict[str, Any]) -> str:
    """The report on images as two tables with a line on how they were measured."""
    start = f"`import masklet` takes {report['import_masklet_s'] * 1000:.0f} ms."
    return "\n\n".join([_origin(report, start), _speed_table(report["rows"]), _process_table(report["processes"])])


def summary_markdown(images: dict[str, Any], video: dict[str, Any]) -> str:
    """The reports on images and on tracking as the one table of the README, with the agreement in each row."""
    lines = [_line(["", *NAMES.values(), "faster than the faster reference", "largest difference"]), _line(["---"] * 6)]
    for task, of_task in [*_by_task(images["rows"]), *_by_task(video["rows"])]:
        seconds = [f"{of_task[name]['median_s']:.2f} s" for name in NAMES]
        lines.append(_line([task, *seconds, f"{_gain(of_task):.2f}x", _difference(of_task)]))
    for key, (task, unit) in PROCESS_TASKS.items():
        values = {name: images["processes"][name][key] for name in NAMES}
        shown = [f"{value:,.{int(unit == 's')}f} {unit}" for value in values.values()]
        gain = min(value for name, value in values.items() if name != "masklet") / values["masklet"]
        lines.append(_line([task, *shown, f"{gain:.2f}x" if unit == "s" else "-", "-"]))
    return "\n".join(lines)


def video_markdown(report: dict[str, Any]) -> str:
    """The report on tracking as one table; the references keep memories in bfloat16, which is the difference."""
    tables = [_origin(report), _speed_table(report["rows"])]
    if any(row["opponent"] == FAST for row in report["rows"]):
        tables.append(_preset_table(report["rows"], report["j_and_f"]))
    return "\n\n".join(tables)


def _preset_table(rows: list[dict[str, Any]], j_and_f: dict[str, float]) -> str:
    """What the preset `fast` gains in each task, and what both presets reach with the bundled model."""
    seconds = {(row["task"], row["opponent"]): row["median_s"] for row in rows}
    reached = [f"{j_and_f[name]:.3f}" if name in j_and_f else "-" for name in ("masklet", FAST)]
    lines = [
        _line(["task", "exact, s", "fast, s", "faster", "J&F, exact", "J&F, fast"]),
        _line(["---"] * 6),
    ]
    for task in dict.fromkeys(task for task, _ in seconds):
        exact, fast = seconds[task, "masklet"], seconds[task, FAST]
        lines.append(_line([task, f"{exact:.3f}", f"{fast:.3f}", f"{exact / fast:.1f}x", *reached]))
    return "\n".join(lines)


def _origin(report: dict[str, Any], more: str = "") -> str:
    versions, machine = report["versions"], report["machine"]
    return (
        f"{report['model']}, on {machine['cores']} cores of {machine['processor']} ({machine['threads']} threads), "
        f"torch {versions['torch']}, transformers {versions['transformers']}, sam2 {versions['sam2']}. "
        f"Median of {len(report['rows'][0]['seconds'])} rounds, fastest in brackets. "
        f"{more}{' ' if more else ''}From `{report['command']}`."
    )


def _speed_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        _line(["task", *(f"{name}, s" for name in NAMES.values()), "faster than the faster reference",
               "largest difference", "matrix product, GFLOP/s"]),
        _line(["---"] * 7),
    ]  # fmt: skip
    for task, of_task in _by_task(rows):
        probes = [row["median_probe_gflops"] for row in of_task.values()]
        lines.append(
            _line(
                [
                    task,
                    *(f"{of_task[name]['median_s']:.3f} ({of_task[name]['min_s']:.3f})" for name in NAMES),
                    f"{_gain(of_task):.2f}x",
                    _difference(of_task),
                    f"{min(probes):.0f} to {max(probes):.0f}",
                ]
            )
        )
    return "\n".join(lines)


def _by_task(rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Each task, and its rows by opponent; presets are left out."""
    for task in dict.fromkeys(row["task"] for row in rows):
        yield task, {row["opponent"]: row for row in rows if row["task"] == task and row["opponent"] in NAMES}


def _gain(of_task: dict[str, dict[str, Any]]) -> float:
    """How many times as fast as the faster reference masklet is."""
    best_reference = min(row["median_s"] for name, row in of_task.items() if name != "masklet")
    return best_reference / of_task["masklet"]["median_s"]


def _difference(of_task: dict[str, dict[str, Any]]) -> str:
    return f"{max(row['difference'] for row in of_task.values()):.0e}"


def _process_table(processes: dict[str, dict[str, float]]) -> str:
    lines = [_line(["a fresh process", *NAMES.values()]), _line(["---"] * 4)]
    for key, (task, unit) in PROCESS_TASKS.items():
        digits = 1 if unit == "s" else 0
        lines.append(_line([f"{task}, {unit}", *(f"{processes[name][key]:,.{digits}f}" for name in NAMES)]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def runtimes_markdown(report: dict[str, Any]) -> str:
    """The ways to run a model: a table a processor, model and number of threads, a row a way, a column a task."""
    tables: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for part in report["parts"]:
        tables.setdefault((processor(part["machine"]), part["model"], part["threads"]), []).append(part)
    sections = []
    for (named, model, threads), parts in tables.items():
        of_task = _by_task_and_way(parts)
        title = f"{model} at {parts[0]['image_size']}, {threads} {'threads' if threads > 1 else 'thread'}"
        ways = dict.fromkeys(way for rows in of_task.values() for way in rows)
        lines = [_line([f"{title}, s", *of_task]), _line(["---"] * (1 + len(of_task)))]
        lines += [_line([way, *(_way_cell(rows, way) for rows in of_task.values())]) for way in ways]
        sections.append(f"{named}:\n\n" + "\n".join(lines))
    return "\n\n".join(sections)


def _by_task_and_way(parts: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The rows by task and way, each with its `share` of the time of masklet in eager, which every part measures.

    Parts are measured at different times, of which the machine makes more or less: `s` is that share of the median of
    masklet in eager over all parts. Of what several parts measure, the share is the median, too.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    shares: dict[tuple[str, str], list[float]] = {}
    of_eager: dict[str, list[float]] = {}
    for part in parts:
        firsts = {row["task"]: row["median_s"] for row in reversed(part["rows"])}
        for task, seconds in firsts.items():
            of_eager.setdefault(task, []).append(seconds)
        for row in part["rows"]:
            found.setdefault(row["task"], {}).setdefault(row["opponent"], dict(row))
            shares.setdefault((row["task"], row["opponent"]), []).append(row["median_s"] / firsts[row["task"]])
    for task, rows in found.items():
        for way, row in rows.items():
            row["share"] = median(shares[task, way])
            row["s"] = row["share"] * median(of_eager[task])
    return found


def _way_cell(rows: dict[str, dict[str, Any]], way: str) -> str:
    """Seconds, how many times as fast as the faster reference in float32, and agreement."""
    if (row := rows.get(way)) is None:
        return "-"
    references = [rows[name]["share"] for name in NAMES if name in rows and name != "masklet"]
    gain = f", {min(references) / row['share']:.2f}x" if references else ""
    difference = "" if row["difference"] is None else f", {row['difference']:.0e}"
    equal = "" if row["equal_pixels"] is None else f", {100 * row['equal_pixels']:.2f} %"
    return f"{row['s']:.4f}{gain}{difference}{equal}"


def roofline_markdown(report: dict[str, Any]) -> str:
    """Where the time goes: seconds by kind of operation, beside the least that the products take."""
    kinds = list(report["profiled"][0]["seconds"])
    headings = ["task", "implementation", "s", *kinds, "GFLOP", "s at peak", "share of peak"]
    lines = [_line(headings), _line(["---"] * len(headings))]
    for row in report["profiled"]:
        total, least = sum(row["seconds"].values()), row["gflop"] / report["peak_gflops"]
        seconds = [f"{each:.3f}" for each in (total, *row["seconds"].values())]
        cells = [row["task"], row["opponent"], *seconds, f"{row['gflop']:.0f}", f"{least:.3f}", f"{least / total:.0%}"]
        lines.append(_line(cells))
    machine = report["machine"]
    about = f"{report['model']}, {machine['threads']} threads, {processor(machine)}"
    return f"{about}, {report['peak_gflops']:.0f} GFLOP/s at peak.\n\n" + "\n".join(lines)


def gpu_markdown(report: dict[str, Any]) -> str:
    """What `benchmarks.gpu` measured: frames a second, then the rest as one list, and what failed."""
    parts = report["measured"]
    tracked = [row for part in parts.values() if isinstance(part, list) for row in part]
    rows = {(row["task"], row["is_compiled"], row["opponent"]): row["median_s"] for row in tracked}
    columns = [(name, is_compiled) for is_compiled in (False, True) for name in NAMES]
    names = [f"{NAMES[name]}{', compiled' if is_compiled else ''}" for name, is_compiled in columns]
    lines = [_line(["frames a second", *names]), _line(["---"] * (1 + len(names)))]
    for task in dict.fromkeys(task for task, *_ in rows):
        seconds = [rows.get((task, is_compiled, name)) for name, is_compiled in columns]
        rates = ["-" if each is None else f"{1 / each:.1f}" for each in seconds]
        lines.append(_line([task, *rates]))
    listed = {name: part for name, part in parts.items() if isinstance(part, dict)}
    numbers = [(f"{name}, {kind}", value) for name, part in listed.items() for kind, value in part.items()]
    items = [f"- {name}: {value:.3g}" for name, value in numbers if isinstance(value, float)]
    items += [f"- {name} failed: {error}" for name, error in report["failed"].items()]
    device = report["machine"].get("accelerator", report["machine"]["processor"])
    return f"{report['model']}, on {device}.\n\n" + "\n".join([*lines, "", *items])


def stills_markdown(reports: list[dict[str, Any]]) -> str:
    """What `masklet evaluate stills --output` wrote, as one table: a row a predictor and domain, then their mean."""
    settings = list(dict.fromkeys(setting for report in reports for setting in report["mean_iou"]))
    lines = [_line(["predictor", "domain", "objects", *settings]), _line(["---"] * (3 + len(settings)))]
    for report in reports:
        datasets = report.get("datasets") or report["domains"]  # as earlier versions call them
        rows = [(each.get("dataset") or each["domain"], each["objects"], each["mean_iou"]) for each in datasets]
        rows.append(("**mean**", sum(count for _, count, _ in rows), report["mean_iou"]))
        for domain, count, scores in rows:
            cells = [f"{100 * scores[each]:.1f}" if each in scores else "-" for each in settings]
            lines.append(_line([report["predictor"], domain, str(count), *cells]))
    return "\n".join(lines)


def vos_markdown(reports: list[dict[str, Any]]) -> str:
    """What `masklet evaluate vos --output` wrote, as one table: a row a video, a column a predictor and measure."""
    names = [report["predictor"] for report in reports]
    measures = {"J": lambda each: each["j"]["mean"], "F": lambda each: each["f"]["mean"]}
    columns = [f"{name}, {measure}" for measure in measures for name in names]
    lines = [_line(["video", *columns]), _line(["---"] * (1 + len(columns)))]
    for videos in zip(*(report["sequences"] for report in reports), strict=True):
        means = [fmean(map(of, video["objects"])) for of in measures.values() for video in videos]
        lines.append(_line([videos[0]["sequence"], *(f"{100 * mean:.1f}" for mean in means)]))
    overall = [report["scores"][f"{measure}-Mean"] for measure in measures for report in reports]
    lines.append(_line(["**mean**", *(f"{100 * mean:.1f}" for mean in overall)]))
    return "\n".join(lines)


def everything_vos_markdown(reports: list[dict[str, Any]]) -> str:
    """What `masklet evaluate everything VIDEOS --output` wrote, as one table: a row a video, then their mean."""
    rows = [(each["sequence"], each) for report in reports for each in report["sequences"]]
    rows += [("**mean**", report) for report in reports]
    return _everything_table({"video": [name for name, _ in rows]}, [each for _, each in rows])


def everything_videos_markdown(report: dict[str, Any]) -> str:
    """Everything in clips of the procedural world: a row a kind of clips and policy."""
    rows = report["clips"]
    columns = {name: [str(row[name]) for row in rows] for name in ("clips", "policy", "videos", "frames", "objects")}
    return f"From `{report['command']}`.\n\n{_everything_table(columns, rows)}"


def small_objects_markdown(report: dict[str, Any]) -> str:
    """Small objects tracked in enlarged views and otherwise: a row a dataset and way, its cost beside."""
    lines = [_line(["videos", "tracked", "frames", "objects", "J&F", "J", "F", "processor seconds a frame"])]
    lines.append(_line(["---"] * 8))
    for row in report["ways"]:
        scores = [f"{100 * row['scores'][each]:.1f}" for each in ("J&F", "J", "F")]
        counts = [str(row["frames"]), str(row["objects"])]
        lines.append(_line([row["videos"], row["way"], *counts, *scores, f"{row['seconds_a_frame']:.1f}"]))
    return f"From `{report['command']}`.\n\n" + "\n".join(lines)


def _everything_table(columns: dict[str, list[str]], rows: list[dict[str, Any]]) -> str:
    """Scores and amounts of everything in videos, behind columns that say of what they are."""
    scores = {"J&F": "J&F-Mean", "best track": "J&F of the best track", "prompted": "J&F prompted"}
    amounts = {name: name for name in ("tracks", "switches", "fragments", "delay")}
    lines = [_line([*columns, *scores, "kept", *amounts]), _line(["---"] * (len(columns) + 8))]
    for place, row in enumerate(rows):
        shares = [row["scores"].get(each) for each in scores.values()] + [row["amounts"]["kept"]]
        cells = ["-" if each is None else f"{100 * each:.1f}" for each in shares]
        cells += [f"{row['amounts'][each]:.1f}" if each in row["amounts"] else "-" for each in amounts.values()]
        lines.append(_line([*(column[place] for column in columns.values()), *cells]))
    return "\n".join(lines)


def interactive_markdown(reports: list[dict[str, Any]]) -> str:
    """What `masklet evaluate interactive --output` wrote, as one table: a row a way, a column a count of frames."""
    counts = list(reports[0]["scores"])
    lines = [_line(["J&F after", *counts]), _line(["---"] * (1 + len(counts)))]
    for report in reports:
        lines.append(_line([report["predictor"], *(f"{100 * report['scores'][count]:.1f}" for count in counts)]))
    return "\n".join(lines)


def video_memory_markdown(report: dict[str, Any]) -> str:
    """What a process holds while it tracks: after 100 frames, at the end, and the growth between them."""
    names = {"file": "a file", "stream": "a stream", "unbounded": "a file, every memory kept"}
    lines = [
        _line(
            ["tracked as", "frames", "MiB after 100 frames", "MiB at the end", "growth, MiB", "masks as from the file"]
        ),
        _line(["---"] * 6),
    ]
    for run in report["runs"]:
        held = run["resident_mib"]
        cells = [f"{held['100']:.0f}", f"{list(held.values())[-1]:.0f}", f"{run['growth_after_frame_100_mib']:.1f}"]
        same = report["frames_with_equal_masks"].get(run["way"], "-")
        lines.append(_line([names[run["way"]], str(run["frames"]), *cells, same]))
    origin = f"{report['video']}; {report['model']}. From `{report['command']}`."
    return f"{origin}\n\n" + "\n".join(lines)


def server_load_markdown(report: dict[str, Any]) -> str:
    """What each user of a busy server got, how long they waited, and what the server held meanwhile."""
    heads = ["users", "what they got", "least", "median", "most", "longest time without, s"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for part, what in (("clicks", "answers to clicks"), ("tracked_frames", "tracked frames")):
        counts, found = report[part]["counts"], report[part]
        shown = [min(counts), f"{median(counts):g}", max(counts), f"{found['longest_gap_s']:.1f}"]
        lines.append(_line([str(found["users"]), what, *map(str, shown)]))
    sizes, waits = report["resident_and_features_mib"], report["clicks"]["wait_ms"]
    quarters = [sizes[len(sizes) * each // 4] for each in (0, 1, 2, 3)] + [sizes[-1]]
    memory, features = (", ".join(f"{each[place]:.0f}" for each in quarters) for place in (1, 2))
    origin = (
        f"{report['seconds']:.0f} seconds. A click waits {waits['p50']} ms, 95 % of them {waits['p95']} ms or less. "
        f"MiB that the process holds at the start and after each quarter of the time: {memory}; of these the cache of "
        f"features, which has a limit, {features}."
    )
    return f"{origin} From `{report['command']}`.\n\n" + "\n".join(lines)


def server_memory_markdown(report: dict[str, Any]) -> str:
    """What a server with a model of a few lines holds after many acts."""
    acts, sizes = zip(*report["resident_mib_after_acts"], strict=True)
    rows = [
        ["acts", *(f"{each:,}" for each in acts)],
        ["---"] * (len(acts) + 1),
        ["MiB", *(f"{each:g}" for each in sizes)],
    ]
    return f"From `{report['command']}`.\n\n" + "\n".join(map(_line, rows))


def batch_markdown(report: dict[str, Any]) -> str:
    """What a batch costs by each way, and what came of it while processes were killed."""
    names = {"process": "1 process", "processes": "2 processes", "shards": "2 shards", "ray": "2 Ray workers"}
    heads = ["", "start-up, s", "203 jobs, s", "work a job, s", "overhead a job, s", "killed", "reported", "results"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for way, row in report["batches"].items():
        times = [f"{row[key]:.{digits}f}" for key, digits in (("start_up_s", 1), ("jobs_s", 0))]
        times += [f"{row[key]:.3f}" for key in ("work_a_job_s", "overhead_a_job_s")]
        killed = row.get("killed")
        cells = ["-", str(row["became"]["failed"])]
        if killed:
            cells = [f"{killed['workers']} workers, {killed['drivers']} drivers", str(len(killed["failed"]))]
        is_same = row["is_identical"] and (killed is None or killed["is_identical"])
        lines.append(_line([names[way], *times, *cells, "the same" if is_same else "others"]))
    machine, on_ray = report["machine"], report["on_ray"]
    held, held_on_ray = ([*each["driver_mib"].items()] for each in (report, on_ray))
    origin = (
        f"On {machine['cores']} cores of {machine['processor']}. The driver over 100,000 jobs: "
        f"{held[0][1]:.0f} MiB at the first, {held[-1][1]:.0f} MiB at the last, "
        f"{report['dispatch_s'] * 1000:.1f} ms a job; on Ray over {int(held_on_ray[-1][0]):,} jobs: "
        f"{held_on_ray[0][1]:.0f} and {held_on_ray[-1][1]:.0f} MiB, {on_ray['dispatch_s'] * 1000:.1f} ms a job, "
        f"of which the driver computes {on_ray['driver_cpu_s'] * 1000:.1f}. "
        f"From `{report['command']}`."
    )
    return f"{origin}\n\n" + "\n".join(lines)


def batch_memory_markdown(report: dict[str, Any]) -> str:
    """What the driver of a batch holds, and what its own work takes, over many jobs."""
    lines = [_line([f"{report['jobs']:,} jobs", "seconds", "peak of the driver, MiB"]), _line(["---"] * 3)]
    for row in report["driver_phases"]:
        lines.append(_line([row["phase"], f"{row['seconds']:.1f}", f"{row['peak_mib']:.0f}"]))
    peaks = [*report["driver_mib"].values()]
    held = f"{peaks[0]:.0f} MiB at the first job that was done, {peaks[-1]:.0f} at the last."
    return f"{held} From `{report['command']}`.\n\n" + "\n".join(lines)


def fleet_markdown(report: dict[str, Any]) -> str:
    """What simulated workers' time goes into."""
    shares = ("work", "start_up", "driver", "tail", "slow", "lost")
    lines = [_line(["", "workers", "hours", *(f"{each.replace('_', '-')}, %" for each in shares)]), _line(["---"] * 9)]
    for row in report["fleets"]:
        cells = [f"{100 * row[each]:.1f}" for each in shares]
        lines.append(_line([row["fleet"], f"{row['workers']:,}", f"{row['hours']:,.2f}", *cells]))
    return f"From `{report['command']}`.\n\n" + "\n".join(lines)


def video_rate_markdown(report: dict[str, Any]) -> str:
    """Frames a second of the bundled model, a row a preset."""
    lines = [_line(["preset", "frames a second", "lowest to highest"]), _line(["---"] * 3)]
    for preset, rates in report["rates"].items():
        lines.append(_line([preset, f"{median(rates):.1f}", f"{min(rates):.1f} to {max(rates):.1f}"]))
    machine = report["machine"]
    origin = (
        f"On {machine['cores']} cores of {machine['processor']}, median of {len(rates)}. From `{report['command']}`."
    )
    return f"{origin}\n\n" + "\n".join(lines)


def procedural_world_markdown(report: dict[str, Any]) -> str:
    """Scenes and clips that a loader process makes a second, beside those that training uses, a row a kind."""
    lines = [_line(["", "made a second", "used a second", "times as many"]), _line(["---"] * 4)]
    for kind, rates in report["rates"].items():
        made, used = rates["made_a_second"], rates["used_a_second"]
        lines.append(_line([kind, f"{made:.1f}", f"{used:.2f}", f"{made / used:.0f}"]))
    return "\n".join(lines)


def everything_markdown(report: dict[str, Any]) -> str:
    """Automatic masks beside Meta's generator: speed and agreement in one row, then peak memory."""
    headings = [
        "task",
        "masklet, s",
        "Meta sam2, s",
        "faster",
        "masks",
        "found at IoU .9",
        "at .75",
        "of masklet's at .9",
    ]
    headings += ["mean best IoU", "matrix product, GFLOP/s"]
    lines = [_line(headings), _line(["---"] * len(headings))]
    for task, of_task in _by_task(report["rows"]):
        ours, meta = of_task["masklet"], of_task["meta"]
        counts = [each.get("masks", each.get("candidates")) for each in (ours, meta)]
        shares = [ours.get(name) for name in ("recall_0.9", "recall_0.75", "precision_0.9", "mean_best_iou")]
        cells = [task, *(f"{each['median_s']:.2f} ({each['min_s']:.2f})" for each in (ours, meta))]
        cells += [f"{meta['median_s'] / ours['median_s']:.1f}x", f"{counts[0]} of {counts[1]}"]
        cells += ["-" if each is None else f"{100 * each:.1f} %" for each in shares]
        probes = [each["median_probe_gflops"] for each in (ours, meta)]
        lines.append(_line([*cells, f"{min(probes):.0f} to {max(probes):.0f}"]))
    memory = [_line(["a fresh process", "image", "points a batch", "peak memory, MiB"]), _line(["---"] * 4)]
    for each in report["memory"]:
        size = " x ".join(map(str, each["size"]))
        memory.append(_line([NAMES[each["opponent"]], size, str(each["points_per_batch"]), f"{each['peak_mib']:.0f}"]))
    versions, machine = report["versions"], report["machine"]
    origin = (
        f"An image of {report['image'][1]} x {report['image'][0]}, {machine['threads']} thread of "
        f"{machine['processor']}, torch {versions['torch']}, sam2 {versions['sam2']}; median, fastest in brackets. "
        f"From `{report['command']}`."
    )
    return "\n\n".join([origin, "\n".join(lines), *(["\n".join(memory)] if report["memory"] else [])])


def everything_fast_markdown(report: dict[str, Any]) -> str:
    """The preset `fast` of automatic masks beside all points, a row a dataset and one of all images."""
    headings = ["images of", "images", "points", "masks", "found at IoU .9", "of its own at .9", "another count"]
    headings += ["AR@100", "processor time, s"]
    lines = [_line(headings), _line(["---"] * len(headings))]
    datasets = sorted({row["dataset"] for row in report["rows"]})
    for name in [*datasets, "**all**"]:
        rows = [row for row in report["rows"] if row["dataset"] == name or name not in datasets]
        cells = [name, str(len(rows)), _both(rows, "points", "{:.0f}"), _both(rows, "masks", "{:.1f}")]
        for share in ("recall_0.9", "precision_0.9"):
            cells.append(f"{100 * fmean(row['agreement'][share] for row in rows):.1f} %")
        cells.append(str(sum(row["has_another_count"] for row in rows)))
        cells += [_both(rows, "AR@100", "{:.1%}"), _both(rows, "seconds", "{:.2f}")]
        lines.append(_line(cells))
    origin = f"Means over the images: of `fast`, and of all points. From `{report['command']}`."
    return f"{origin}\n\n" + "\n".join(lines)


def _both(rows: Sequence[dict[str, Any]], measure: str, form: str) -> str:
    """The means of a measure with fewer points and with all."""
    means = [fmean(row[name][measure] for row in rows) for name in ("fast", "exact")]
    return " of ".join(form.format(mean).replace("%", " %") for mean in means)


def presets_markdown(report: dict[str, Any]) -> str:
    """What presets change in the masks of boxes, a row a dataset and one of all objects."""
    presets = list(report["presets"][0]["accuracy"])
    rounded = presets[1:]
    headings = ["images of", "images", "objects", *(f"agreement of {name}" for name in rounded)]
    headings += [f"box, {name}" for name in presets]
    lines = [_line(headings), _line(["---"] * len(headings))]
    datasets = sorted({row["dataset"] for row in report["presets"]})
    for name in [*datasets, "**all**"]:
        rows = [row for row in report["presets"] if row["dataset"] == name or name not in datasets]
        objects = sum(row["objects"] for row in rows)

        def mean(measure: str, preset: str, rows: Any = rows, objects: int = objects) -> float:
            return sum(row["objects"] * row[measure][preset] for row in rows) / objects

        cells = [name, str(len(rows)), str(objects), *(f"{mean('agreement', each):.4f}" for each in rounded)]
        lines.append(_line([*cells, *(f"{100 * mean('accuracy', each):.1f}" for each in presets)]))
    origin = f"Means over the objects, on {report['machine']['processor']}. From `{report['command']}`."
    return f"{origin}\n\n" + "\n".join(lines)


def everything_settings_markdown(report: dict[str, Any]) -> str:
    """What settings of automatic masks find on the half of the images that did not choose, a row a setting."""
    recalls = {f"AR@{limit}": f"AR@{limit}" for limit in (10, 100, 1000)}
    recalls |= {group: f"AR@1000 {group}" for group in ("small", "medium", "large", "whole", "part")}
    headings = ["predicted IoU >", "stability >=", "offset", "suppression", "order", "masks", *recalls]
    lines = [_line([*headings, "AR@1000, choosing half"]), _line(["---"] * (len(headings) + 1))]
    for place, setting in enumerate(report["settings"]):
        reported, choosing = setting["reported"], setting["choosing"]
        cells = [
            f"{setting['pred_iou_thresh']:g}",
            f"{setting['stability_score_thresh']:g}",
            f"{setting['stability_score_offset']:g}",
            f"{setting['duplicates']}, {setting['nms_thresh']:g}",
            setting["order"],
            f"{reported['masks']:.1f}",
            *(f"{100 * reported[name]:.1f}" if name in reported else "-" for name in recalls.values()),
            f"{100 * choosing['AR@1000']:.1f} ({choosing['masks']:.1f} masks)",
        ]
        lines.append(_line([f"**{cell}**" for cell in cells] if place == report["chosen"] else cells))
    chosen, reported = report["images"]
    origin = (
        f"Of {reported} images; {chosen} other ones chose the setting in bold: at most {report['most_masks']} masks an "
        f"image, the highest AR@1000, of those nearly as high the fewest masks. From `{report['command']}`."
    )
    return f"{origin}\n\n" + "\n".join(lines)


# The tables of the documents by name, each with the results files that it is made of.
TABLES: dict[str, tuple[Callable[..., str], tuple[str, ...]]] = {
    "everything": (everything_markdown, ("everything",)),
    "everything_fast": (everything_fast_markdown, ("everything_fast",)),
    "everything_settings": (everything_settings_markdown, ("everything_settings",)),
    "everything_videos": (everything_videos_markdown, ("everything_videos",)),
    "everything_vos": (everything_vos_markdown, ("everything_vos",)),
    "batch": (batch_markdown, ("batch",)),
    "batch_memory": (batch_memory_markdown, ("batch_memory",)),
    "fleet_model": (fleet_markdown, ("fleet_model",)),
    "images": (markdown, ("images",)),
    "interactive": (interactive_markdown, ("interactive",)),
    "presets": (presets_markdown, ("presets",)),
    "procedural_world": (procedural_world_markdown, ("procedural_world",)),
    "roofline": (roofline_markdown, ("roofline",)),
    "runtimes": (runtimes_markdown, ("runtimes",)),
    "server_load": (server_load_markdown, ("server_load",)),
    "server_memory": (server_memory_markdown, ("server_memory",)),
    "small_objects": (small_objects_markdown, ("small_objects",)),
    "stills": (stills_markdown, ("stills",)),
    "summary": (summary_markdown, ("images", "video")),
    "video": (video_markdown, ("video",)),
    "video_memory": (video_memory_markdown, ("video_memory",)),
    "video_rate": (video_rate_markdown, ("video_rate",)),
    "vos": (vos_markdown, ("vos",)),
}


# What each kind of results file is known by, and its table.
KINDS: tuple[tuple[Callable[[Any], bool], Callable[..., str]], ...] = (
    (lambda content: isinstance(content, list) and "interaction" in content[0], interactive_markdown),
    (lambda content: isinstance(content, list) and "amounts" in content[0], everything_vos_markdown),
    (lambda content: isinstance(content, list) and "sequences" in content[0], vos_markdown),
    (lambda content: isinstance(content, list), stills_markdown),
    (lambda content: "tracked_frames" in content, server_load_markdown),
    (lambda content: "resident_mib_after_acts" in content, server_memory_markdown),
    (lambda content: "batches" in content, batch_markdown),
    (lambda content: "driver_phases" in content, batch_memory_markdown),
    (lambda content: "fleets" in content, fleet_markdown),
    (lambda content: "ways" in content, small_objects_markdown),
    (lambda content: "parts" in content, runtimes_markdown),
    (lambda content: "profiled" in content, roofline_markdown),
    (lambda content: "presets" in content, presets_markdown),
    (lambda content: "measured" in content, gpu_markdown),
    (lambda content: "clips" in content, everything_videos_markdown),
    (lambda content: "settings" in content, everything_settings_markdown),
    (lambda content: "agreement" in (content.get("rows") or [{}])[0], everything_fast_markdown),
    (lambda content: "memory" in content, everything_markdown),
    (lambda content: "rates" in content and "scenes" in content["rates"], procedural_world_markdown),
    (lambda content: "rates" in content, video_rate_markdown),
    (lambda content: "runs" in content, video_memory_markdown),
    (lambda content: "processes" in content, markdown),
    (lambda content: True, video_markdown),
)


def table_of(content: Any) -> str:
    """The table of any results file, known by what is in it."""
    return next(table for is_kind, table in KINDS if is_kind(content))(content)


def filled(text: str) -> str:
    """Replace what stands between the markers `<!-- table: NAME -->` and `<!-- end -->` by the table of that name.

    What was not measured yet stays as it stands.
    """

    def marked_table(found: re.Match[str]) -> str:
        table, names = TABLES[found[2]]
        if not all((RESULTS / f"{name}.json").exists() for name in names):
            return found[0]
        return f"{found[1]}{table(*(recorded(name) for name in names))}\n{found[3]}"

    return re.sub(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", marked_table, text, flags=re.DOTALL)


def recorded(name: str) -> Any:
    """What stands in a results file."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    """Print one file's table, or with `--write` fill all documents."""
    if sys.argv[1:] == ["--write"]:
        for document in DOCUMENTS:
            document.write_text(filled(document.read_text(encoding="utf-8")), encoding="utf-8")
        return
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS / "images.json"
    print(table_of(json.loads(results.read_text())))


if __name__ == "__main__":
    main()
