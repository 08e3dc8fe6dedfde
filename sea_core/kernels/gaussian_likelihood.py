"""Likelihood and gradients of CLUB's variational net, fused tile by tile.

A tile is ``TILE`` items; everything about it (inputs, hidden layers, errors, gradients) stays in the core's own cache.
Items are the fastest axis, so that every loop over items becomes vector instructions. Sizes are constants for the same
reason: smaller nets are padded with zeros, whose gradients are zero.
"""

from __future__ import annotations

import numpy as np

from sea_core.kernels.compiler import inlined, part_of_compiled
from sea_core.kernels.elementary import ONE, exp_within_one, tanh

TILE, DIM, HIDDEN = 256, 32, 8
LINE = 16  # numbers in a cache line
# One of the two nets in a flat array: first weight (HIDDEN, DIM), its bias, second weight (DIM, HIDDEN), its bias.
_BIAS0 = HIDDEN * DIM
_WEIGHT1 = _BIAS0 + HIDDEN
_BIAS1 = _WEIGHT1 + DIM * HIDDEN
NET_SIZE = _BIAS1 + DIM

# float32 constants: a Python float would turn the arithmetic into float64.
ZERO, HALF = np.float32(0), np.float32(0.5)


@part_of_compiled
def likelihood_and_gradients(nets, gradients, x, y, weight, true_dim, first, last):  # type: ignore[no-untyped-def]
    """``-sum_n weight_n ll(x_n, y_n)`` over some tiles; its gradients are written to ``gradients``.

    More than six parameters: compiled code takes arrays and numbers, no objects.

    Args:
        nets: the mean's net and the log variance's net, ``(2 * NET_SIZE,)``.
        gradients: as ``nets``; overwritten.
        x, y: ``(tiles, DIM * TILE)``, items fastest.
        weight: ``(tiles, TILE)``; 0 for padding.
        true_dim: dimensions that are not padding.
        first, last: the range of tiles.
    """
    mean_net, variance_net = nets[:NET_SIZE], nets[NET_SIZE:]
    d_mean_net, d_variance_net = gradients[:NET_SIZE], gradients[NET_SIZE:]
    hidden_mean, hidden_variance = np.empty(HIDDEN * TILE, np.float32), np.empty(HIDDEN * TILE, np.float32)
    mean, log_variance = np.empty(DIM * TILE, np.float32), np.empty(DIM * TILE, np.float32)
    d_hidden = np.empty(HIDDEN * TILE, np.float32)
    gradients[:] = ZERO
    loss = 0.0
    for tile in range(first, last):
        _forward(mean_net, x[tile], hidden_mean, mean)
        _forward(variance_net, x[tile], hidden_variance, log_variance)
        loss += _loss_and_output_gradients(mean, log_variance, y[tile], weight[tile], true_dim)
        _backward(mean_net, x[tile], hidden_mean, mean, d_hidden, d_mean_net)
        _backward(variance_net, x[tile], hidden_variance, log_variance, d_hidden, d_variance_net)
    return loss


