"""The results of the evaluation on still pictures: as values, as JSON and as a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from masklet.errors import InvalidInputError

BOX = "box"
MEAN = "mean"


def clicks_setting(count: int) -> str:
    """Return the name of the setting with `count` clicks: "1 click", "3 clicks"."""
    return f"{count} click" if count == 1 else f"{count} clicks"


@dataclass(frozen=True)
class DomainScores:
    """The mean IoU over the objects of one domain, in percent, of each prompt setting ("1 click", ..., "box")."""

    domain: str
    pictures: int
    objects: int
    mean_iou: dict[str, float]


@dataclass(frozen=True)
class StillsReport:
    """What one predictor reached on each domain; `mean_iou` gives the plain mean over the domains."""

    predictor: str
    domains: tuple[DomainScores, ...]

    @property
    def mean_iou(self) -> dict[str, float]:
        """The mean over the domains of the domains' mean IoU, in percent, of each prompt setting."""
        settings = self.domains[0].mean_iou if self.domains else {}
        return {each: float(np.mean([domain.mean_iou[each] for domain in self.domains])) for each in settings}

    def to_json(self) -> str:
        """Return the report as JSON: predictor, domains with their scores, and the mean over the domains."""
        return json.dumps({**asdict(self), "mean_iou": self.mean_iou}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "StillsReport":
        """Read what `to_json` wrote; InvalidInputError if it is something else."""
        try:
            content = json.loads(text)
            return cls(content["predictor"], tuple(DomainScores(**domain) for domain in content["domains"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"This is not the JSON of an evaluation on stills: {error!r}.") from error

    def table(self) -> Table:
        """Return the report as a table for the terminal, one row per domain and one for their mean."""
        return stills_table([self])


def stills_table(reports: Sequence[StillsReport]) -> Table:
    """Return one row per predictor and domain with the mean IoU in percent, a dash where it was not measured."""
    settings = list(dict.fromkeys(setting for report in reports for setting in report.mean_iou))
    table = Table(title="Mean IoU on stills, %")
    for heading in ("predictor", "domain"):
        table.add_column(heading)
    for heading in ("objects", *settings):
        table.add_column(heading, justify="right")
    for report in reports:
        rows = [(each.domain, each.objects, each.mean_iou) for each in report.domains]
        if len(rows) > 1:
            rows.append((MEAN, sum(each.objects for each in report.domains), report.mean_iou))
        for domain, objects, scores in rows:
            cells = [f"{scores[setting]:.1f}" if setting in scores else "-" for setting in settings]
            table.add_row(report.predictor, domain, str(objects), *cells, style="bold" if domain == MEAN else None)
        table.add_section()
    return table
