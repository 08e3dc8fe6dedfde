"""The least time that a step of SEA could take on this machine, part by part, from peaks measured in the same run.

A part's least time is what its multiplications and exponentials take at the peak rate of each, or what its bytes take
to read and write at the rate of a memory that holds them, whichever is more. The sum over parts is the roofline: an
ideal step that never waits, calls nothing and keeps every intermediate value in registers. Rates are measured with as
many threads as the step has.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.problem import BABY, Size, make_step, random_problem
from benchmarks.timing import Timing, interleave
from sea_core.config import Config
from sea_core.kernels import load_kernel
from sea_core.kernels.matmul import times_transposed
from sea_core.layers.separation import split_point

LFM2K = Size(users=1_858, items=1_425, interactions=44_327, validation=4_799, image_dim=512, text_dim=384)
MIDDLE = Size(users=9_308, items=6_710, interactions=59_541, validation=9_308, image_dim=128, text_dim=128)
SIZES = {"lfm2k": LFM2K, "middle": MIDDLE, "baby": BABY}
_FLOAT = 4  # bytes
_MEASURED_SECONDS = 0.05
_LARGE = 2e8  # bytes that no cache holds


class Part(NamedTuple):
    """What a part of a step cannot do without.

    Attributes:
        products: multiply-adds.
        exponentials: of float32 numbers.
        moved: bytes that are read or written, apart from what stays in registers.
        held: bytes of the tables they lie in, which says from which memory they come.
    """

    products: float = 0
    exponentials: float = 0
    moved: float = 0
    held: float = 0


class Peaks(NamedTuple):
    """Rates per second of this machine.

    Attributes:
        products: multiply-adds.
        exponentials: of float32 numbers in a core's own cache.
        moved: bytes read or written, by the bytes of the table they lie in.
    """

    products: float
    exponentials: float
    moved: Callable[[float], float]

    def least_seconds(self, part: Part) -> float:
        """Of one part."""
        computed = part.products / self.products + part.exponentials / self.exponentials
        return max(computed, part.moved / self.moved(part.held) if part.moved else 0.0)


def sea_parts(size: Size, config: Config) -> dict[str, Part]:
    """The parts of a step of SEA with its default losses: Solosim over all items, CLUB over all items."""
    items, users, wide = size.items, size.users, config.latent_dim * 2
    hidden, dims = config.item_mlp_hidden, (size.image_dim, size.text_dim)
    projection = weights = 0
    for dim in dims:
        generic = split_point(dim, config.split_ratio)
        outputs = hidden + config.align_hidden + 2 * config.distance_dim
        read = (
            hidden * dim + (config.align_hidden + config.distance_dim) * generic + config.distance_dim * (dim - generic)
        )
        projection += 2 * items * outputs * dim + 3 * read * dim  # F A^T and dZ^T F; D W, dA W^T and D^T dA
        weights += dim * dim + read
    mlp = hidden * config.latent_dim
    heads = config.align_hidden * (config.align_hidden + config.align_out)
    club = 4 * config.distance_dim * config.club_hidden  # both nets, both layers
    pairs = 2 * items
    entries = 2 * size.interactions
    neighbours = 2 * config.knn_k * items
    # The user-item product goes over the entries once a layer, forward and backward, and gathers a row for each.
    rows = 2 * config.gnn_layers * entries + 2 * config.item_graph_layers * neighbours
    parameters = weights + users * (wide + 2) + 2 * (mlp + heads)
    seen = items * 2 * (hidden + config.align_hidden + 2 * config.distance_dim)
    return {
        "projection": Part(products=projection),
        "item MLP, heads": Part(
            products=3 * 2 * items * (mlp + heads), moved=4 * _FLOAT * seen, held=2 * _FLOAT * seen
        ),
        "Solosim": Part(products=3 * items**2 * config.align_out, exponentials=items**2),
        "CLUB fit": Part(
            products=config.club_steps * pairs * (2.5 * club),
            exponentials=config.club_steps * pairs * 2 * config.distance_dim,
        ),
        "CLUB bound": Part(products=pairs * 2 * club, exponentials=pairs * 2 * config.distance_dim),
        "graphs": Part(moved=_FLOAT * wide * rows, held=_FLOAT * wide * (users + items)),
        "Adam": Part(moved=7 * _FLOAT * parameters, held=4 * _FLOAT * parameters),
    }


# Models whose parts are counted join the table here.
PARTS: dict[str, Callable[[Size, Config], Mapping[str, Part]]] = {"sea": sea_parts}


def measure_peaks() -> Peaks:
    """Take the best of several sizes and repetitions, as a peak is."""
    return Peaks(_product_rate(), _exponential_rate(), _moving_rate)


def time_rooflines(*, rounds: int) -> dict[str, float]:
    """Print a table of parts and steps; ``<model>_over_roofline_<size>`` and the peaks for the record."""
    kernel = load_kernel("threads")
    with contextlib.nullcontext() if kernel is None else kernel.a_core_for_each():  # as training has it
        return _time_rooflines(rounds)


def _time_rooflines(rounds: int) -> dict[str, float]:
    peaks = measure_peaks()
    numbers = {
        "peak_gflops": 2e-9 * peaks.products,
        "peak_exponentials_1e9": 1e-9 * peaks.exponentials,
        "memory_gb_per_second": 1e-9 * peaks.moved(_LARGE),
    }
    gflops, exponentials, moved = numbers.values()
    print(f"\nRooflines, {torch.get_num_threads()} threads: {gflops:.0f} GFLOP/s in products,", end=" ")
    print(f"{exponentials:.1f} billion exponentials a second, {moved:.0f} GB/s from memory")
    for model, parts_of in PARTS.items():
        for name, size in SIZES.items():
            config = Config(model=model)
            least = {part: peaks.least_seconds(work) for part, work in parts_of(size, config).items()}
            step: Timing = interleave({"step": make_step(config, random_problem(size))}, rounds=rounds, warm_up=3)[
                "step"
            ]
            ratio = step.median / sum(least.values())
            shown = ", ".join(f"{part} {1e3 * seconds:.1f}" for part, seconds in least.items())
            print(f"  {model}, {name:<8}{1e3 * step.median:8.1f} ms a step   {ratio:5.2f} rooflines of {shown} ms")
            numbers[f"{model}_over_roofline_{name}"] = ratio
    return numbers


def _product_rate() -> float:
    rates = []
    for size in (512, 1024, 2048):
        a, b = torch.randn(size, size), torch.randn(size, size)
        rates.append(size**3 / _seconds(lambda a=a, b=b: times_transposed(a, b)))  # type: ignore[misc]
    return max(rates)


def _exponential_rate() -> float:
    kernel = load_kernel("softmax_means")
    threads, threads_kernel = torch.get_num_threads(), load_kernel("threads")
    if kernel is None or threads_kernel is None:  # PyTorch's own exponential, where nothing is compiled
        values = torch.zeros(2**18)
        return len(values) / _seconds(lambda: torch.exp(values, out=values.clone()))
    blocks = np.zeros((threads, 128, 1024), np.float32)  # each in a core's second cache
    sums = np.zeros((threads, 128), np.float32)

    def exponentiate(member: int, size: int) -> None:
        kernel._exponentiate(blocks[member], sums[member], np.float32(0))

    return blocks.size / _seconds(lambda: threads_kernel.run_team(exponentiate, threads))


def _moving_rate(held: float) -> float:
    """Bytes a second over a table of so many bytes: the better of reading it and of copying its halves."""
    count = max(2**12, int(min(held, _LARGE)) // (2 * _FLOAT))
    one, other = torch.ones(count), torch.ones(count)
    copied = _seconds(lambda: one.copy_(other))
    read = _seconds(lambda: other.sum())
    return _FLOAT * count * max(2 / copied, 1 / read)


def _seconds(function: Callable[[], object]) -> float:
    """The shortest of many calls."""
    function()
    best, end = float("inf"), time.perf_counter() + _MEASURED_SECONDS
    while time.perf_counter() < end:
        started = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - started)
    return best
