"""Every command as a user calls it, with a compact model of random weights."""

import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from tests.support.command_errors import assert_one_line
from tests.support.litter import litter
from typer.testing import CliRunner

from masklet import ImageSegmenter, Sam2Model, Sam2Processor, ZoomingSegmenter, __version__
from masklet.cli.exit_codes import ExitCode
from masklet.cli.main import app
from masklet.masks.run_length import encode_run_length
from masklet.training import recipes
from masklet.training.recipes.compact import smoke
from masklet.training.run.trainer import Trainer
from masklet.training.settings.stages import Stage

SIZE = 128
# pycocotools converts its result in a way that numpy 2 warns about.
ignores_conversion = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


@pytest.fixture(scope="session")
def model(compact_folder):
    return compact_folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder with the photos a.png (120 x 90) and b.jpg (50 x 60)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKLET_DEBUG", raising=False)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("a.png")
    Image.fromarray(pixels[:60, :50]).save("b.jpg")
    return tmp_path


def masklet(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


# segment


def read_pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def read_annotations(path):
    return json.loads(Path(path).read_text())["annotations"]


@ignores_conversion
def test_segment_writes_three_files_that_agree_and_prints_their_paths(here, model):
    result = masklet("segment", "a.png", "--box", "20,10,70,60", "-o", "out", "--model", model)
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.stdout.split() == ["out/a_overlay.png", "out/a_mask.png", "out/a.json"]
    assert result.stderr == ""
    assert {f"out/{path.name}" for path in (here / "out").iterdir()} == set(result.stdout.split())
    mask = read_pixels("out/a_mask.png")
    assert 0 < (mask == 255).sum() < mask.size
    (annotation,) = read_annotations("out/a.json")
    np.testing.assert_array_equal(coco_mask.decode(annotation["segmentation"]) == 1, mask == 255)
    overlay = read_pixels("out/a_overlay.png").astype(int)
    difference = np.abs(overlay - read_pixels("a.png")).sum(axis=2)
    assert (difference[mask == 255] > 0).mean() > 0.9


def test_json_files_beside_their_images_are_annotated_data(here, model):
    masklet("segment", "a.png", "--box", "20,10,70,60", "-o", "out", "--model", model)
    (here / "data").mkdir()
    for file in ("a.png", "out/a.json"):
        shutil.copy(file, "data")
    result = masklet("data", "check", "data")
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.stdout.splitlines()[0] == "data: SA-1B"
    assert result.stdout.splitlines()[-1] == "0 errors, 0 remarks."


@ignores_conversion
def test_several_objects_get_what_each_would_get_alone(here, model):
    objects = {
        1: ["--box", "20,10,70,60", "--point", "30,30", "--point", "60,60,0"],
        2: ["--box", "5,5,50,80@2"],
        7: ["--point", "100,40@7"],
    }
    together = masklet("segment", "a.png", *chain(*objects.values()), "-o", "all", "--model", model)
    assert together.exit_code == ExitCode.DONE, together.output
    annotations = read_annotations("all/a.json")
    assert [each["id"] for each in annotations] == [1, 2, 7]
    assert set(np.unique(read_pixels("all/a_mask.png"))) <= {0, 1, 2, 7}
    for annotation, (number, prompts) in zip(annotations, objects.items(), strict=True):
        masklet("segment", "a.png", *prompts, "-o", f"{number}", "--model", model)
        (alone,) = read_annotations(f"{number}/a.json")
        assert alone["segmentation"] == annotation["segmentation"]
        assert alone["predicted_iou"] == pytest.approx(annotation["predicted_iou"], abs=1e-5)
    assert len({each["segmentation"]["counts"] for each in annotations}) == 3


def test_the_result_is_that_of_the_image_segmenter(here, model):
    segmenter = ImageSegmenter.from_pretrained(model)
    expected = segmenter.segment(segmenter.encode("a.png"), points=[[(30, 30)]], labels=[[1]])
    masklet("segment", "a.png", "--point", "30,30", "-o", "out", "--model", model)
    (annotation,) = read_annotations("out/a.json")
    assert annotation["segmentation"] == encode_run_length(expected.masks[0])
    assert annotation["predicted_iou"] == pytest.approx(float(expected.scores[0]), abs=1e-5)


def test_zoom_gives_the_result_of_the_zooming_segmenter(here, model):
    segmenter = ZoomingSegmenter.from_pretrained(model)
    expected = segmenter.segment(segmenter.encode("a.png"), boxes=[(20, 10, 50, 40)])
    masklet("segment", "a.png", "--box", "20,10,50,40", "--zoom", "-o", "out", "--model", model)
    (annotation,) = read_annotations("out/a.json")
    assert annotation["segmentation"] == encode_run_length(expected.masks[0])
    assert annotation["predicted_iou"] == pytest.approx(float(expected.scores[0]), abs=1e-5)


def test_multimask_adds_three_candidates_best_first(here, model):
    result = masklet("segment", "a.png", "--point", "30,30", "--box", "5,5,9,9@2", "--multimask", "--model", model)
    assert result.exit_code == ExitCode.DONE, result.output
    folder = Path("masklet-output")
    assert len(list(folder.iterdir())) == 4 * 3
    candidates = [read_annotations(folder / f"a_candidate{rank}.json") for rank in (1, 2, 3)]
    for place, number in enumerate([1, 2]):
        assert [each[place]["id"] for each in candidates] == [number] * 3
        scores = [each[place]["predicted_iou"] for each in candidates]
        assert scores == sorted(scores, reverse=True)
        assert len(set(scores)) == 3
    assert read_pixels(folder / "a_candidate3_overlay.png").shape == (90, 120, 3)
    best = candidates[0][0]
    assert best["segmentation"] == read_annotations(folder / "a.json")[0]["segmentation"]  # one click is ambiguous


def test_a_mask_prompt_is_read_from_a_file(here, model):
    Image.fromarray((np.arange(120) < 60).astype(np.uint8)[None].repeat(90, 0) * 255).save("rough.png")
    result = masklet("segment", "a.png", "--mask", "rough.png", "-o", "out", "--model", model)
    assert result.exit_code == ExitCode.DONE, result.output
    wrong = masklet("segment", "b.jpg", "--mask", "rough.png", "-o", "wrong", "--model", model)
    assert_one_line(wrong, ExitCode.WRONG_USAGE, "b.jpg: The mask rough.png is 120 x 90", "50 x 60")


def test_images_and_masks_above_the_limit_are_refused_and_can_be_permitted(here, model, monkeypatch):
    monkeypatch.setenv("MASKLET_MAX_IMAGE_PIXELS", "10799")
    Image.fromarray(np.full((90, 120), 255, np.uint8)).save("rough.png")
    for arguments in (["b.jpg", "--mask", "rough.png"], ["a.png", "--box", "1,1,40,40"]):
        refused = masklet("segment", *arguments, "-o", "out", "--model", model)
        assert_one_line(refused, ExitCode.FILE_PROBLEM, "120 x 90", "10,799 allowed", "--max-image-pixels")
    assert not Path("out").exists()
    permitted = ["a.png", "--mask", "rough.png", "--max-image-pixels", "10800"]
    assert masklet("segment", *permitted, "-o", "out", "--model", model).exit_code == ExitCode.DONE
    wrong = masklet("segment", *permitted[:-1], "none", "-o", "out", "--model", model)
    assert_one_line(wrong, ExitCode.WRONG_USAGE, "--max-image-pixels")


def test_bad_images_of_a_batch_are_reported_and_the_others_done(here, model):
    Path("text.jpg").write_text("no picture")
    photos = ["text.jpg", "a.png", "nowhere.png", "b.jpg"]
    result = masklet("segment", *photos, "--point", "100,40", "-o", "out", "--model", model)
    assert result.exit_code == ExitCode.SOME_FAILED
    unreadable, missing, outside = result.stderr.splitlines()
    assert unreadable == "Error: Not an image in a known format: text.jpg"
    assert missing == "Error: No such image file: nowhere.png"
    assert outside.startswith("Error: b.jpg: Object 1: The point (100, 40)")
    assert sorted(path.name for path in (here / "out").iterdir()) == ["a.json", "a_mask.png", "a_overlay.png"]


def test_hundreds_of_objects_are_a_label_map_of_16_bits(here, model):
    boxes = [{"box": [x, y, x + 20, y + 20]} for x in range(0, 100, 5) for y in range(0, 65, 5)]
    Path("many.json").write_text(json.dumps({"a.png": boxes}), encoding="utf-8")
    assert masklet("segment", "--prompts", "many.json", "--model", model, "-o", "out").exit_code == ExitCode.DONE
    ids = [each["id"] for each in json.loads(Path("out/a.json").read_text(encoding="utf-8"))["annotations"]]
    assert ids == list(range(1, 261))
    with Image.open("out/a_mask.png") as mask:
        assert mask.mode == "I;16"


def test_a_folder_stands_for_its_images(here, model):
    (here / "photos").mkdir()
    for name in ("a.png", "b.jpg"):
        (here / name).rename(here / "photos" / name)
    litter(here / "photos")
    result = masklet("segment", "photos", "--point", "10,10", "--model", model, "-o", "out")
    assert (result.exit_code, result.stderr) == (0, "")
    written = [f"out/{name}{ending}" for name in "ab" for ending in ("_overlay.png", "_mask.png", ".json")]
    assert result.stdout.splitlines() == written
    (here / "empty").mkdir()
    refused = masklet("segment", "photos", "empty", "--point", "10,10", "--model", model, "-o", "none")
    assert_one_line(refused, ExitCode.WRONG_USAGE, "The folder empty holds no images.")
    assert not (here / "none").exists()


def test_a_batch_without_any_success_has_the_exit_code_of_its_error(here, model):
    Path("cut.png").write_bytes(Path("a.png").read_bytes()[:2000])
    assert_one_line(masklet("segment", "cut.png", "--point", "1,1", "--model", model), 3, "cut.png")
    assert_one_line(masklet("segment", "a.png", "--point", "500,1", "--model", model), 2, "a.png", "image of 120 x")


def test_bands_of_a_tiff_image_are_chosen(here, model):
    bands = np.zeros((60, 80, 5), np.uint16)
    bands[..., 3], bands[..., 1] = 4095, 2000
    tifffile.imwrite("many.tif", bands, photometric="minisblack", planarconfig="contig")
    given = ["segment", "many.tif", "--box", "5,5,70,50", "--model", model, "-o", "out"]
    assert_one_line(masklet(*given), ExitCode.WRONG_USAGE, "many.tif", "5 bands of uint16", "--bands 3,2,1")
    assert_one_line(masklet(*given, "--bands", "4,x"), ExitCode.WRONG_USAGE, "--bands 4,x is not one or three")
    assert masklet(*given, "--bands", "4,1,2").exit_code == ExitCode.DONE
    Image.new("RGB", (80, 60), (255, 0, 125)).save("colours.png")
    assert masklet("segment", "colours.png", *given[2:]).exit_code == ExitCode.DONE
    assert Path("out/many_overlay.png").read_bytes() == Path("out/colours_overlay.png").read_bytes()


def test_clicks_where_padding_is_and_transposed_masks_are_refused(here, model):
    Image.new("L", (90, 120), 255).save("turned.png")
    Path("prompts.json").write_text(json.dumps({"a.png": [{"points": [[-10, -10]]}]}))
    for given, fragment in (
        (["a.png", "--point=-10,-10"], "outside"),
        (["--prompts", "prompts.json"], "outside"),
        (["a.png", "--mask", "turned.png"], "90 x 120"),
    ):
        assert_one_line(masklet("segment", *given, "--model", model), ExitCode.WRONG_USAGE, "a.png", fragment)


def test_a_prompt_file_gives_each_image_its_own_objects(here, model):
    (here / "batch").mkdir()
    prompts = {"../a.png": [{"id": 3, "points": [[100, 40], [5, 5, 0]]}], "../b.jpg": [{"box": [1, 1, 30, 40]}] * 2}
    Path("batch/prompts.json").write_text(json.dumps(prompts))
    options = ("--prompts", "batch/prompts.json", "--model", model)
    assert masklet("segment", *options, "-o", "all").exit_code == ExitCode.DONE
    assert [each["id"] for each in read_annotations("all/a.json")] == [3]
    assert [each["id"] for each in read_annotations("all/b.json")] == [1, 2]
    assert masklet("segment", "b.jpg", *options, "-o", "one").exit_code == ExitCode.DONE
    assert not Path("one/a.json").exists()
    assert Path("one/b.json").read_text() == Path("all/b.json").read_text()
    unknown = masklet("segment", "b.jpg", "c.png", *options)
    assert_one_line(unknown, ExitCode.WRONG_USAGE, "no prompts for c.png")


@pytest.mark.parametrize(
    ("arguments", "code", "fragment"),
    [
        (["--point", "1,1"], 2, "No image is given"),
        (["a.png"], 2, "give --point, --box, --mask or --prompts"),
        (["a.png", "--point", "1"], 2, "--point 1 is not of the form x,y"),
        (["a.png", "--box", "9,9,3,3"], 2, "x1 < x2"),
        (["a.png", "--point", "1,1@70000", "--box", "1,1,9,9"], 2, "object ids up to 65535; got 70000"),
        (["a.png", "--pont", "1,1"], 2, "No such option: --pont"),
        (["a.png", "--point", "1,1", "--prompts", "b.json"], 2, "not both"),
        (["--prompts", "nowhere.json"], 3, "nowhere.json: No such file"),
        (["--prompts", "a.png"], 2, "a.png is not JSON"),
        (["a.png", "sub/a.png", "--point", "1,1"], 2, "a.png and sub/a.png would both be written to out/a.json"),
        (["a.png", "a_candidate1.png", "--multimask", "--point", "1,1"], 2, "both be written to out/a_candidate1.json"),
        (["a.png", "--point", "1,1", "-o", "b.jpg"], 2, "-o b.jpg is a file"),
        (["a.png", "--point", "1,1", "--model", "nowhere"], 3, "no checkpoint 'nowhere'"),
        (["a.png", "--point", "1,1", "--device", "toaster"], 2, "'toaster' cannot be used here"),
        (["a.png", "--point", "1,1", "--dtype", "int8"], 2, "dtype='int8'; the network computes in float32"),
        (["a.png", "--point", "1,1", "--dtype", "float8_e4m3fn"], 2, "dtype='float8_e4m3fn'; the network computes in"),
        (["a.png", "--point", "1,1", "--device", "meta"], 2, "'meta' cannot be used here"),
        (
            ["a.png", "--point", "1,1", "--image-size", "32000000"],
            2,
            "image_size=32000000; it must be",
        ),
        (["a.png", "--point", "1,1", "--image-size", "100"], 2, "100"),
        (["a.png", "--point", "1,1", "--image-size", "big"], 2, "--image-size"),
    ],
)
def test_unusable_arguments_are_one_line_and_nothing_is_written(here, model, arguments, code, fragment):
    given = ["-o", "out"] if "-o" not in arguments else []
    given += ["--model", model] if "--model" not in arguments else []
    assert_one_line(masklet("segment", *arguments, *given), code, fragment)
    assert not Path("out").exists()


def test_image_size_and_dtype_reach_the_model(here, model):
    options = ("a.png", "--box", "20,10,70,60", "--model", model)
    masklet("segment", *options, "-o", "plain")
    assert masklet("segment", *options, "-o", "larger", "--image-size", 256).exit_code == ExitCode.DONE
    assert masklet("segment", *options, "-o", "shorter", "--dtype", "bfloat16").exit_code == ExitCode.DONE
    scores = [read_annotations(f"{name}/a.json")[0]["predicted_iou"] for name in ("plain", "larger", "shorter")]
    assert len(set(scores)) == 3


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(here, model, monkeypatch):
    def fail(image, path, **options):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Image.Image, "save", fail)
    result = masklet("segment", "a.png", "--point", "1,1", "-o", "out", "--model", model)
    assert_one_line(result, ExitCode.FILE_PROBLEM, "a.png", "No space left on device")
    assert list((here / "out").iterdir()) == []


