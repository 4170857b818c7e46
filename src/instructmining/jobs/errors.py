"""The one exception for input that a user can mend."""


class InputError(ValueError):
    """Bad input. The message is one line: which file, which row or key, what was expected."""
