"""What a step cannot do without, counted; the rates are the machine's business and not tested."""

import pytest

from benchmarks.problem import BABY, Size
from benchmarks.roofline import Part, Peaks, sea_parts
from sea_core.config import Config


def test_the_projection_of_amazon_baby_has_the_multiplications_that_the_page_names():
    parts = sea_parts(BABY, Config())
    image = 2 * 7_050 * 384 * 4_096 + 3 * (352 + 288) * 2_048 * 4_096
    text = 2 * 7_050 * 384 * 384 + 3 * (352 + 288) * 192 * 384
    assert parts["projection"].products == image + text
    assert parts["Solosim"].exponentials == 7_050**2


@pytest.mark.parametrize(("changed", "grows"), [({"items": 14_100}, 4.0), ({"users": 38_890}, 1.0)])
def test_solosim_grows_with_the_square_of_the_items_alone(changed, grows):
    before, after = (sea_parts(size, Config())["Solosim"].products for size in (BABY, Size(**changed)))
    assert after / before == grows


def test_fewer_steps_of_clubs_fit_cost_as_much_less():
    whole, half = (sea_parts(BABY, Config(club_steps=steps))["CLUB fit"] for steps in (50, 25))
    assert (whole.products, whole.exponentials) == (2 * half.products, 2 * half.exponentials)


def test_a_part_takes_what_it_computes_or_what_it_moves_whichever_is_longer():
    peaks = Peaks(products=100.0, exponentials=10.0, moved=lambda held: 1_000.0 / held)
    assert peaks.least_seconds(Part(products=200, exponentials=10)) == 3.0
    assert peaks.least_seconds(Part(products=200, moved=900, held=1)) == 2.0
    assert peaks.least_seconds(Part(products=200, moved=900, held=10)) == 9.0
