import numpy as np
import pytest
from tests.support.annotated_folders import LEFT, write_plain, write_sa1b
from tests.support.annotated_images import PICTURES, SIZE, square, write_domain

from masklet.errors import InvalidInputError
from masklet.evaluation.images.baselines import InscribedEllipse
from masklet.evaluation.images.measurement import evaluate_images
from masklet.media.label_maps import write_label_map
from masklet.prompts.simulated_annotator import first_click


@pytest.fixture
def root(tmp_path):
    write_domain(tmp_path / "first", PICTURES)
    write_domain(tmp_path / "second", [[square(4, 4, 4)], []])
    return tmp_path


class Recorder:
    """Answers each call by `answer(first clicks or boxes, number of clicks)` and keeps the calls."""

    name = "recorder"

    def __init__(self, answer):
        self.answer, self.calls = answer, []

    def open(self, image):
        self.picture = int(image[0, 0, 0])

    def predict(self, *, clicks, boxes, use_previous):
        assert (clicks is None) != (boxes is None)
        self.calls.append((self.picture, None if clicks is None else [list(each) for each in clicks], use_previous))
        count = len(boxes) if clicks is None else len(clicks)
        return np.stack([self.answer(None if clicks is None else clicks[each]) for each in range(count)])


class Perfect:
    """Knows that all objects are squares and, for clicks, the objects of each image in the order of opening."""

    name = "perfect"

    def __init__(self, images):
        self.pictures = iter(images)

    def open(self, image):
        self.truths = next(self.pictures)

    def predict(self, *, clicks, boxes, use_previous):
        if boxes is not None:
            return np.stack([square(int(x1), int(y1), int(x2 - x1)) for x1, y1, x2, _ in boxes])
        return np.stack([next(truth for truth in self.truths if truth[each[0].y, each[0].x]) for each in clicks])


SETTINGS = ["1 click", "3 clicks", "5 clicks", "box"]


def test_perfect_predictor_scores_100(root):
    report = evaluate_images(root, Perfect([*PICTURES, [square(4, 4, 4)]]))
    counts = {
        name: (len(items), sum(len(each.object_ids) for each in items)) for name, items in report.datasets.items()
    }
    assert counts == {"first": (2, 3), "second": (2, 1)}
    assert report.means == dict.fromkeys(SETTINGS, 1.0)


def test_empty_predictor_scores_0(root):
    report = evaluate_images(root, Recorder(lambda clicks: np.zeros(SIZE, dtype=bool)))
    assert report.means == dict.fromkeys(SETTINGS, 0.0)


def test_mean_is_over_objects_then_over_domains(root):
    half = np.zeros(SIZE, dtype=bool)
    half[4:8, 4:6] = True  # IoU 0.5 with the one object of the second domain
    first = evaluate_images(root / "first", Recorder(lambda clicks: half), clicks=(1,), box=False)
    second = evaluate_images(root / "second", Recorder(lambda clicks: half), clicks=(1,), box=False)
    both = evaluate_images(root, Recorder(lambda clicks: half), clicks=(1,), box=False)
    expected = (8 / 25) / 3  # of the first domain's three objects it covers 8 of the 25 pixels of one
    assert first.means == pytest.approx({"1 click": expected})
    assert second.means == pytest.approx({"1 click": 0.5})
    assert both.means == pytest.approx({"1 click": (expected + 0.5) / 2})


def test_clicks_accumulate_and_the_previous_prediction_is_fed_back(root):
    predictor = Recorder(lambda clicks: np.zeros(SIZE, dtype=bool))
    evaluate_images(root / "second", predictor, clicks=(3,), box=True)
    first, second, third, box = predictor.calls
    assert [call[2] for call in (first, second, third, box)] == [False, True, True, False]
    assert [len(call[1][0]) for call in (first, second, third)] == [1, 2, 3]
    assert third[1][0][:2] == second[1][0]
    assert box[1] is None


def test_an_object_without_error_gets_no_click_and_keeps_its_mask(root):
    truth = square(4, 4, 4)
    answers = iter([truth, ~truth, ~truth])
    predictor = Recorder(lambda clicks: next(answers))
    report = evaluate_images(root / "second", predictor, clicks=(1, 3), box=False)
    assert report.means == {"1 click": 1.0, "3 clicks": 1.0}
    assert [len(call[1][0]) for call in predictor.calls] == [1, 1, 1]


def test_many_objects_go_in_several_calls(tmp_path):
    masks = [square(x, y, 2) for x in range(0, 30, 3) for y in range(0, 21, 3)]
    write_domain(tmp_path / "many", [masks])
    predictor = Recorder(lambda clicks: np.zeros(SIZE, dtype=bool))
    report = evaluate_images(tmp_path, predictor, clicks=(1,), box=False)
    assert [len(clicks) for _, clicks, _ in predictor.calls] == [64, 6]
    assert report.items[0].object_ids == tuple(range(70))


