"""The folders of an evaluation, one for what belongs to each predictor."""

import re
from collections.abc import Sequence
from pathlib import Path


def predictor_folders(root: Path, names: Sequence[str]) -> list[Path]:
    """Return a folder in `root` for each of the predictors' names, in order, no two the same.

    It is the name without what paths cannot have; where another one before is left with the same, with a number behind.
    """
    chosen: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.-]+", "_", name).strip("_.") or "predictor"
        numbered = (plain, *(f"{plain}_{number}" for number in range(2, len(names) + 1)))
        chosen.append(next(each for each in numbered if each not in chosen))
    return [root / each for each in chosen]
