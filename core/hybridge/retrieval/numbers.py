"""Numbers that callers give."""

from __future__ import annotations

import math
from numbers import Real


def finite_number(value: object) -> float | None:
    """Return a finite number as a float, and None for anything else, booleans included."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer beyond every float
        return None
    return number if math.isfinite(number) else None