@part_of_compiled
def bound_and_gradients(nets, x, x_stride, y, y_stride, order, d_x, d_y, d_other, first, last):  # type: ignore[no-untyped-def]
    """Some tiles' share of ``sum_i[ll(x_i, y_i) - ll(x_i, y_order(i))] / (2 n)``, with its gradients.

    ``losses/club.py`` has the algebra. More than six parameters: compiled code takes arrays and numbers, no objects.

    Args:
        nets: as in ``likelihood_and_gradients``; constants.
        x, y: flat, with a stride from row to row.
        order: the row of ``y`` that is each item's negative.
        d_x, d_y, d_other: ``(items, dim)``, of which the tiles' rows are written: gradients with respect to ``x``,
            ``y`` and the permuted ``y``.
        first, last: the range of tiles.
    """
    mean_net, variance_net = nets[:NET_SIZE], nets[NET_SIZE:]
    items, dim = d_x.shape
    scale = np.float32(0.5 / items)
    hidden_mean, hidden_variance = np.empty(HIDDEN * TILE, np.float32), np.empty(HIDDEN * TILE, np.float32)
    mean, raw = np.empty(DIM * TILE, np.float32), np.empty(DIM * TILE, np.float32)
    d_hidden, tile_of_d_x = np.empty(HIDDEN * TILE, np.float32), np.empty(DIM * TILE, np.float32)
    own, other = np.empty(DIM * TILE, np.float32), np.empty(DIM * TILE, np.float32)
    tile_of_x = np.zeros(DIM * TILE, np.float32)
    rows_x, rows_y, rows_other = np.empty(LINE, np.int64), np.empty(LINE, np.int64), np.empty(LINE, np.int64)
    total = 0.0
    for tile in range(first, last):
        start = tile * TILE
        count = min(TILE, items - start)
        # Sixteen rows at a time: that many columns of a tile are a cache line. Behind the last row it is read again.
        for block in range(0, count, LINE):
            for j in range(LINE):
                row = min(start + block + j, items - 1)
                rows_x[j], rows_y[j], rows_other[j] = row * x_stride, row * y_stride, order[row] * y_stride
            for d in range(dim):
                for j in range(LINE):
                    tile_of_x[d * TILE + block + j] = x[rows_x[j] + d]
                for j in range(LINE):
                    own[d * TILE + block + j] = y[rows_y[j] + d]
                for j in range(LINE):
                    other[d * TILE + block + j] = y[rows_other[j] + d]
        _forward(mean_net, tile_of_x, hidden_mean, mean)
        _forward(variance_net, tile_of_x, hidden_variance, raw)
        total += _bound_and_output_gradients(mean, raw, own, other, scale, dim, count)
        tile_of_d_x[:] = ZERO
        _add_gradients_of_input(mean_net, hidden_mean, mean, d_hidden, tile_of_d_x)
        _add_gradients_of_input(variance_net, hidden_variance, raw, d_hidden, tile_of_d_x)
        for block in range(0, count, LINE):
            for j in range(block, min(block + LINE, count)):
                for d in range(dim):
                    d_x[start + j, d] = tile_of_d_x[d * TILE + j]
            for j in range(block, min(block + LINE, count)):
                for d in range(dim):
                    d_y[start + j, d] = own[d * TILE + j]
            for j in range(block, min(block + LINE, count)):
                for d in range(dim):
                    d_other[start + j, d] = other[d * TILE + j]
    return total


@part_of_compiled
def adam(parameters, gradients, first, second, numbers):  # type: ignore[no-untyped-def]
    """One Adam step on flat arrays.

    Args:
        parameters, first, second: updated in place.
        gradients: one row for each part that is to be added up.
        numbers: 1 - beta1, beta2, 1 - beta2, eps, step size, factor on the second moment's root. The differences are
            taken by the caller in float64: 1 - 0.999 in float32 is off by 1e-5.
    """
    share1, beta2, share2, eps, step_size, correction = numbers
    for i in range(len(parameters)):
        gradient = ZERO
        for part in range(len(gradients)):
            gradient += gradients[part, i]
        first[i] += (gradient - first[i]) * share1
        second[i] = second[i] * beta2 + gradient * gradient * share2
        parameters[i] -= step_size * first[i] / (np.sqrt(second[i]) * correction + eps)


@part_of_compiled
def _loss_and_output_gradients(mean, raw, y, weight, true_dim):  # type: ignore[no-untyped-def]
    """Turn ``mean`` and ``raw``, the log variance before its tanh, into the loss's gradients with respect to them."""
    loss = ZERO
    for d in range(true_dim):
        for j in range(TILE):
            i = d * TILE + j
            log_variance = tanh(raw[i])
            error = mean[i] - y[i]
            scaled = error * exp_within_one(-log_variance)
            loss += (error * scaled + log_variance) * weight[j]
            mean[i] = scaled * weight[j]
            raw[i] = (ONE - error * scaled) * (ONE - log_variance * log_variance) * (HALF * weight[j])
    return loss * HALF


