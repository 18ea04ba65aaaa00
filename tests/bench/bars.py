"""What the benches say of their bars."""

from __future__ import annotations


def show(what: str, measured: object, kept: bool) -> bool:
    """Print what was measured, and whether its bar was kept; return that."""
    print(f"{what:<40} {measured!s:<14} {'' if kept else 'BAR MISSED'}", flush=True)
    return kept
