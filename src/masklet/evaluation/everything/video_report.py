"""The results of the evaluation of everything in videos."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from masklet.evaluation.reporting.report import percent
from masklet.evaluation.vos.report import J_AND_F, VosReport

BEST, PROMPTED = "J&F of the best track", "J&F prompted"
TRACKS, COVERED = "tracks", "covered"
SHOWN = {"J&F": J_AND_F, "J": "J-Mean", "F": "F-Mean", "best\ntrack": BEST, "prompted": PROMPTED}


@dataclass(frozen=True)
class EverythingVideoReport(VosReport):
    """What one predictor reached on each video; the means are over all objects, as DAVIS ranks by."""

    title: ClassVar[str] = "Everything in videos, by DAVIS' unsupervised protocol"

    def shown(self) -> dict[str, str]:
        """Return J&F, J and F of the assigned tracks, and J&F of the best track and of the prompted model."""
        return {heading: measure for heading, measure in SHOWN.items() if measure in self.means}

    def amounts_shown(self) -> dict[str, Callable[[float], str]]:
        """Return the tracks a video, and the share of its pixels that they cover."""
        return {TRACKS: "{:.1f}".format, COVERED: percent}

    def to_dict(self) -> dict[str, Any]:
        """Return what `VosReport` does, and the further measures and amounts."""
        more = {measure: self.means[measure] for measure in self.shown().values()}
        content = super().to_dict()
        return content | {"scores": content["scores"] | more, "amounts": self.amounts}