@part_of_compiled
def _bound_and_output_gradients(mean, raw, own, other, scale, true_dim, count):  # type: ignore[no-untyped-def]
    """Turn ``mean``, ``raw``, ``y`` (``own``) and the permuted ``y`` (``other``) into the bound's gradients.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    total = ZERO
    for d in range(true_dim):
        for j in range(count):
            i = d * TILE + j
            log_variance = tanh(raw[i])
            precision = exp_within_one(-log_variance) * scale
            y, y_other, mu = own[i], other[i], mean[i]
            d_mean = (y - y_other) * precision
            entry = d_mean * (mu - HALF * (y + y_other))
            own[i], other[i] = (mu - y) * precision, (y_other - mu) * precision
            mean[i] = d_mean
            raw[i] = (log_variance * log_variance - ONE) * entry
            total += entry
    return total


@part_of_compiled
def _forward(net, x, hidden, output):  # type: ignore[no-untyped-def]
    """Linear, ReLU, linear."""
    _fill_rows(hidden, net[_BIAS0:_WEIGHT1], HIDDEN)
    _add_product(hidden, net[:_BIAS0], DIM, 1, x, HIDDEN, DIM)
    for i in range(HIDDEN * TILE):
        hidden[i] = max(hidden[i], ZERO)
    _affine_of_hidden(output, net[_WEIGHT1:_BIAS1], net[_BIAS1:], hidden)


@part_of_compiled
def _backward(net, x, hidden, d_output, d_hidden, d_net):  # type: ignore[no-untyped-def]
    """Add the gradients of the net's parameters, given those of its outputs."""
    _add_outer_products(d_net[_WEIGHT1:_BIAS1], d_output, hidden, DIM, HIDDEN)
    _add_row_sums(d_net[_BIAS1:], d_output, DIM)
    _gradients_of_hidden(net, hidden, d_output, d_hidden)
    _add_outer_products(d_net[:_BIAS0], d_hidden, x, HIDDEN, DIM)
    _add_row_sums(d_net[_BIAS0:_WEIGHT1], d_hidden, HIDDEN)


@part_of_compiled
def _add_gradients_of_input(net, hidden, d_output, d_hidden, d_x):  # type: ignore[no-untyped-def]
    """Add the gradients of the net's input, given those of its outputs."""
    _gradients_of_hidden(net, hidden, d_output, d_hidden)
    _add_product(d_x, net[:_BIAS0], 1, DIM, d_hidden, DIM, HIDDEN)


@inlined
def _gradients_of_hidden(net, hidden, d_output, d_hidden):  # type: ignore[no-untyped-def]
    """Back through the outer layer and the ReLU."""
    d_hidden[:] = ZERO
    _add_product(d_hidden, net[_WEIGHT1:_BIAS1], 1, HIDDEN, d_output, HIDDEN, DIM)
    for i in range(HIDDEN * TILE):
        d_hidden[i] = d_hidden[i] if hidden[i] > ZERO else ZERO


@inlined
def _fill_rows(rows, values, count):  # type: ignore[no-untyped-def]
    for m in range(count):
        for j in range(TILE):
            rows[m * TILE + j] = values[m]


@inlined
def _add_row_sums(sums, rows, count):  # type: ignore[no-untyped-def]
    for m in range(count):
        total = ZERO
        for j in range(TILE):
            total += rows[m * TILE + j]
        sums[m] += total


@inlined
def _add_product(c, a, stride_m, stride_k, b, rows, depth):  # type: ignore[no-untyped-def]
    """``c += a b`` with ``c (rows, TILE)``, ``a (rows, depth)`` of any strides, ``b (depth, TILE)``.

    Two rows of ``c`` and eight of ``b`` at a time: sixteen multiply-adds for each vector of ``c`` that is loaded.

    More than six parameters: compiled code takes arrays and numbers, no objects.
    """
    for m in range(0, rows, 2):
        for k in range(0, depth, 8):
            u, v, w = m * stride_m + k * stride_k, (m + 1) * stride_m + k * stride_k, k * TILE
            u0, u1, u2, u3 = a[u], a[u + stride_k], a[u + 2 * stride_k], a[u + 3 * stride_k]
            u4, u5, u6, u7 = a[u + 4 * stride_k], a[u + 5 * stride_k], a[u + 6 * stride_k], a[u + 7 * stride_k]
            v0, v1, v2, v3 = a[v], a[v + stride_k], a[v + 2 * stride_k], a[v + 3 * stride_k]
            v4, v5, v6, v7 = a[v + 4 * stride_k], a[v + 5 * stride_k], a[v + 6 * stride_k], a[v + 7 * stride_k]
            for j in range(TILE):
                b0, b1, b2, b3 = b[w + j], b[w + TILE + j], b[w + 2 * TILE + j], b[w + 3 * TILE + j]
                b4, b5, b6, b7 = b[w + 4 * TILE + j], b[w + 5 * TILE + j], b[w + 6 * TILE + j], b[w + 7 * TILE + j]
                c[m * TILE + j] += u0 * b0 + u1 * b1 + u2 * b2 + u3 * b3 + u4 * b4 + u5 * b5 + u6 * b6 + u7 * b7
                c[(m + 1) * TILE + j] += v0 * b0 + v1 * b1 + v2 * b2 + v3 * b3 + v4 * b4 + v5 * b5 + v6 * b6 + v7 * b7


