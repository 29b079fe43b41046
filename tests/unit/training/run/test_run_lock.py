"""Two trainings must not write into one folder."""

from pathlib import Path

import pytest

from masklet.errors import InvalidInputError
from masklet.training.run.run_lock import alone_in


def test_a_second_training_in_a_folder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(InvalidInputError, match="Another training runs in"), alone_in(tmp_path):
        pass
    with alone_in(tmp_path):
        pass


def test_a_failed_training_lets_go_of_its_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), alone_in(tmp_path):
        raise KeyboardInterrupt
    with alone_in(tmp_path):
        pass
