"""The one exception a user's mistake raises."""


class InputError(ValueError):
    """Bad input: one line that names the file, the place and the remedy.

    Scripts print it without a traceback and exit with status 2 (`util.cli.run`).
    """
