"""The least share of items that must be usable: nothing is scored on the rest in silence."""

from instructmining.jobs.errors import InputError


def check_share_used(
    who: str, used: int, expected: int, share: float, what: str, reasons: str = "", least: int = 1
) -> None:
    """Stop where too few items can be used.

    Args:
        who: what measures the items; the error begins with it.
        used: how many can be used.
        expected: how many there are.
        share: the setting ``min_share_used``, 0 to 1.
        what: what those that can be used have, as ``prompts have a response``; the error continues with it.
        reasons: why the others cannot be used, for the end of the error.
        least: the fewest that are enough whatever the share is: a mean needs one.

    Raises:
        InputError: fewer than ``share`` of the items, or fewer than ``least`` items, can be used.
    """
    if used < share * expected or used < least:
        why = f" ({reasons})" if reasons else ""
        raise InputError(f"{who}: {used} of {expected} {what}; min_share_used asks for {share:.0%}{why}")
