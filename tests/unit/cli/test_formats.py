from tests.support.annotated_folders import write_coco, write_sav
from typer.testing import CliRunner, Result

from masklet.cli.main import app
from masklet.formats.reading.opening import LAYOUTS, open_dataset
from masklet.formats.registry import READERS, WRITERS


def formats(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["formats", *map(str, arguments)])


def test_lists_every_format_once():
    lines = formats().stdout.splitlines()
    assert [line.split()[0] for line in lines[: len(WRITERS)]] == [*WRITERS]
    assert len(lines) == len(WRITERS) + len({*LAYOUTS} - {*READERS.values()})


def test_converts_and_says_what_is_lost(tmp_path):
    write_sav(tmp_path / "in")
    result = formats("convert", tmp_path / "in", "--to", "davis", "-o", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path / 'out'}\n")
    assert "Lost: 6 frames without annotations are left out.\n" in result.stderr
    assert open_dataset(tmp_path / "out").sequences == ("sav_1",)


def test_strict_refuses_it(tmp_path):
    write_sav(tmp_path / "in")
    result = formats("convert", tmp_path / "in", "--to", "davis", "-o", tmp_path / "out", "--strict")
    assert result.exit_code == 2
    assert "DAVIS 2017 cannot hold all of sav_1: 6 frames without annotations" in result.stderr


def test_an_unknown_format_is_wrong_usage(tmp_path):
    write_coco(tmp_path / "in")
    result = formats("convert", tmp_path / "in", "--to", "voc", "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "There is no format 'voc'" in result.stderr