@inlined
def _affine_of_hidden(c, a, bias, b):  # type: ignore[no-untyped-def]
    """``c = a b + bias`` with ``c (DIM, TILE)``, ``a (DIM, HIDDEN)``, ``b (HIDDEN, TILE)``: ``c`` is written once."""
    for m in range(0, DIM, 2):
        u, v, bias_u, bias_v = m * HIDDEN, (m + 1) * HIDDEN, bias[m], bias[m + 1]
        u0, u1, u2, u3, u4, u5, u6, u7 = a[u], a[u + 1], a[u + 2], a[u + 3], a[u + 4], a[u + 5], a[u + 6], a[u + 7]
        v0, v1, v2, v3, v4, v5, v6, v7 = a[v], a[v + 1], a[v + 2], a[v + 3], a[v + 4], a[v + 5], a[v + 6], a[v + 7]
        for j in range(TILE):
            b0, b1, b2, b3 = b[j], b[TILE + j], b[2 * TILE + j], b[3 * TILE + j]
            b4, b5, b6, b7 = b[4 * TILE + j], b[5 * TILE + j], b[6 * TILE + j], b[7 * TILE + j]
            total_u = bias_u + u0 * b0 + u1 * b1 + u2 * b2 + u3 * b3 + u4 * b4 + u5 * b5 + u6 * b6 + u7 * b7
            total_v = bias_v + v0 * b0 + v1 * b1 + v2 * b2 + v3 * b3 + v4 * b4 + v5 * b5 + v6 * b6 + v7 * b7
            c[m * TILE + j], c[(m + 1) * TILE + j] = total_u, total_v


@inlined
def _add_outer_products(c, a, b, rows, columns):  # type: ignore[no-untyped-def]
    """``c += a b^T`` with ``a (rows, TILE)`` and ``b (columns, TILE)``: sums over items, four rows by four each."""
    for m in range(0, rows, 4):
        for n in range(0, columns, 4):
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = ZERO
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = ZERO
            for j in range(TILE):
                i, l = m * TILE + j, n * TILE + j  # noqa: E741
                a0, a1, a2, a3 = a[i], a[i + TILE], a[i + 2 * TILE], a[i + 3 * TILE]
                b0, b1, b2, b3 = b[l], b[l + TILE], b[l + 2 * TILE], b[l + 3 * TILE]
                s00, s01, s02, s03 = s00 + a0 * b0, s01 + a0 * b1, s02 + a0 * b2, s03 + a0 * b3
                s10, s11, s12, s13 = s10 + a1 * b0, s11 + a1 * b1, s12 + a1 * b2, s13 + a1 * b3
                s20, s21, s22, s23 = s20 + a2 * b0, s21 + a2 * b1, s22 + a2 * b2, s23 + a2 * b3
                s30, s31, s32, s33 = s30 + a3 * b0, s31 + a3 * b1, s32 + a3 * b2, s33 + a3 * b3
            i = m * columns + n
            for row, (t0, t1, t2, t3) in enumerate(
                ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
            ):
                c[i + row * columns] += t0
                c[i + row * columns + 1] += t1
                c[i + row * columns + 2] += t2
                c[i + row * columns + 3] += t3
