from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from plots.lib.style import LINES, MARKERS, PALETTE, key_columns, look, panels, paper_style, spread

# Linear RGB seen with no green or no red cones (Viénot, Brettel and Mollon 1999).
DEUTERANOPIA = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
PROTANOPIA = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])


def linear(color: str) -> np.ndarray:
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lightness(color: str) -> float:
    """CIE L*, 0 black to 100 white: what is left of a colour in a grey print."""
    luminance = linear(color) @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


def lab(rgb: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = np.clip(to_xyz @ rgb, 0, None) / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_first_four_colours_differ_in_a_grey_print():
    assert min(abs(lightness(a) - lightness(b)) for a, b in combinations(PALETTE[:4], 2)) > 10


def test_no_colour_is_too_pale_for_a_line_on_white():
    assert max(lightness(color) for color in PALETTE) < 75


@pytest.mark.parametrize("eyes", [np.eye(3), DEUTERANOPIA, PROTANOPIA], ids=["all cones", "no green", "no red"])
def test_all_colours_differ_to_the_colour_blind(eyes):
    seen = [lab(eyes @ linear(color)) for color in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 9


def test_seven_series_differ_in_marker_and_line_where_colour_is_lost():
    assert len(set(MARKERS)) == len(set(map(str, LINES))) == len(PALETTE) == 7
    assert look(7) == look(0)


def test_the_style_ends_with_its_block():
    before = dict(mpl.rcParams)
    with paper_style():
        assert mpl.rcParams["pdf.fonttype"] == 42
    assert dict(mpl.rcParams) == before


def test_the_style_ignores_the_users_own_settings():
    with mpl.rc_context({"axes.facecolor": "red", "lines.linestyle": ":"}), paper_style():
        assert mpl.rcParams["axes.facecolor"] == "white"
        assert mpl.rcParams["lines.linestyle"] == "-"


def test_panels_take_the_place_of_one_axes():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    grid = panels(left, 2, 3)
    assert grid.shape == (2, 3)
    assert left not in figure.axes
    assert max(panel.get_position().x1 for panel in grid.ravel()) < right.get_position().x0


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=12), st.floats(0.01, 3))
@settings(deadline=None)
def test_spread_positions_keep_their_order_and_distance(positions, gap):
    moved = spread(np.array(positions), gap)
    order = np.argsort(positions, kind="stable")
    assert np.all(np.diff(moved[order]) >= gap - 1e-9)
    assert np.isclose(moved.mean(), np.mean(positions))  # least squares moves the group nowhere


def test_spread_leaves_positions_that_are_far_enough_apart():
    assert spread(np.array([3.0, 1.0, 2.0]), 1.0).tolist() == [3.0, 1.0, 2.0]


def test_the_rows_of_a_key_are_equally_full():
    assert [key_columns(count) for count in (0, 1, 5, 6, 7, 11)] == [1, 1, 5, 3, 4, 4]