def test_an_interrupt_is_one_line_with_its_own_exit_code(here, model, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(ImageSegmenter, "encode", interrupt)
    result = masklet("segment", "a.png", "--point", "1,1", "--model", model)
    assert_one_line(result, ExitCode.INTERRUPTED, "interrupted")


@pytest.mark.parametrize("by_variable", [False, True])
def test_debug_shows_the_traceback(here, monkeypatch, by_variable):
    if by_variable:
        monkeypatch.setenv("MASKLET_DEBUG", "1")
    result = masklet(*([] if by_variable else ["--debug"]), "convert", "nowhere", "target")
    assert result.exit_code == ExitCode.FILE_PROBLEM
    assert "Traceback" in result.stderr
    assert "in convert" in result.stderr


# evaluate


@pytest.fixture
def annotated(here):
    """A domain of two images, each with one rectangle of 40 x 20 pixels."""
    (here / "domain/images").mkdir(parents=True)
    mask = np.zeros((90, 120), dtype=bool)
    mask[30:50, 20:60] = True
    for name in ("1.png", "2.png"):
        Image.fromarray(mask.astype(np.uint8) * 200).convert("RGB").save(here / "domain/images" / name)
    images = [{"id": each, "file_name": f"{each}.png", "height": 90, "width": 120} for each in (1, 2)]
    annotations = [{"id": each, "image_id": each, "segmentation": encode_run_length(mask)} for each in (1, 2)]
    (here / "domain/annotations.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return here / "domain"


def test_evaluate_stills_measures_everything_by_one_command(annotated, model):
    arguments = ("--predictor", "all", "--limit", 1, "--model", model, "-o", "scores/report.json")
    result = masklet("evaluate", "stills", annotated, *arguments)
    assert result.exit_code == ExitCode.DONE, result.output
    measured, grabcut, ellipse = json.loads(Path("scores/report.json").read_text())
    assert list(measured["mean_iou"]) == list(grabcut["mean_iou"]) == ["1 click", "3 clicks", "5 clicks", "box"]
    assert list(ellipse["mean_iou"]) == ["box"]
    assert ellipse["mean_iou"]["box"] == pytest.approx(np.pi / 4, abs=0.03)
    assert [each["datasets"][0]["images"] for each in (measured, grabcut, ellipse)] == [1, 1, 1]
    assert measured["predictor"] == str(model)
    for name in ("GrabCut", "ellipse", "5 clicks", f"{100 * ellipse['mean_iou']['box']:.1f}"):
        assert name in result.stdout


def test_evaluate_measures_what_a_second_look_brings(annotated, model):
    scores = {}
    for option in ((), ("--zoom",)):
        result = masklet("evaluate", "stills", annotated, *option, "--model", model, "-o", "report.json")
        assert result.exit_code == ExitCode.DONE, result.output
        (report,) = json.loads(Path("report.json").read_text())
        scores[report["predictor"]] = report["mean_iou"]
    assert list(scores) == [str(model), f"{model} (zoom)"]
    assert scores[str(model)] != scores[f"{model} (zoom)"]


def test_evaluate_needs_no_model_for_what_uses_none(annotated, monkeypatch):
    monkeypatch.setattr(ImageSegmenter, "from_pretrained", None)
    result = masklet("evaluate", "stills", annotated, "--predictor", "ellipse")
    assert result.exit_code == ExitCode.DONE, result.output


def test_evaluate_names_a_folder_without_annotations(here):
    result = masklet("evaluate", "stills", here, "--predictor", "ellipse")
    assert_one_line(result, ExitCode.WRONG_USAGE, str(here), "annotations.json")


# convert


def test_convert_goes_there_and_back_bit_by_bit(here, model):
    there = masklet("convert", model, "meta.pt", "--to", "meta")
    assert there.stdout == "meta.pt\n"
    assert there.stderr.startswith("Note: Meta's sam2 cannot run this network: global attention in block 11")
    assert there.stderr.count("\n") == 1
    assert masklet("convert", "meta.pt", "back").exit_code == ExitCode.DONE
    assert Sam2Processor.from_pretrained("back").target_size == SIZE
    assert (here / "back" / "preprocessor_config.json").exists()  # for transformers, too
    before, after = Sam2Model.from_pretrained(model).state_dict(), Sam2Model.from_pretrained("back").state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_convert_refuses_damaged_sources_and_unfitting_targets(here, model):
    (here / "damaged").mkdir()
    Path("damaged/config.json").write_bytes((model / "config.json").read_bytes())
    Path("damaged/model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:5000])
    assert_one_line(masklet("convert", "damaged", "target"), ExitCode.FILE_PROBLEM, "model.safetensors")
    assert_one_line(masklet("convert", model, "target", "--to", "meta"), ExitCode.WRONG_USAGE, ".pt")
    assert_one_line(
        masklet("convert", model, "target", "--to", "onnx"), ExitCode.WRONG_USAGE, "meta", "seed", "current"
    )
    too_new = masklet("convert", model, "target", "--to", "seed")
    assert_one_line(too_new, ExitCode.FILE_PROBLEM, "cannot express embed_dim_per_stage", "layout 'current'")
    assert not Path("target").exists()


# train


@pytest.fixture
def quick_recipe(here, monkeypatch):
    """The recipe "quick": two steps on one object each, saved after each step."""
    (here / "pictures").mkdir()
    Path("pictures/a.png").write_bytes(Path("a.png").read_bytes())
    settings = {"name": "quick", "stages": (Stage(SIZE, 2, 1, 1),), "prompt_rounds": 1, "save_every": 1}
    monkeypatch.setitem(recipes.RECIPES, "quick", lambda data: replace(smoke(data), **settings))
    return "quick"


def test_an_interrupted_training_goes_on_by_the_same_command(quick_recipe, monkeypatch):
    train_on = Trainer._train_on

    def interrupted_in_the_second_step(trainer, batch):
        if trainer.step == 1:
            raise KeyboardInterrupt
        return train_on(trainer, batch)

    arguments = ("train", quick_recipe, "--data", "pictures", "-o", "my run", "--device", "cpu")
    with monkeypatch.context() as during:
        during.setattr(Trainer, "_train_on", interrupted_in_the_second_step)
        stopped = masklet(*arguments)
    assert stopped.exit_code == ExitCode.INTERRUPTED
    remark, memory, *_, told, last = stopped.stdout.splitlines()
    assert remark.startswith("pictures: no annotations in a known layout")
    assert memory.startswith("Estimated RAM or GPU memory: ")
    assert told.startswith("step 1 of 2: loss ")
    command = "masklet train quick --data pictures -o 'my run' --device cpu"
    assert last == f"Stopped at step 1 of 2. Continue with: {command}"
    finished = masklet(*arguments)
    assert finished.exit_code == ExitCode.DONE, finished.output
    assert "Continuing at step 1 of 2." in finished.stdout.splitlines()
    assert finished.stdout.splitlines()[-1] == "my run/average"
    assert len(list(Path("my run/curves").glob("events*"))) == 2
    assert [json.loads(line)["step"] for line in Path("my run/steps.jsonl").read_text().splitlines()] == [1, 2]
    assert "<svg" in Path("my run/report.html").read_text()
    segmented = masklet("segment", "a.png", "--point", "9,9", "--model", "my run/average")
    assert segmented.exit_code == ExitCode.DONE, segmented.output


def test_training_begins_with_the_weights_asked_for(quick_recipe, monkeypatch):
    begin = ("train", quick_recipe, "--data", "pictures", "--device", "cpu")
    assert masklet(*begin, "-o", "first").exit_code == ExitCode.DONE

    def interrupt(trainer, batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "_train_on", interrupt)
    stopped = masklet(*begin, "-o", "second", "--from", "first/average")
    assert "--from first/average" in stopped.stdout.splitlines()[-1]
    before, after = (Sam2Model.from_pretrained(f"{run}/average").state_dict() for run in ("first", "second"))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_train_shows_every_field_as_it_would_run(quick_recipe):
    shown = masklet("train", "quick", "--data", "pictures", "--set", "losses.dice=4", "--show")
    assert shown.exit_code == ExitCode.DONE, shown.output
    fields = dict(line.split("=", 1) for line in shown.stdout.splitlines())
    assert (fields["losses.dice"], fields["stages.0.steps"], fields["image_folders"]) == ("4.0", "2", '["pictures"]')
    assert_one_line(masklet("train", "quick", "--set", "loses.dice=4", "--show"), 2, "losses.dice", "model, stages")
    assert_one_line(masklet("train", "quick"), 2, "--data", "-o")


def test_train_names_what_it_cannot_use(quick_recipe, monkeypatch):
    options = ("-o", "run", "--device", "cpu")
    recipes = "compact, compact_clips, smoke, quick"
    assert_one_line(masklet("train", "large", "--data", "pictures", *options), 2, "'large'", recipes)
    assert_one_line(masklet("train", "quick", "--data", "nowhere", *options), 2, "nowhere")
    assert_one_line(masklet("train", "quick", "--data", "pictures", "-o", "run", "--device", "toaster"), 2, "toaster")
    result = masklet("train", "finetune-image", "--data", "pictures", *options)
    assert_one_line(result, ExitCode.WRONG_USAGE, "learns from annotated data", "masklet data check")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    result = masklet("train", "quick", "--data", "pictures", *options)
    assert_one_line(result, ExitCode.WRONG_USAGE, "pip install 'masklet[train]'")


# info, help, start-up


def test_info_shows_versions_devices_model_and_cache(model):
    result = masklet("info", "--model", model)
    assert result.exit_code == ExitCode.DONE, result.output
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert rows["masklet"] == __version__
    assert rows["torch"] == torch.__version__
    assert "cpu" in rows["device"]
    assert f"image size {SIZE}" in rows["model"]
    parameters = Sam2Model.from_pretrained(model).num_parameters()
    assert f"{parameters / 1e6:.1f} million parameters" in rows["model"]
    assert "hub" in rows["hub"]
    assert_one_line(masklet("info", "--model", "nowhere"), ExitCode.FILE_PROBLEM, "nowhere")


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ([], " threads)"),
        (["vnni", "amx_tile"], " threads, int8 by VNNI, bfloat16 by AMX)"),
        (["avx512_bf16"], " threads, bfloat16 by AVX-512)"),
    ],
)
def test_info_lists_what_the_processor_multiplies_faster(model, instructions, expected, monkeypatch):
    for name in ("vnni", "avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda name=name: name in instructions)
    lines = masklet("info", "--model", model).stdout.splitlines()
    assert [line for line in lines if line.startswith("device")][-1].endswith(expected)


@pytest.mark.parametrize(
    "command", [[], ["segment"], ["train"], ["convert"], ["info"], ["evaluate", "stills"]], ids=" ".join
)
def test_every_help_explains_the_exit_codes(command):
    result = masklet(*command, "--help")
    assert result.exit_code == ExitCode.DONE
    assert "130 interrupted" in " ".join(result.stdout.split())


def test_masklet_alone_shows_the_help_and_wrong_commands_are_one_line():
    assert masklet().stdout == masklet("--help").stdout
    assert_one_line(masklet("segmnt"), ExitCode.WRONG_USAGE, "No such command 'segmnt'", "--help")
    assert_one_line(masklet("--quiet"), ExitCode.WRONG_USAGE, "No such option: --quiet")
    assert masklet("--version").stdout == f"masklet {__version__}\n"


def test_the_help_imports_nothing_heavy():
    program = (
        "import sys\n"
        "sys.argv = ['masklet', 'segment', '--help']\n"
        "try:\n"
        "    import runpy; runpy.run_module('masklet', run_name='__main__')\n"
        "except SystemExit as exit:\n"
        "    assert exit.code == 0, exit.code\n"
        "heavy = {'torch', 'numpy', 'PIL', 'cv2', 'pycocotools', 'huggingface_hub', 'rich'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--point" in result.stdout
    assert result.stdout.endswith("heavy: []\n")
