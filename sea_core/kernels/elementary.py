"""Elementary functions for compiled loops, made of operations that become vector instructions."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from sea_core.kernels.compiler import inlined

# float32 constants: a Python float would turn the arithmetic into float64.
ONE, TWO = np.float32(1), np.float32(2)
_E1, _E2, _E3, _E4, _E5, _E6, _E7 = (np.float32(math.log(2) ** n / math.factorial(n)) for n in range(1, 8))

# Of e^x, interpolated at Chebyshev's points of [-1, 1].
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8 = (
    Chebyshev.interpolate(np.exp, 8).convert(kind=Polynomial).coef.astype(np.float32)
)


@inlined
def exp2(x):  # type: ignore[no-untyped-def]
    """``2^x`` for |x| < 126: the whole part goes into the exponent's bits, the rest is a polynomial (3e-8 relative)."""
    whole = np.int32(np.rint(x))
    f = x - np.float32(whole)
    power = ONE + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * (_E6 + f * _E7))))))
    return power * np.int32(np.int32(whole + 127) << 23).view(np.float32)


@inlined
def reciprocal(x):  # type: ignore[no-untyped-def]
    """``1 / x`` for ordinary positive x: a guess from the exponent's bits (12 % off), then two steps of third order.

    With ``e = 1 - x g``, ``1 / x = g (1 + e + e^2 + ...)``: the errors are 12 %, 0.2 % and 5e-9. A division keeps the
    vector unit busy for longer than all of this.
    """
    guess = np.int32(np.int32(0x7EF311C7) - np.float32(x).view(np.int32)).view(np.float32)
    error = ONE - x * guess
    guess += guess * (error + error * error)
    error = ONE - x * guess
    return guess + guess * (error + error * error)


@inlined
def exp_within_one(x):  # type: ignore[no-untyped-def]
    """``e^x`` for |x| <= 1: a polynomial, with no whole part to be taken off (3e-8 relative)."""
    return _P0 + x * (_P1 + x * (_P2 + x * (_P3 + x * (_P4 + x * (_P5 + x * (_P6 + x * (_P7 + x * _P8)))))))
