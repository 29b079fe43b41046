"""The results of the evaluation on videos: as values, as JSON and as a table."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from masklet.evaluation.vos_scores import CountingRule, ObjectScores, Statistics, mean_statistics

MEAN = "mean"
SHOWN = {"J&F": "J&F-Mean", "J": "J-Mean", "F": "F-Mean", "J\nrecall": "J-Recall", "F\nrecall": "F-Recall"}


@dataclass(frozen=True)
class VosScores:
    """Means over objects of the region measure J and the boundary measure F, and J&F, the mean of their means."""

    j: Statistics
    f: Statistics

    @classmethod
    def over(cls, objects: Sequence[ObjectScores]) -> "VosScores":
        """Return the means over `objects`, one or more."""
        return cls(mean_statistics([each.j for each in objects]), mean_statistics([each.f for each in objects]))

    @property
    def j_and_f(self) -> float:
        """The field's headline number, 0 to 1."""
        return (self.j.mean + self.f.mean) / 2

    def named(self) -> dict[str, float]:
        """Return the seven numbers by the names that DAVIS' tool gives them."""
        named = {"J&F-Mean": self.j_and_f}
        for measure, values in (("J", self.j), ("F", self.f)):
            named |= {f"{measure}-{name.capitalize()}": value for name, value in asdict(values).items()}
        return named


@dataclass(frozen=True)
class SequenceScores:
    """What was reached on one video: the scores of its objects."""

    sequence: str
    frames: int
    objects: tuple[ObjectScores, ...]


@dataclass(frozen=True)
class VosReport:
    """What one predictor reached on each video; `scores` are the means over all objects, not over the videos."""

    predictor: str
    rule: CountingRule
    sequences: tuple[SequenceScores, ...]

    @property
    def scores(self) -> VosScores:
        """The means over the objects of all videos, as DAVIS ranks by."""
        return VosScores.over([each for sequence in self.sequences for each in sequence.objects])

    def to_json(self) -> str:
        """Return the report as JSON: predictor, rule, the overall scores, and those of every video and object."""
        return json.dumps({**asdict(self), "scores": self.scores.named()}, indent=2)

    def table(self) -> Table:
        """Return the report as a table for the terminal, one row per video and one for the mean over objects."""
        return vos_table([self])


def vos_table(reports: Iterable[VosReport]) -> Table:
    """Return one row per predictor and video with J&F, J and F and their recall, 0 to 1 (the JSON has the decays)."""
    table = Table(title="Video object segmentation from the first frame's masks")
    table.add_column("predictor", overflow="fold")
    table.add_column("sequence", no_wrap=True)
    for heading in SHOWN:
        table.add_column(heading, justify="right", no_wrap=True)
    for report in reports:
        rows = [(each.sequence, VosScores.over(each.objects).named()) for each in report.sequences]
        rows.append((MEAN, report.scores.named()))
        for number, (sequence, scores) in enumerate(rows):
            cells = [f"{scores[name]:.3f}" for name in SHOWN.values()]
            style = "bold" if sequence == MEAN else None
            table.add_row(report.predictor if number == 0 else "", sequence, *cells, style=style)
        table.add_section()
    return table
