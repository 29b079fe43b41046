from enum import StrEnum

import numpy as np
import pytest

from masklet.errors import InvalidInputError
from masklet.json_files import is_finite_number, one_of, read_json, shown, whole_number


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_in_any_unicode_encoding(tmp_path, encoding):
    (tmp_path / "a.json").write_text('{"é": [1, 2.5, null]}', encoding=encoding)
    assert read_json(tmp_path / "a.json") == {"é": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b'{"a', "is not JSON"),
        (b"\xff\xfe\xfd", "is not JSON"),
        ('{"é": 1}'.encode("latin-1"), "is not JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "nested too deeply"),
        (b"1" * 5000, "is not JSON"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_the_name(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InvalidInputError, match=rf"^[^\n]*a\.json [^\n]*{message}[^\n]*$"):
        read_json(tmp_path / "a.json")


def test_a_missing_file(tmp_path):
    with pytest.raises(InvalidInputError, match=r"a\.json does not exist"):
        read_json(tmp_path / "a.json")


def test_errors_of_the_caller_are_its_own(tmp_path):
    def refuse(pairs):
        raise InvalidInputError(f"{len(pairs)} is too many.")

    (tmp_path / "a.json").write_text('{"a": 1}')
    with pytest.raises(InvalidInputError, match=r"a\.json: 1 is too many\.$"):
        read_json(tmp_path / "a.json", refuse)


@pytest.mark.parametrize("value", [480, 480.0, "480", "0480"])
def test_the_ways_to_write_a_whole_number(value):
    number = whole_number(value, "the height", 1, 1000)
    assert (number, type(number)) == (480, int)


@pytest.mark.parametrize(
    "value",
    [0, 1001, -1, 1.5, True, None, "", "1.0", "٤", "x", [], {}, float("nan"), float("inf"), 1e300, 10**400, "9" * 400],
)
def test_what_is_no_whole_number_of_the_range(value):
    with pytest.raises(InvalidInputError, match=r"^the height must be a whole number from 1 to 1000; got .{1,90}\.$"):
        whole_number(value, "the height", 1, 1000)


class Order(StrEnum):
    FIRST = "first"
    LAST = "last"


def test_one_of_some_texts_or_members() -> None:
    for value in ("last", Order.LAST, np.str_("last")):
        assert one_of(value, "the order", Order) is Order.LAST
    assert one_of(None, "the order", (None, "last")) is None


@pytest.mark.parametrize("value", [None, "LAST", "None", 1, [], {}, np.array(["last"]), "x" * 10**5])
def test_what_is_none_of_them(value):
    with pytest.raises(InvalidInputError, match=r"^the order must be one of \['first', 'last'\]; got .{1,90}\.$"):
        one_of(value, "the order", Order)


def test_values_are_shown_on_a_short_line():
    nested: list = []
    for _ in range(3000):
        nested = [nested]
    rows = np.full((2, 2), np.nan)  # its own repr has a line for each
    for value in (
        "a\nb" * 1000,
        rows,
        nested,
        list(range(10**5)),
        dict.fromkeys(range(100), nested),
        10**400,
        [-(10**5000)],  # more digits than Python prints
        object(),
    ):
        text = shown(value)
        assert len(text) < 300
        assert "\n" not in text
    assert shown({"size": [3, 4]}) == "{'size': [3, 4]}"
    assert shown({"size": 10**5000}) == "{'size': a number of about 5000 digits}"
    assert shown([2**63, True]) == "[9223372036854775808, True]"


@pytest.mark.parametrize("value", [0, -1, 2**60, 0.5, 1e30, -1e30, np.float32(0.5), np.int64(7)])
def test_numbers_that_float32_computes_with(value):
    assert is_finite_number(value)


@pytest.mark.parametrize("value", [True, None, "1", [1], float("nan"), float("-inf"), 1e31, 10**400, 1j, np.zeros(1)])
def test_numbers_that_it_does_not(value):
    assert not is_finite_number(value)


def test_whole_numbers_of_numpy_are_numbers() -> None:
    assert whole_number(np.int64(3), "The side") == whole_number(np.float32(3), "The side") == 3
    with pytest.raises(InvalidInputError, match="The side must be a whole number"):
        whole_number(np.float64(2.5), "The side")
