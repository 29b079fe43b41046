"""What was measured can be shown as a table, whichever program measured it."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from benchmarks.roofline import KINDS, REST, CountedProducts, where_time_goes
from benchmarks.tables import DOCUMENTS, RESULTS, filled, table_of
from tests.documents.markdown import name_of

from masklet.automask.settings import AutomaticMaskSettings


@pytest.mark.parametrize("results", sorted(RESULTS.glob("*.json")), ids=name_of)
def test_every_results_file_is_a_table(results: Path) -> None:
    rows = [line for line in table_of(json.loads(results.read_text(encoding="utf-8"))).splitlines() if line[:1] == "|"]
    assert len(rows) > 2


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_documents_hold_what_was_recorded(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert "<!-- table: " in text
    assert filled(text) == text, "`python -m benchmarks.tables --write` renews the tables"


def test_every_result_is_in_a_document() -> None:
    texts = "".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    unused = {results.stem for results in RESULTS.glob("*.json")}
    assert [name for name in unused if f"<!-- table: {name} -->" not in texts] == []


def test_the_bundled_model_has_the_settings_that_the_measurement_chose() -> None:
    report = json.loads((RESULTS / "everything_settings.json").read_text(encoding="utf-8"))
    chosen, settings = report["settings"][report["chosen"]], AutomaticMaskSettings.of_preset("bundled")
    names = ("pred_iou_thresh", "stability_score_thresh", "stability_score_offset", "duplicates", "order")
    assert {name: chosen[name] for name in names} == {name: getattr(settings, name) for name in names}
    assert chosen["nms_thresh"] == settings.box_nms_thresh
    assert f"--points {settings.points_per_side}" in report["command"]


def test_the_table_of_presets_weighs_objects_alike() -> None:
    few = {"exact": 0.9, "balanced": 0.8}
    rows = [
        {"dataset": "a", "objects": 1, "agreement": {"exact": 1.0, "balanced": 0.7}, "accuracy": few},
        {
            "dataset": "b",
            "objects": 3,
            "agreement": {"exact": 1.0, "balanced": 0.9},
            "accuracy": dict.fromkeys(few, 0.4),
        },
    ]
    table = table_of({"command": "c", "machine": {"processor": "p"}, "presets": rows})
    assert table.splitlines()[-1] == "| **all** | 2 | 4 | 0.8500 | 52.5 | 50.0 |"


def test_what_several_parts_measure_is_compared_by_the_median_of_its_shares() -> None:
    def part(**seconds: float) -> dict[str, object]:
        rows = [
            {"task": "encode", "opponent": name, "median_s": each, "difference": None, "equal_pixels": None}
            for name, each in seconds.items()
        ]
        about = {"model": "tiny", "threads": 2, "image_size": 1024, "machine": {"processor": "p", "instructions": []}}
        return about | {"rows": rows}

    parts = [part(eager=1.0, balanced=0.5), part(eager=2.0, balanced=0.6, meta=3.0)]
    lines = table_of({"parts": parts}).splitlines()[4:]
    assert lines == ["| eager | 1.5000, 1.50x |", "| balanced | 0.6000, 3.75x |", "| meta | 2.2500, 1.00x |"]


def test_the_table_of_the_procedural_world() -> None:
    rates = {"scenes": {"made_a_second": 26.3, "used_a_second": 2.96}}
    assert table_of({"rates": rates}).splitlines()[-1] == "| scenes | 26.3 | 2.96 | 9 |"


def test_the_tables_of_everything_in_videos() -> None:
    amounts = {"kept": 0.5, "tracks": 12, "switches": 0, "fragments": 1.26, "covered": 0.9}
    scores = {"J&F-Mean": 0.5, "J&F of the best track": 0.6}
    clips = {"clips": "cut", "policy": "fast", "videos": 1, "frames": 36, "objects": 3, "scores": scores}
    table = table_of({"command": "c", "clips": [clips | {"amounts": amounts}]})
    assert table.splitlines()[-1] == "| cut | fast | 1 | 36 | 3 | 50.0 | 60.0 | - | 50.0 | 12.0 | 0.0 | 1.3 | - |"
    video = {"sequence": "swan", "scores": scores | {"J&F prompted": 0.9}, "amounts": amounts}
    report = {"sequences": [video], "scores": video["scores"], "amounts": amounts | {"delay": 2.5}}
    rows = table_of([report]).splitlines()
    assert rows[2] == "| swan | 50.0 | 60.0 | 90.0 | 50.0 | 12.0 | 0.0 | 1.3 | - |"
    assert rows[3] == "| **mean** | 50.0 | 60.0 | 90.0 | 50.0 | 12.0 | 0.0 | 1.3 | 2.5 |"


def test_the_table_of_small_objects() -> None:
    scores = {"J&F": 0.5, "J": 0.4, "F": 0.6}
    row = {"videos": "tiles", "way": "zoom", "frames": 12, "objects": 31, "scores": scores, "seconds_a_frame": 2.04}
    table = table_of({"command": "c", "ways": [row]})
    assert table.splitlines()[-1] == "| tiles | zoom | 12 | 31 | 50.0 | 40.0 | 60.0 | 2.0 |"


@pytest.mark.parametrize(("datasets", "dataset"), [("datasets", "dataset"), ("domains", "domain")])
def test_reports_of_images_are_read_in_both_spellings(datasets: str, dataset: str) -> None:
    scores = {"box": 0.5}
    report = {"predictor": "p", datasets: [{dataset: "nuts", "objects": 3, "mean_iou": scores}], "mean_iou": scores}
    assert table_of([report]).splitlines()[2] == "| p | nuts | 3 | 50.0 |"


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.enable_grad])
def test_products_are_counted_whatever_they_are_made_by(mode: type) -> None:
    """A multiplication and an addition a factor: [3, 4] by [4, 5] are 2 x 3 x 4 x 5."""
    left, right, out = torch.rand(3, 4), torch.rand(4, 5), torch.zeros(3, 5)
    with mode(), CountedProducts() as counted:
        torch.mm(left, right, out=out)
        out.addmm_(left, right)
        F.linear(left, right.mT)
        left @ right
        F.conv2d(torch.rand(1, 4, 1, 3), right.mT[:, :, None, None])
    assert counted.flop == 5 * 2 * 3 * 4 * 5
    query = torch.rand(1, 2, 6, 8)
    with mode(), CountedProducts() as counted:
        F.scaled_dot_product_attention(query, query, query)
    assert counted.flop == 2 * 2 * (2 * 6 * 6 * 8)


def test_all_time_is_of_some_kind() -> None:
    """Transposed convolutions, too, are products: they take nearly all of the time of the second work."""
    square, weights = torch.rand(64, 64), torch.rand(64, 64, 2, 2)
    works = {
        "matrices": lambda: square @ square,
        "upscaling": lambda: F.conv_transpose2d(square.expand(64, -1, -1), weights),
    }
    matrices, upscaling = where_time_goes("any", works)
    assert list(matrices["seconds"]) == [*KINDS, REST]
    assert min(matrices["seconds"][kind] for kind in ("products", REST)) > 0
    assert matrices["gflop"] == 2 * 64**3 / 1e9
    assert upscaling["seconds"]["products"] > upscaling["seconds"][REST]
