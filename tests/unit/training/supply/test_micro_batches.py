"""Steps in shares."""

from torch.utils.data import Dataset

from masklet.training.supply.micro_batches import MicroBatchesInTurn, StepSlice


class Named(Dataset[str]):
    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, index: int) -> str:
        return f"{self.name}{index}"


def test_shares_divide_a_step() -> None:
    parts = [list(StepSlice(number, 3).of(range(10, 18))) for number in range(3)]
    assert parts == [[10, 13, 16], [11, 14, 17], [12, 15]]


def test_a_step_comes_with_all_its_shares_before_the_next() -> None:
    batches = MicroBatchesInTurn([Named("a"), Named("b")], 3)
    assert [batches[index] for index in range(len(batches))] == ["a0", "b0", "a1", "b1", "a2", "b2"]
