"""Programs that train as users of transformers write them: another import, the same losses and weights."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.support.both_imports import SIZE, Program, assert_runs_alike, image
from torch import Tensor, nn

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")

STEPS = 3
ATTENTION_OF_BACKBONE = r".*vision_encoder\.backbone.*attn\.(qkv|proj)"


def opened(sam2: Any) -> tuple[Any, Any]:
    return sam2.Sam2Model.from_pretrained(sam2.CHECKPOINT), sam2.Sam2Processor.from_pretrained(sam2.CHECKPOINT)


def batch(processor: Any) -> tuple[Any, Tensor]:
    """Two images with a box each, and masks of what is in the boxes."""
    boxes = [[[10, 5, 50, 40]], [[5, 10, 30, 60]]]
    inputs = processor(images=[image(), image(40, 70, seed=1)], input_boxes=boxes, return_tensors="pt")
    masks = torch.zeros(2, 1, 1, SIZE // 4, SIZE // 4)
    masks[..., 3:12, 4:13] = 1
    return inputs, masks


def trained(model: nn.Module, processor: Any, parameters: Iterable[nn.Parameter]) -> list[float]:
    """The losses of a loop as in a notebook."""
    inputs, masks = batch(processor)
    optimizer = torch.optim.SGD(parameters, lr=0.05)
    losses = []
    model.train()
    for _ in range(STEPS):
        logits = model(**inputs, multimask_output=False).pred_masks
        loss = F.binary_cross_entropy_with_logits(logits, masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def a_notebook_that_trains_the_mask_decoder(sam2: Any) -> Any:
    model, processor = opened(sam2)
    for name, parameter in model.named_parameters():
        if name.startswith(("vision_encoder", "prompt_encoder")):
            parameter.requires_grad_(False)
    losses = trained(model, processor, model.mask_decoder.parameters())
    decoder = model.mask_decoder.state_dict()
    untouched = not any(parameter.grad is not None for parameter in model.vision_encoder.parameters())
    return losses, untouched, decoder["conv_s0.weight"], decoder["transformer.layers.0.mlp.proj_in.weight"]


def everything_is_trained(sam2: Any) -> Any:
    model, processor = opened(sam2)
    losses = trained(model, processor, model.parameters())
    return losses, model.vision_encoder.backbone.blocks[0].attn.qkv.weight, model.no_memory_embedding


def trained_from_a_configuration(sam2: Any) -> Any:
    config = sam2.Sam2Config.from_pretrained(sam2.CHECKPOINT)
    model = sam2.Sam2Model(config)
    model.load_state_dict(opened(sam2)[0].state_dict())
    return model.training, trained(model, opened(sam2)[1], model.parameters())


def low_rank_adapters(sam2: Any) -> Any:
    """Also beside projections of the decoder, whose weights masklet otherwise multiplies by itself."""
    import peft

    model, processor = opened(sam2)
    targets = f"{ATTENTION_OF_BACKBONE}|.*mask_decoder.*_proj"
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=2, lora_alpha=8, target_modules=targets))
    names = sorted(name for name, parameter in adapted.named_parameters() if parameter.requires_grad)
    torch.manual_seed(1)
    with torch.no_grad():
        for name in names:
            parameter = adapted.get_parameter(name)
            parameter.copy_(0.05 * torch.randn(parameter.shape))
    losses = trained(adapted, processor, [adapted.get_parameter(name) for name in names])
    received = all(adapted.get_parameter(name).grad.any() for name in names)
    inputs, _ = batch(processor)
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        adapted.save_pretrained(folder)
        loaded = peft.PeftModel.from_pretrained(opened(sam2)[0], folder).eval()
        again = loaded(**inputs).pred_masks
        merged = loaded.merge_and_unload().eval()(**inputs).pred_masks
    return len(names), received, losses, again, merged


def gradient_checkpointing(sam2: Any) -> Any:
    """Which transformers' Sam2Model refuses: there the plain way is what the losses are compared with."""
    model, processor = opened(sam2)
    if model.supports_gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return trained(model, processor, model.parameters())


def accelerate_prepares_and_saves(sam2: Any) -> Any:
    from accelerate import Accelerator

    model, processor = opened(sam2)
    accelerator = Accelerator(cpu=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    model, optimizer = accelerator.prepare(model, optimizer)
    inputs, masks = batch(processor)
    loss = F.binary_cross_entropy_with_logits(model(**inputs, multimask_output=False).pred_masks, masks)
    accelerator.backward(loss)
    optimizer.step()
    with tempfile.TemporaryDirectory() as folder:
        accelerator.save_model(model, folder)
        files = sorted(path.name for path in Path(folder).iterdir())
    return loss.item(), files, accelerator.unwrap_model(model).mask_decoder.conv_s1.weight


def the_trainer(sam2: Any) -> Any:
    """Losses of training and evaluation, and what `predict` returns."""
    import transformers

    class MaskTrainer(transformers.Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **ignored: Any) -> Any:
            outputs = model(**{name: inputs[name] for name in inputs if name != "labels"}, multimask_output=False)
            loss = F.binary_cross_entropy_with_logits(outputs.pred_masks, inputs["labels"])
            return (loss, outputs) if return_outputs else loss

    model, processor = opened(sam2)
    inputs, masks = batch(processor)
    data = [
        {"pixel_values": pixels, "input_boxes": boxes, "labels": mask}
        for pixels, boxes, mask in zip(inputs["pixel_values"], inputs["input_boxes"], masks, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = transformers.TrainingArguments(
            folder,
            max_steps=2,
            per_device_train_batch_size=2,
            learning_rate=1e-3,
            remove_unused_columns=False,
            label_names=["labels"],
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        trainer = MaskTrainer(model=model, args=arguments, train_dataset=data, eval_dataset=data)
        trainer.train()
        evaluated = trainer.evaluate()["eval_loss"]
        predicted = trainer.predict(data).predictions
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return losses, evaluated, torch.from_numpy(predicted[1])


PROGRAMS: list[Program] = [
    a_notebook_that_trains_the_mask_decoder,
    everything_is_trained,
    trained_from_a_configuration,
    low_rank_adapters,
    gradient_checkpointing,
    accelerate_prepares_and_saves,
    the_trainer,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_another_import(program: Program, hub_folder: Path) -> None:
    assert_runs_alike(program, hub_folder)
