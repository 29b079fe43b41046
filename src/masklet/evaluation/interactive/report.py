"""The results of interactive segmentation of videos."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from masklet.evaluation.interactive.annotation_rounds import PAPER, Effort, Interaction
from masklet.evaluation.reporting.report import Curve, Report, number_of
from masklet.evaluation.vos.scores import CountingRule

AVERAGE = "average"


@dataclass(frozen=True)
class InteractiveReport(Report):
    """What one predictor reached: J&F after each number of annotated frames, and their average, as the paper ranks."""

    title: ClassVar[str] = "J&F by the number of annotated frames"
    item_kind: ClassVar[str] = "videos"
    x_label: ClassVar[str] = "annotated frames"
    y_label: ClassVar[str] = "J&F, %"

    interaction: Interaction = Interaction.OFFLINE
    effort: Effort = PAPER
    rule: CountingRule = CountingRule.DAVIS

    def shown(self) -> dict[str, str]:
        """Return the average and J&F after each number of frames, whose heading is only the number."""
        return _headings(range(1, self.effort.frames + 1))

    def compared(self) -> dict[str, str]:
        """Return the average, and J&F after one frame, three frames and all of them."""
        return _headings(sorted({each for each in (1, 3, self.effort.frames) if each <= self.effort.frames}))

    def curves(self) -> list[Curve]:
        """Return J&F over the number of annotated frames."""
        counts = tuple(range(1, self.effort.frames + 1))
        return [Curve(self.predictor, counts, tuple(self.means[number_of(each, "frame")] for each in counts))]

    def to_dict(self) -> dict[str, Any]:
        """Return predictor, protocol, the means with their intervals, and the values of every video and object."""
        sequences = [
            {"sequence": item.name, "frames": item.frames, "object_ids": item.object_ids, "values": item.values}
            for item in self.items
        ]
        return {
            "predictor": self.predictor,
            "interaction": self.interaction,
            "effort": asdict(self.effort),
            "rule": self.rule,
            "sequences": sequences,
            "scores": self.means,
            "intervals": self.intervals,
        }


def _headings(counts: Iterable[int]) -> dict[str, str]:
    return {AVERAGE: AVERAGE} | {str(count): number_of(count, "frame") for count in counts}
