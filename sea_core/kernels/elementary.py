"""Elementary functions for compiled loops, made of operations that become vector instructions."""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from sea_core.kernels.compiler import inlined

# float32 constants: a Python float would turn the arithmetic into float64.
ONE = np.float32(1)
_E1, _E2, _E3, _E4, _E5, _E6, _E7 = (np.float32(math.log(2) ** n / math.factorial(n)) for n in range(1, 8))

# Of e^x, interpolated at Chebyshev's points of [-1, 1].
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8 = (
    Chebyshev.interpolate(np.exp, 8).convert(kind=Polynomial).coef.astype(np.float32)
)

# Of tanh(x) = x P(x^2) / Q(x^2) on [-8, 8], least squares at Chebyshev's points with weights that even out the error
# (Lawson's), 6e-9 before rounding.
_T0, _T1, _T2, _T3, _T4 = (
    np.float32(c) for c in (0.99999997, 0.13438187930, 0.0035641523290, 2.1773183760e-5, 1.506172415e-8)
)
_U1, _U2, _U3, _U4 = (np.float32(c) for c in (0.46771508705, 0.026136001208, 3.3991732021e-4, 8.4536267284e-7))
_TANH_IS_ONE = np.float32(8)  # but for 2e-7


@inlined
def exp2(x):  # type: ignore[no-untyped-def]
    """``2^x`` for |x| < 126: the whole part goes into the exponent's bits, the rest is a polynomial (3e-8 relative)."""
    whole = np.int32(np.rint(x))
    f = x - np.float32(whole)
    power = ONE + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * (_E6 + f * _E7))))))
    return power * np.int32(np.int32(whole + 127) << 23).view(np.float32)


@inlined
def exp_within_one(x):  # type: ignore[no-untyped-def]
    """``e^x`` for |x| <= 1: a polynomial, with no whole part to be taken off (3e-8 relative)."""
    return _P0 + x * (_P1 + x * (_P2 + x * (_P3 + x * (_P4 + x * (_P5 + x * (_P6 + x * (_P7 + x * _P8)))))))


@inlined
def tanh(x):  # type: ignore[no-untyped-def]
    """``tanh(x)`` as a quotient of polynomials (4e-7 absolute): half the operations of one from an exponential.

    The division runs beside the multiplications, which are what keeps the vector unit busy here.
    """
    clipped = min(max(x, -_TANH_IS_ONE), _TANH_IS_ONE)
    u = clipped * clipped
    above = clipped * (_T0 + u * (_T1 + u * (_T2 + u * (_T3 + u * _T4))))
    return above / (ONE + u * (_U1 + u * (_U2 + u * (_U3 + u * _U4))))
