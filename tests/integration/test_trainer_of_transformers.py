"""A fine-tuning program written for transformers' Trainer, with masklet's classes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.small_models import random_pixels, small_model
from torch import Tensor
from torch.utils.data import Dataset

from masklet import Sam2Model

transformers = pytest.importorskip("transformers", reason="make test installs it")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


class Images(Dataset[dict[str, Tensor]]):
    """Four images of noise, a click each, and masks of their left halves."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        mask = torch.zeros(24, 24)
        mask[:, :12] = 1
        return {
            "pixel_values": random_pixels(seed=index)[0],
            "input_points": torch.tensor([[[10.0, 40.0]]]),
            "labels": mask,
        }


class MaskTrainer(transformers.Trainer):
    def compute_loss(
        self, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, **ignored: Any
    ) -> Tensor | tuple[Tensor, Any]:
        labels = inputs.pop("labels")
        outputs = model(**inputs, multimask_output=False)
        masks = outputs.pred_masks[:, 0, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(masks, labels)
        return (loss, outputs) if return_outputs else loss


def trainer(model: Sam2Model, folder: Path, **options: Any) -> MaskTrainer:
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=2,
        per_device_eval_batch_size=2,
        learning_rate=1e-3,
        remove_unused_columns=False,
        label_names=["labels"],
        logging_steps=1,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        seed=0,
        **{"max_steps": 3, "save_strategy": "no", **options},
    )
    return MaskTrainer(model=model, args=arguments, train_dataset=Images(), eval_dataset=Images())


def losses(run: MaskTrainer) -> list[float]:
    return [entry["loss"] for entry in run.state.log_history if "loss" in entry]


def test_training_evaluation_and_prediction(tmp_path: Path) -> None:
    run = trainer(small_model(), tmp_path, max_steps=6)
    before = run.evaluate()["eval_loss"]
    run.train()
    assert run.evaluate()["eval_loss"] < before - 0.02
    predictions = run.predict(Images()).predictions
    names = ["iou_scores", "pred_masks", "object_score_logits"]
    with torch.no_grad():
        expected = run.model(
            random_pixels(seed=3), input_points=torch.tensor([[[[10.0, 40.0]]]]), multimask_output=False
        )
    for values, name in zip(predictions, names, strict=False):
        torch.testing.assert_close(torch.from_numpy(values[3:]), expected[name], rtol=1e-4, atol=1e-5)


def test_an_interrupted_training_resumes(tmp_path: Path) -> None:
    whole = trainer(small_model(), tmp_path / "whole", max_steps=4)
    whole.train()
    first = trainer(small_model(), tmp_path / "parts", max_steps=4, save_strategy="steps", save_steps=2)
    first.train()
    again = trainer(small_model(seed=1), tmp_path / "parts", max_steps=4)
    again.train(resume_from_checkpoint=str(tmp_path / "parts" / "checkpoint-2"))
    assert losses(again)[-2:] == pytest.approx(losses(whole)[-2:], rel=1e-5)


def test_a_checkpoint_is_loaded_with_the_configuration_it_was_trained_with(tmp_path: Path) -> None:
    model = small_model()
    run = trainer(model, tmp_path, save_strategy="steps", save_steps=3)
    run.train()
    run.save_model(str(tmp_path / "final"))
    for folder in (tmp_path / "checkpoint-3", tmp_path / "final"):
        again = Sam2Model.from_pretrained(folder, config=model.config)
        for name, tensor in model.state_dict().items():
            assert torch.equal(again.state_dict()[name], tensor), name


def test_a_checkpoint_of_the_bundled_architecture_needs_no_configuration(tmp_path: Path) -> None:
    model = Sam2Model.from_pretrained()
    trainer(model, tmp_path).save_model(str(tmp_path / "final"))
    again = Sam2Model.from_pretrained(tmp_path / "final")
    assert again.config.vision_config == model.config.vision_config
    assert again.config.image_size == model.config.image_size
    assert torch.equal(again.no_memory_embedding, model.no_memory_embedding)


@pytest.mark.parametrize("name", ["gradient_checkpointing", "activation_checkpointing"])
def test_gradient_checkpointing_gives_the_same_losses(tmp_path: Path, name: str) -> None:
    plain = trainer(small_model(), tmp_path / "plain")
    plain.train()
    recomputed = trainer(
        small_model(), tmp_path / "recomputed", **{name: True, f"{name}_kwargs": {"use_reentrant": False}}
    )
    recomputed.train()
    assert recomputed.model.is_gradient_checkpointing
    assert losses(recomputed) == pytest.approx(losses(plain), rel=1e-4)
