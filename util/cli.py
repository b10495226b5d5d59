"""What every command-line script shares: its parser and its way out."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from lib import MissingExtension
from util.errors import InputError


def parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose --help shows the script's docstring, example included, as it is written."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def config_parser(doc: str) -> argparse.ArgumentParser:
    """A parser of a script that reads pose_cfg.yaml: with --cfg, and `overrides` of its keys."""
    arguments = parser(doc)
    arguments.add_argument("--cfg", default="pose_cfg.yaml", help="configuration (default: %(default)s)")
    arguments.add_argument("overrides", nargs="*", metavar="key=value", help="a key of the configuration (config.py)")
    return arguments


def run(main: Callable[[], int | None]) -> NoReturn:
    """Call `main` and exit: bad input is one line and status 2, Ctrl-C status 130, never a traceback."""
    try:
        status = main() or 0
        sys.stdout.flush()
    except (InputError, MissingExtension) as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        status = 130
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; keep the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
