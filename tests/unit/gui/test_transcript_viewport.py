"""The view on the rows: no gaps, no jumps, and a scrollbar that knows where it is."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from twocans.gui.transcript.heights import Heights
from twocans.gui.transcript.viewport import Box, Place, Viewport

VIEW = 100
ROWS = st.lists(st.integers(5, 250), max_size=40)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("scroll"), st.integers(-500, 500)),
        st.tuples(st.just("fraction"), st.floats(-0.1, 1.1)),
        st.tuples(st.just("reveal"), st.integers(0, 39)),
        st.tuples(st.just("prepend"), st.integers(5, 250)),
        st.tuples(st.just("append"), st.integers(5, 250)),
        st.tuples(st.just("height"), st.integers(30, 400)),
    ),
    max_size=12,
)


class Model:
    """A viewport over rows of given heights, which it does not know until it measures them."""

    def __init__(self, heights: list[int]) -> None:
        self.real = list(heights)
        self.view = Viewport(lambda index: Box(2, self.real[index] - 3, 1))
        self.view.height = VIEW
        self.view.padding = 4
        self.view.set_heights(60 for _ in heights)
        self.view.arrange()

    def prepend(self, height: int) -> None:
        self.real.insert(0, height)
        self.view.heights.prepend([60])
        self.view.shift(1)
        self.view.arrange()

    def append(self, height: int) -> None:
        self.real.append(height)
        self.view.heights.append([60])
        self.view.arrange()

    def move(self, what: str, amount: float) -> None:
        match what:
            case "scroll":
                self.view.scroll(int(amount))
            case "fraction":
                self.view.to_fraction(amount)
            case "reveal" if amount < len(self.real):
                self.view.reveal(int(amount))
            case "prepend":
                self.prepend(int(amount))
            case "append":
                self.append(int(amount))
            case "height":
                self.view.height = int(amount)
                self.view.arrange()

    def tops(self) -> dict[int, int]:
        return {row.index: row.top for row in self.view.rows}


@given(ROWS, MOVES)
def test_view_is_filled_without_gaps_whatever_is_done(
    heights: list[int], moves: list[tuple[str, float]]
) -> None:
    model = Model(heights)
    for what, amount in moves:
        model.move(what, amount)
        view, rows = model.view, model.view.rows
        assert bool(rows) == bool(model.real)
        if not rows:
            continue
        assert [row.index for row in rows] == list(range(rows[0].index, rows[-1].index + 1))
        assert all(upper.bottom == lower.top for upper, lower in pairwise(rows))
        assert all(row.bottom - row.top == model.real[row.index] for row in rows)
        assert rows[0].top <= 0 or rows[0].index == 0
        if rows[-1].bottom < view.height:
            assert rows[-1].index == len(model.real) - 1
            assert rows[-1].bottom >= view.height - view.padding
        if view.place is not None and rows[0].index == 0:
            assert rows[0].top <= view.padding
        assert view.place is None or view.place.index in {row.index for row in rows}
        first, last = view.scrollbar()
        assert 0 <= first <= last <= 1


@given(st.lists(st.integers(5, 250), min_size=10, max_size=40), st.integers(-900, -1))
def test_scrolling_moves_by_exactly_so_much_until_the_end(heights: list[int], pixels: int) -> None:
    model = Model(heights)
    before = model.tops()
    model.view.scroll(pixels)
    after = model.tops()
    moved = {after[index] - before[index] for index in before.keys() & after.keys()}
    assert len(moved) <= 1
    at_top = model.view.rows[0].index == 0 and model.view.rows[0].top == model.view.padding
    assert moved <= {-pixels} or at_top or model.view.place is None


@given(st.lists(st.integers(20, 250), min_size=10, max_size=30), st.lists(st.integers(5, 250), max_size=5))
def test_older_rows_move_nothing_on_screen(heights: list[int], older: list[int]) -> None:
    model = Model(heights)
    model.view.scroll(-VIEW)
    before = model.tops()
    for height in older:
        model.prepend(height)
    assert model.tops() == {index + len(older): top for index, top in before.items()}


def test_newer_rows_are_followed_at_the_end_only() -> None:
    model = Model([60] * 10)
    model.append(60)
    assert model.view.rows[-1].index == 10
    model.view.scroll(-200)
    before = model.tops()
    model.append(60)
    assert model.tops() == before


def test_few_rows_stand_at_the_bottom() -> None:
    model = Model([20, 20])
    assert [row.bottom for row in model.view.rows] == [76, 96]
    model.view.scroll(-50)
    assert [row.bottom for row in model.view.rows] == [76, 96]


def test_place_is_kept_when_rows_change_their_heights() -> None:
    model = Model([100] * 10)
    model.view.place = Place(5, 0.5, 0)
    model.view.arrange()
    model.real = [200] * 10
    model.view.arrange()
    row = next(row for row in model.view.rows if row.index == 5)
    assert row.body_top == -round((row.body_bottom - row.body_top) * 0.5)


def test_dragging_to_the_ends_reaches_them() -> None:
    model = Model([90] * 50)
    model.view.to_fraction(0)
    assert model.view.rows[0].top == model.view.padding
    assert model.view.scrollbar()[0] == 0
    model.view.to_fraction(1)
    assert model.view.place is None
    assert model.view.scrollbar()[1] == 1


@given(
    st.lists(st.integers(1, 9), max_size=1300),
    st.lists(st.integers(1, 9), max_size=1300),
    st.lists(st.integers(1, 9), max_size=600),
    st.data(),
)
def test_heights_sum_up(middle: list[int], older: list[int], newer: list[int], data: st.DataObject) -> None:
    heights = Heights(middle)
    heights.prepend(older)
    heights.append(newer)
    plain = older + middle + newer
    if plain:
        changed = data.draw(st.integers(0, len(plain) - 1))
        heights[changed] = plain[changed] = 50
    assert heights.total == sum(plain)
    index = data.draw(st.integers(0, len(plain)))
    assert heights.before(index) == sum(plain[:index])
    if index < len(plain):
        assert heights.find(sum(plain[:index]) + 0.5) == (index, 0.5)
