"""Which cells are an object's."""

import torch
import torch.nn.functional as F

from masklet.training.supply.cells import as_logits, cells_of


def test_a_cell_is_the_object_s_if_it_covers_more_than_half_of_it() -> None:
    targets = torch.tensor([[[1.0, 0.6], [0.5, 0.4]], [[0.0, 0.0], [0.0, 0.0]]])
    assert cells_of(targets).tolist() == [[[True, True], [False, False]], [[False, False], [False, False]]]
    torch.testing.assert_close(as_logits(targets), targets - torch.tensor([0.5, 0.0]).view(2, 1, 1))


def test_a_wire_has_the_cells_that_it_goes_through() -> None:
    mask = torch.zeros(1, 64, 64)
    mask[:, 31] = 1  # one pixel wide: a quarter of its cells
    wire = cells_of(F.avg_pool2d(mask, 4))
    assert wire[0].nonzero()[:, 0].unique().tolist() == [7]
    assert wire.sum() == 16


def test_of_a_speck_the_cell_counts_that_has_most_of_it() -> None:
    mask = torch.zeros(1, 64, 64)
    mask[:, 22:25, 23:25] = 1  # on a corner of four cells, of which the upper right has 2 x 1 pixels
    assert cells_of(F.avg_pool2d(mask, 4)).nonzero().tolist() == [[0, 5, 5], [0, 5, 6]]
