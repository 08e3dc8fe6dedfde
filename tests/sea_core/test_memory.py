"""The allocator can be asked to keep what is freed, and asking changes no result."""

import platform

import pytest
import torch

from sea_core.memory import keep_freed_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="this platform's C library is not glibc")
def test_glibc_listens():
    assert keep_freed_memory()


def test_blocks_of_any_size_can_be_had_afterwards():
    keep_freed_memory()
    for megabytes in (1, 20, 31, 33, 100):
        assert torch.ones(megabytes * 2**18).sum() == megabytes * 2**18
