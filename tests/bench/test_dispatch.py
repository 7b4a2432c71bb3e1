"""Dispatch overhead and per-sample cost from points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dispatch import fit
from bench.results import DispatchPoint


def points(*pairs: tuple[int, float]) -> list[DispatchPoint]:
    return [DispatchPoint(batch=batch, seconds=seconds) for batch, seconds in pairs]


@given(st.floats(1e-5, 1), st.floats(1e-7, 1e-2))
def test_a_line_is_found_again(a: float, b: float) -> None:
    found = fit(points(*((n, a + b * n) for n in (32, 128, 512, 2048))))
    assert found is not None
    assert found.a + found.b * 512 == pytest.approx(a + b * 512, rel=1e-6)
    assert found.a == pytest.approx(a, rel=1e-3, abs=1e-6 * b)


def test_residuals_count_by_their_share() -> None:
    assert fit(points((1, 1.0), (4, 1.1), (16, 1.4), (64, 3.2))) is not None
    assert fit(points((1, 1.0), (4, 1.1), (16, 4.0), (64, 3.2))) is None


def test_two_points_make_no_line() -> None:
    assert fit(points((1, 1.0), (4, 2.0))) is None


def test_neither_part_is_less_than_nothing() -> None:
    superlinear = fit(points((10, 0.9), (40, 4.0), (160, 17.0)))
    assert superlinear is not None
    assert superlinear.a == 0
    flat = fit(points((10, 1.05), (40, 1.0), (160, 1.0)))
    assert flat is not None
    assert flat.b == 0
