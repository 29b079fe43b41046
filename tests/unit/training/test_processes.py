"""Several processes act as one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.unit.training.small_recipes import small_recipe

from masklet.errors import InvalidInputError
from masklet.training.processes import Processes
from masklet.training.trainer import Trainer

TWO_PROCESSES = """
import sys
from pathlib import Path

import torch
from torch import nn

from masklet.training.processes import Processes

processes = Processes.join()
used_by_all, used_by_one = nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4))
used_by_all.grad = torch.full((2, 3), float(processes.rank))
if processes.is_first:
    used_by_one.grad = torch.ones(4)
processes.average_gradients([used_by_all, used_by_one])
torch.save([used_by_all.grad, used_by_one.grad], Path(sys.argv[1]) / f"{processes.rank}.pt")
"""


def test_gradients_are_averaged_also_where_only_one_process_has_any(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(TWO_PROCESSES)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*run, str(tmp_path / "script.py"), str(tmp_path)], check=True, capture_output=True, timeout=120)
    for rank in (0, 1):
        used_by_all, used_by_one = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(used_by_all, torch.full((2, 3), 0.5))
        torch.testing.assert_close(used_by_one, torch.full((4,), 0.5))


def test_a_step_with_fewer_scenes_than_processes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Processes, "join", classmethod(lambda cls: Processes(rank=1, count=2)))
    with pytest.raises(InvalidInputError, match="2 processes cannot share 1 scenes or clips a step"):
        Trainer(small_recipe(tmp_path), tmp_path / "run")
