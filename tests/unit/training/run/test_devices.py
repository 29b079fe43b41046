"""What a machine can do, and several processes that train as one."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from tests.support.small_recipes import (
    Listener,
    assert_equal_states,
    saved_state,
    small_recipe,
    write_plain_images,
)

from masklet.errors import InvalidInputError
from masklet.training.run.devices import Devices
from masklet.training.run.trainer import Trainer
from masklet.training.settings.procedure import ClipTracking
from masklet.training.settings.recipe import Hardware, Recipe
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.micro_batches import StepSlice

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("hardware", "message"),
    [
        (Hardware(needs_gpu=True), "for a GPU .* on the processor: give --device cuda"),
        (Hardware(precision="float16"), "float16 needs a CUDA GPU, this run is on cpu"),
        (Hardware(is_sharded=True), "among several processes, and this run is only one: start it with torchrun"),
    ],
)
def test_what_this_machine_and_run_cannot_do_is_refused(hardware: Hardware, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Trainer(small_recipe(tmp_path, hardware=hardware), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_step_with_fewer_scenes_than_processes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = Devices("cpu", Hardware())
    recipe = small_recipe(tmp_path)
    assert devices.slices_of(recipe) == [StepSlice(0, 1)]
    monkeypatch.setattr(devices, "count", 2)
    with pytest.raises(InvalidInputError, match="1 scenes or clips a step are too few for 2 processes"):
        devices.slices_of(recipe)
    monkeypatch.setattr(devices, "count", 1)
    with pytest.raises(InvalidInputError, match="1 scenes or clips a step are too few for 2 micro-batches"):
        devices.slices_of(replace(recipe, hardware=Hardware(micro_batches_per_step=2)))
    monkeypatch.setattr(devices, "count", 2)
    with pytest.raises(InvalidInputError, match="2 processes cannot divide 3 micro-batches"):
        devices.slices_of(replace(recipe, hardware=Hardware(micro_batches_per_step=3)))


def test_gradients_that_are_not_finite_change_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    weight.grad = torch.tensor([torch.inf, 1.0])
    devices = Devices("cpu", Hardware(precision="float32"))
    devices.update(optimizer, is_finite=False)
    assert weight.tolist() == [1, 1]
    weight.grad = torch.ones(2)
    devices.update(optimizer, is_finite=True)
    assert weight.tolist() == [0, 0]


def recipe_for_all(images: Path, *, is_sharded: bool = False) -> Recipe:
    """Images, then clips that freeze the image encoder and clips that train it; two micro-batches a step, in float32.

    Memory that learns through thresholds for several frames makes gradients too wild to compare.
    """
    clips = {"clip_length": 2, "clips_per_step": 2, "objects_per_clip": 1}
    return small_recipe(
        images,
        stages=(
            Stage(64, 2, 2, 2),
            ClipStage(64, 1, 2, 1, train_image_encoder=False, **clips),
            ClipStage(64, 1, 2, 1, **clips),
        ),
        tracking=ClipTracking(prompted_frames=1, corrected_frames=1, corrections=0, detach_masks=True),
        hardware=Hardware(precision="float32", micro_batches_per_step=2, is_sharded=is_sharded),
        save_every=2,
    )


QUIET = {"OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR"}  # as `masklet train` has it
RUN_OF_SEVERAL = """
import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, sys.argv[1])
from tests.support.small_recipes import Listener
from tests.unit.training.run.test_devices import recipe_for_all
from masklet.training.run.run_state import STATE_FILE
from masklet.training.run.trainer import Trainer
from masklet.training.run.devices import whole

recipe, folder = recipe_for_all(Path(sys.argv[2]), is_sharded=sys.argv[4] == "sharded"), Path(sys.argv[3])
listener = Listener()
Trainer(recipe, folder, observers=[listener]).run()
again = Trainer(recipe, folder)
resumed = [whole(dict(each)) for each in (again.network.state_dict(), again.ema.tensors)]
resumed.append(whole(again.optimizer.state_dict()))
if again.devices.is_first:
    (folder / "curves.json").write_text(json.dumps(listener.curves))
    torch.save(dict(zip(("model", "ema_weights", "optimizer"), resumed)), folder / "resumed.pt")
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_plain_images(tmp_path_factory.mktemp("images"))


@dataclass(frozen=True)
class Alone:
    """A run in one process that runs of several by `mode` are compared with."""

    mode: str
    folder: Path
    curves: dict[int, dict[str, float]]


@pytest.fixture(scope="module", params=["copied", "sharded"])
def alone(request: pytest.FixtureRequest, images: Path, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """The run in one process, which computes both micro-batches of every step one after the other.

    On one thread, as the others: sums in another order are rounded otherwise, and the optimizer makes much of little.
    FSDP hooks the blocks of the backbone, which then compute in plain rows instead of windows: they do so here, too.
    """
    folder, listener, threads = tmp_path_factory.mktemp("alone"), Listener(), torch.get_num_threads()
    torch.set_num_threads(1)
    trainer = Trainer(recipe_for_all(images), folder, observers=[listener])
    for block in trainer.network.vision_encoder.backbone.blocks if request.param == "sharded" else ():
        block.register_forward_hook(lambda *_: None)
    trainer.run()
    torch.set_num_threads(threads)
    return Alone(request.param, folder, listener.curves)


def test_two_processes_train_as_one(alone: Alone, images: Path, tmp_path: Path) -> None:
    """The same loss curve and weights, by DDP and by FSDP, and what is saved comes back as it was."""
    folder = tmp_path / "run"
    (tmp_path / "several.py").write_text(RUN_OF_SEVERAL)
    run = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    run += [str(tmp_path / "several.py"), str(ROOT), str(images), str(folder), alone.mode]
    done = subprocess.run(run, check=False, capture_output=True, text=True, timeout=900, env={**os.environ, **QUIET})
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout + done.stderr == ""  # what there is to tell, observers tell
    curves = json.loads((folder / "curves.json").read_text())
    for step, values in alone.curves.items():
        for name in set(values) - {"seconds", "gradient_norm"}:
            assert curves[str(step)][name] == pytest.approx(values[name], rel=1e-3, abs=1e-4), (step, name)
    together, expected = saved_state(folder), saved_state(alone.folder)
    for name, tensor in expected["ema_weights"].items():
        differs = ~torch.isclose(together["ema_weights"][name], tensor, rtol=1e-2, atol=2e-4)
        # AdamW goes as far for a gradient that is nothing but rounding as for any other: a single value of a tensor
        # may differ, on some processors one does (of 4,096, or of 147,456).
        assert differs.sum() <= 1, name
    resumed = torch.load(folder / "resumed.pt", weights_only=True)
    assert_equal_states(resumed, {name: together[name] for name in resumed})
