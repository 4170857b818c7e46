"""What a size scan found, and what it did not, in one plain sentence a pattern."""

from collections.abc import Mapping
from typing import Any


def words(row: Mapping[str, Any]) -> str:
    """``row``: of ``size_scan.scan`` before its sizes are left out, with what stands beside the pattern."""
    told = {"first minimum": _minimum, "rise": _rise, "second descent": _descent, "crossing": _crossing}
    if "p_value" not in row:
        return f"{row['strategy']}: no {row['pattern']} is looked for: {row['verdict']} were scanned."
    alone = " (noise of the items alone)" * (row["noise"] == "items alone")
    return f"{row['strategy']}: {told[row['pattern']](row)}{alone}."


def _minimum(row: Mapping[str, Any]) -> str:
    if row["verdict"] == "found":
        first = ", the smallest size scanned, so that no first descent is seen" * (row["size"] == row["scanned"][0])
        return f"the first minimum is at {row['size']:,} examples ({_between(row)}){first}"
    last = ", the largest size scanned" * (row["best"] == row["scanned"][-1])
    return f"no first minimum found, since no rise is; the best value is at {row['best']:,} examples{last}"


def _rise(row: Mapping[str, Any]) -> str:
    if row["size"] is None:
        return "no rise: no size is worse than a smaller one"
    way = f"{row['height']:.4f} from {row['minimum']:,} to {row['size']:,} examples"
    if row["verdict"] == "found":
        return f"gets worse by {way} ({_between(row)}); {_chance(row, 'a monotone curve')}"
    return f"no rise found: the highest is {way}, and {_chance(row, 'a monotone curve')}"


def _descent(row: Mapping[str, Any]) -> str:
    if row["size"] is None:
        return "no second descent: " + ("the rise goes on to the largest size" if row["peak"] else "nothing rises")
    way = f"{row['height']:.4f} from {row['peak']:,} to {row['size']:,} examples"
    below = f"below the first minimum in {100 * row['share_below']:.0f} % of resamples"
    if row["verdict"] == "found":
        return f"gets better again by {way} ({_between(row)}), {below}; {_chance(row, 'a monotone curve')}"
    return f"no second descent found: it would be {way}, and {_chance(row, 'a monotone curve')}"


def _crossing(row: Mapping[str, Any]) -> str:
    name, random = row["strategy"], row["random"]
    if row["before"] is None:
        return (
            f"no crossing from {name} to {random}: over all sizes {random} is better by {-row['after']:.4f} on average"
        )
    if row["after"] is None:
        return f"no crossing from {name} to {random}: over all sizes {name} is better by {row['before']:.4f} on average"
    leads = f"{name} leads by {row['before']:.4f} on average before it, {random} by {-row['after']:.4f} from it on"
    chance = _chance(row, "curves that do not cross")
    if row["verdict"] == "found":
        return f"{random} is no worse from {row['size']:,} examples on ({_between(row)}): {leads}; {chance}"
    return f"no crossing with {random} found: the likeliest is at {row['size']:,} examples ({leads}), but {chance}"


def _between(row: Mapping[str, Any]) -> str:
    if row["size_low"] == row["size_high"]:
        return "the same size in 95 % of resamples"
    return f"95 % interval {row['size_low']:,} to {row['size_high']:,}"


def _chance(row: Mapping[str, Any], without: str) -> str:
    p = row["p_value"]
    share = f"{100 * p:.0f} %" if p >= 0.1 else f"{100 * p:.1f} %" if p >= 0.001 else "fewer than 0.1 %"
    verb = "shows" if without.startswith("a ") else "show"
    return f"{without} with the same noise {verb} as much in {share} of draws (Holm p {row['p_holm']:.2g})"
