import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import roi_align

from reid.parts.pooling import average_over_parts
from reid.parts.projection import mark_cells


def marked_by_loop(boxes, parts, num_parts, rows, columns):
    cells = torch.zeros(len(boxes), num_parts, rows, columns, dtype=torch.bool)
    for image in range(len(boxes)):
        for box, part in zip(boxes[image].tolist(), parts[image].tolist(), strict=True):
            if part < 0:
                continue
            for row in range(rows):
                for column in range(columns):
                    wide = min(box[2] * columns, column + 1) - max(box[0] * columns, column)
                    high = min(box[3] * rows, row + 1) - max(box[1] * rows, row)
                    cells[image, part, row, column] |= wide > 0 and high > 0
    return cells


@st.composite
def boxes_and_parts(draw):
    batch, slots, num_parts = (
        draw(st.integers(1, 3)),
        draw(st.integers(0, 4)),
        draw(st.integers(1, 4)),
    )
    # Eighths make edges fall on cell borders often, where the rule is easiest to get wrong.
    eighths = st.integers(0, 7)
    boxes = torch.zeros(batch, slots, 4)
    parts = torch.full((batch, slots), -1)
    for image in range(batch):
        for slot in range(slots):
            x1, y1 = draw(eighths), draw(eighths)
            x2, y2 = draw(st.integers(x1 + 1, 8)), draw(st.integers(y1 + 1, 8))
            boxes[image, slot] = torch.tensor([x1, y1, x2, y2]) / 8
            parts[image, slot] = draw(st.integers(-1, num_parts - 1))
    return boxes, parts, num_parts


@settings(max_examples=60)
@given(boxes_and_parts(), st.sampled_from([(4, 4), (8, 8), (3, 5)]))
def test_marked_cells_are_those_a_loop_marks(drawn, grid):
    boxes, parts, num_parts = drawn
    expected = marked_by_loop(boxes, parts, num_parts, *grid)
    assert torch.equal(mark_cells(boxes, parts, num_parts, grid), expected)


def test_a_box_that_ends_on_a_border_does_not_mark_the_next_cell():
    cells = mark_cells(torch.tensor([[[0.0, 0.0, 0.5, 0.5]]]), torch.tensor([[0]]), 1, (4, 4))
    assert cells[0, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_two_lights_mark_the_union():
    boxes = torch.tensor([[[0.0, 0.5, 0.2, 1.0], [0.8, 0.5, 1.0, 1.0]]])
    cells = mark_cells(boxes, torch.tensor([[0, 0]]), 1, (4, 4))
    assert cells[0, 0].int().tolist() == [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1], [1, 0, 0, 1]]


def test_average_and_its_gradient_agree_with_a_loop():
    torch.manual_seed(0)
    features = torch.randn(2, 5, 4, 4, dtype=torch.float64, requires_grad=True)
    cells = torch.rand(2, 3, 4, 4) < 0.4
    cells[1, 2] = False
    vectors, visible = average_over_parts(features, cells)
    rows = []
    for image in range(2):
        for part in range(3):
            chosen = features[image][:, cells[image, part]]
            rows.append(chosen.mean(1) if chosen.shape[1] else chosen.sum(1))
    expected = torch.stack(rows).view(2, 3, 5)
    # Divided in float32, so equal to about 1e-7.
    torch.testing.assert_close(vectors, expected, rtol=1e-6, atol=1e-6)
    assert visible.tolist() == [[True, True, True], [True, True, False]]
    direction = torch.randn_like(expected)
    (mine,) = torch.autograd.grad((vectors * direction).sum(), features, retain_graph=True)
    (loop,) = torch.autograd.grad((expected * direction).sum(), features)
    torch.testing.assert_close(mine, loop, rtol=1e-6, atol=1e-6)


def test_average_over_whole_cells_is_roi_align():
    """A box on cell borders, pooled to one value, is what torchvision's RoIAlign averages."""
    torch.manual_seed(0)
    features = torch.randn(1, 6, 8, 8)
    box = torch.tensor([[0.25, 0.5, 0.75, 1.0]])
    cells = mark_cells(box[None], torch.tensor([[0]]), 1, (8, 8))
    mine, _ = average_over_parts(features, cells)
    peer = roi_align(features, [box * 8], output_size=4, sampling_ratio=1, aligned=True)
    torch.testing.assert_close(mine[0, 0], peer.mean((2, 3))[0])


def test_bf16_stays_close_to_float32():
    torch.manual_seed(0)
    features = torch.randn(2, 8, 16, 16)
    cells = torch.rand(2, 3, 16, 16) < 0.7
    exact, _ = average_over_parts(features, cells)
    rough, _ = average_over_parts(features.bfloat16(), cells)
    assert (exact - rough.float()).abs().max() < 0.01
