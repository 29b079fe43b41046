"""What became of a batch: `report.jsonl`, a line a job, and `report.html`, one page that needs no other file."""

import base64
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Self

from PIL import Image

from masklet.atomic_files import written_whole
from masklet.folders import entries
from masklet.jobs.batch_folder import FAILURES, BatchFolder, JobRecord, Status
from masklet.jobs.batch_jobs import REPORT_LINES, REPORT_PAGE
from masklet.media.images import read_image
from masklet.media.video_reader import open_video

MOST_THUMBNAILS, MOST_FAILURES = 120, 1000
SIDE = 180  # of thumbnails, in pixels
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; } td, th { padding: .2em 1em .2em 0; text-align: left; vertical-align: top; }
figure { display: inline-block; width: 180px; margin: 0 12px 12px 0; vertical-align: top; }
figcaption { font-size: 13px; overflow-wrap: anywhere; } img { max-width: 100%; border-radius: 4px; }
"""


@dataclass(frozen=True)
class BatchSummary:
    """How far a batch is.

    Attributes:
        total: the number of jobs.
        counts: of jobs that became what.
        frames: that are done.
        seconds: of all workers together that they took.
    """

    total: int
    counts: Counter[Status]
    frames: int
    seconds: float

    @classmethod
    def of(cls, records: Iterable[JobRecord]) -> Self:
        """Count what is known of all jobs."""
        known = list(records)
        counts = Counter(each.status for each in known)
        timed = [each for each in known if each.status is Status.DONE and each.seconds is not None]
        frames, seconds = sum(each.frames or 0 for each in timed), sum(each.seconds or 0 for each in timed)
        return cls(len(known), counts, frames, seconds)

    @property
    def failed(self) -> int:
        """The number of jobs that have no results and are not begun again by themselves."""
        return sum(self.counts[each] for each in FAILURES)

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values, of what there is."""
        rows = [(each.value, f"{self.counts[each]:,}") for each in Status if self.counts[each]]
        rate = [("frames a second of a worker", f"{self.frames / self.seconds:.2f}")] if self.seconds else []
        return [*rows, ("frames", f"{self.frames:,}"), ("seconds of work", f"{self.seconds:,.1f}"), *rate]

    def __str__(self) -> str:
        return f"{self.total:,} jobs: " + ", ".join(f"{name} {value}" for name, value in self.rows())


def write_report(folder: BatchFolder) -> BatchSummary:
    """Write both files about all jobs of a batch, of whichever shard, as they are now; OSError if that fails."""
    records = list(folder.records().values())
    summary = BatchSummary.of(records)
    with written_whole(folder.path / REPORT_LINES) as unfinished:
        unfinished.write_text("".join(json.dumps(asdict(each)) + "\n" for each in records), encoding="utf-8")
    with written_whole(folder.path / REPORT_PAGE) as unfinished:
        # Names of media in errors may be no UTF-8.
        unfinished.write_text(_page(folder, records, summary), encoding="utf-8", errors="backslashreplace")
    return summary


def _page(folder: BatchFolder, records: Sequence[JobRecord], summary: BatchSummary) -> str:
    failed = [each for each in records if each.status in FAILURES]
    done = [each for each in records if each.status is Status.DONE]
    title = f"{escape(folder.path.name)}: {summary.total:,} jobs"
    parts = [f"<h1>{title}</h1>", _table(summary.rows())]
    if failed:
        parts += ["<h2>Failures</h2>", _table([(each.id, each.error) for each in failed[:MOST_FAILURES]])]
    if len(failed) > MOST_FAILURES:
        parts.append(f"<p>{len(failed) - MOST_FAILURES:,} more are in {REPORT_LINES}.</p>")
    parts += ["<h2>Results</h2>", *(_figure(folder.result(each.id), each) for each in done[:MOST_THUMBNAILS])]
    if len(done) > MOST_THUMBNAILS:
        parts.append(f"<p>{len(done) - MOST_THUMBNAILS:,} more are in {REPORT_LINES}.</p>")
    head = f"<meta charset='utf-8'><title>{title}</title><style>{STYLE}</style>"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _figure(result: Path, record: JobRecord) -> str:
    rate = f"{record.frames} frames" if record.frames != 1 else "1 image"
    took = "" if record.seconds is None else f", {record.seconds:.1f} s"
    caption = f"<figcaption>{escape(record.id)}<br>{rate}{took}</figcaption>"
    return f"<figure>{_thumbnail(result)}{caption}</figure>"


def _thumbnail(result: Path) -> str:
    """Return what was drawn of a result, small; nothing if nothing was, or it cannot be read any more."""
    try:
        drawn = [each for each in entries(result) if each.stem.endswith(("_overlay", "_sheet"))]
        if not drawn:
            return ""
        if drawn[0].suffix == ".mp4":
            with open_video(drawn[0]) as video:
                image = Image.fromarray(video[0])
        else:
            image = read_image(drawn[0])
    except (OSError, ValueError):
        return ""
    image.thumbnail((SIDE, SIDE))
    image.convert("RGB").save(buffer := io.BytesIO(), format="JPEG", quality=80)
    return f"<img alt='' src='data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}'>"