def test_limit_and_progress(root):
    steps = []
    empty = Recorder(lambda clicks: np.zeros(SIZE, dtype=bool))
    report = evaluate_images(root, empty, limit=1, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert [each.name for each in report.items] == ["first/0.png", "second/0.png"]


def test_objects_per_image_takes_the_first_of_each_image(root):
    predictor = Recorder(lambda clicks: np.zeros(SIZE, dtype=bool))
    report = evaluate_images(root, predictor, clicks=(1,), box=False, objects_per_image=1)
    assert [len(each.object_ids) for each in report.items] == [1, 1, 1, 0]
    firsts = [first_click(masks[0]) for masks in PICTURES]
    assert [clicks[0][0] for _, clicks, _ in predictor.calls[:2]] == firsts


def test_predictor_that_takes_boxes_only(root):
    report = evaluate_images(root, InscribedEllipse(), clicks=())
    assert list(report.means) == ["box"]
    assert 0.7 < report.means["box"] < 0.9  # pi / 4 of a square, coarsely sampled


@pytest.mark.parametrize(
    "arguments", [{"clicks": (), "box": False}, {"clicks": (0,)}, {"limit": 0}, {"objects_per_image": 0}]
)
def test_nothing_to_measure(root, arguments):
    with pytest.raises(InvalidInputError, match="Nothing to measure"):
        evaluate_images(root, InscribedEllipse(), **arguments)


def test_no_domain(tmp_path):
    with pytest.raises(InvalidInputError, match=r"annotations\.json"):
        evaluate_images(tmp_path, InscribedEllipse())


def test_missing_images_are_listed_before_any_is_measured(root):
    for path in ("first/images/1.png", "second/images/0.png"):
        (root / path).unlink()
    predictor = Recorder(lambda clicks: np.zeros(SIZE, dtype=bool))
    with pytest.raises(
        InvalidInputError, match=r"cannot be used: .*first/images/1\.png: mask without .*second/images/0\.png"
    ):
        evaluate_images(root, predictor)
    with pytest.raises(InvalidInputError, match=r"1 files are missing: .*second/images/0\.png\."):
        evaluate_images(root, predictor, limit=1)
    assert not predictor.calls
    assert len(evaluate_images(root / "first", predictor, limit=1).items) == 1


@pytest.mark.parametrize(
    ("write", "missing"),
    [
        (write_plain, "images/a.jpg"),
        (write_plain, "masks/a.png"),
        (write_sa1b, "sa_1.jpg"),
        (write_sa1b, "sa_1.json"),
    ],
)
def test_images_without_masks_and_masks_without_image_are_listed(tmp_path, write, missing):
    write(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(InvalidInputError, match=r"cannot be used: .*(a|sa_1)\.\w+: (mask|image) without (image|mask)"):
        evaluate_images(tmp_path, InscribedEllipse(), clicks=())


def test_a_finished_image_is_measured_anew_if_its_files_changed_and_dropped_if_it_is_gone(tmp_path):
    data, report = tmp_path / "data", tmp_path / "report"
    write_plain(data)

    def measured():
        return {
            each.name: each.values for each in evaluate_images(data, InscribedEllipse(), clicks=(), folder=report).items
        }

    before = measured()
    assert list(before) == ["data/a.jpg", "data/b.jpg"]
    write_label_map(data / "masks/b.png", LEFT.astype(np.uint8))
    for path in ("images/a.jpg", "masks/a.png"):
        (data / path).unlink()
    after = measured()
    assert after == {"data/b.jpg": {"box": before["data/b.jpg"]["box"][:1]}}


def test_a_folder_of_an_earlier_version_is_resumed(root, tmp_path):
    options = {"clicks": (1,), "box": False, "objects_per_image": 1, "folder": tmp_path / "report"}
    whole = evaluate_images(root, Recorder(lambda clicks: np.zeros(SIZE, dtype=bool)), **options)
    file = tmp_path / "report/finished.jsonl"
    file.write_text(file.read_text().replace('"objects_per_image"', '"objects_per_picture"'))
    again = Recorder(lambda clicks: np.zeros(SIZE, dtype=bool))
    assert evaluate_images(root, again, **options) == whole
    assert not again.calls


def test_images_that_are_listed_twice_are_refused(tmp_path):
    write_domain(tmp_path / "first", PICTURES)
    file = tmp_path / "first/annotations.json"
    file.write_text(file.read_text().replace("1.png", "0.png"))
    with pytest.raises(InvalidInputError, match=r"1 images are listed more than once: first/0\.png"):
        evaluate_images(tmp_path, InscribedEllipse(), clicks=(), limit=2)


def test_a_dataset_has_the_name_of_its_folder_wherever_one_stands(root, monkeypatch):
    monkeypatch.chdir(root / "first")
    assert list(evaluate_images(".", InscribedEllipse(), clicks=()).datasets) == ["first"]


def test_masks_of_another_size(root):
    with pytest.raises(InvalidInputError, match=r"\[2, 3, 3\]"):
        evaluate_images(root, Recorder(lambda clicks: np.zeros((3, 3), dtype=bool)))
