"""Every fallback, forced: what runs where the compiled kernels are not tested, or a library is another."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable

import numpy as np
import pytest

from sea_core import kernels, memory
from sea_core.config import Config
from sea_core.data.catalogue import load_dataset
from sea_core.kernels import is_tested_platform, load_kernel, matmul
from sea_core.training.run import TrainingRun

KERNELS = ("ranking", "sparse_product", "softmax_means", "club_fit")
HERE = sys.platform == "linux" and platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
SMALL = {"latent_dim": 8, "item_mlp_hidden": 8, "align_hidden": 8, "align_out": 8, "distance_dim": 8, "club_steps": 3}


def two_epochs() -> dict[str, float]:
    """Losses and validation metrics of a short run."""
    dataset = load_dataset("synthetic:users=60,items=40,interactions=8,dims=12/10")
    run = TrainingRun(Config(**SMALL, epochs=2, batch_size=256), dataset, seed=3, device="cpu")
    reports = [run.advance(), run.advance()]
    return {f"{n} {name}": value for n, each in enumerate(reports) for name, value in each.losses.items()} | dict(
        run.best.validation.means()
    )


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [
        ("darwin", "arm64", ""),
        ("darwin", "x86_64", ""),
        ("win32", "AMD64", ""),
        ("linux", "aarch64", "glibc"),
        ("linux", "x86_64", ""),  # musl says nothing
    ],
)
def test_another_platform_takes_the_twins(
    system: str, machine: str, libc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, ""))
    assert not is_tested_platform()
    assert [load_kernel(name) for name in KERNELS] == [None] * len(KERNELS)


@pytest.mark.skipif(not HERE, reason="the kernels are for Linux with glibc on x86-64")
def test_this_platform_takes_the_kernels_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert None not in [load_kernel(name) for name in KERNELS]
    monkeypatch.setenv("SEA_KERNELS", "0")
    assert [load_kernel(name) for name in KERNELS] == [None] * len(KERNELS)


def without_kernels(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SEA_KERNELS", "0")


def without_numba(patch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    patch.setattr(kernels.importlib, "import_module", missing)


def without_gnu_openmp(patch: pytest.MonkeyPatch) -> None:
    threads = pytest.importorskip("sea_core.kernels.threads")
    patch.setattr(threads, "_openmp", lambda: None)


def without_onednn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(matmul, "_ONEDNN", False)


def with_onednn(patch: pytest.MonkeyPatch) -> None:
    if not matmul._HAS_ONEDNN:
        pytest.skip("this PyTorch carries no oneDNN")
    patch.setattr(matmul, "_ONEDNN", True)


@pytest.mark.parametrize("lacking", [without_kernels, without_numba, without_gnu_openmp, without_onednn, with_onednn])
def test_training_comes_out_alike_whatever_is_missing(
    lacking: Callable[[pytest.MonkeyPatch], None], cache_folder: object
) -> None:
    usual = two_epochs()
    with pytest.MonkeyPatch.context() as patch:
        lacking(patch)
        other = two_epochs()
    assert other.keys() == usual.keys()
    # Sums in another order, over two epochs of Adam.
    np.testing.assert_allclose(list(other.values()), list(usual.values()), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("error", [OSError, AttributeError, TypeError])
def test_another_allocator_is_left_alone(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert memory.keep_freed_memory.__wrapped__() is False
