"""What every command-line script shares: its parser and its way out."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from lib import MissingExtension
from util.errors import InputError

INTERRUPTED = 130  # as shells call an end by Ctrl-C


class Parser(argparse.ArgumentParser):
    """A parser that reads ~/ as the home folder, also where the shell does not: in quotes and behind --option=."""

    def parse_known_args(self, args=None, namespace=None):
        given = sys.argv[1:] if args is None else args
        return super().parse_known_args([_expand_home(argument) for argument in given], namespace)


def _expand_home(argument: str) -> str:
    return re.sub(r"^(--[\w-]+=)?(~(?=/|$))", lambda match: (match[1] or "") + os.path.expanduser("~"), argument)


def parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose --help shows the script's docstring, example included, as it is written."""
    return Parser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def config_parser(doc: str) -> argparse.ArgumentParser:
    """A parser of a script that reads pose_cfg.yaml: with --cfg, and `overrides` of its keys."""
    arguments = parser(doc)
    arguments.add_argument("--cfg", default="pose_cfg.yaml", help="configuration (default: %(default)s)")
    arguments.add_argument("overrides", nargs="*", metavar="key=value", help="a key of the configuration (config.py)")
    return arguments


def run(main: Callable[[], int | None]) -> NoReturn:
    """Call `main` and exit: bad input is one line and status 2, Ctrl-C status 130, never a traceback.

    Ctrl-C and the signals that end a process remove what is half-written.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _leave)
    try:
        status = main() or 0
        sys.stdout.flush()
    except (InputError, MissingExtension) as error:
        print(f"{os.path.basename(sys.argv[0])}: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output (`| head`) has gone; keep the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)


def _leave(number, _frame) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _report(kind, error, trace) -> None:
    """What may end a script while it imports what it needs, before `run`: Ctrl-C, or a package that is missing."""
    at_prompt = hasattr(sys, "ps1")
    if issubclass(kind, KeyboardInterrupt) and not at_prompt:
        _stop("\ninterrupted", INTERRUPTED)
    elif issubclass(kind, ModuleNotFoundError) and error.name and not at_prompt:
        _stop(f"{os.path.basename(sys.argv[0])}: {error.name.partition('.')[0]} is not installed in {sys.executable}; "
              "./compile.sh makes an environment that has everything: .venv/bin/python", 2)  # fmt: skip
    else:
        sys.__excepthook__(kind, error, trace)


def _stop(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr, flush=True)
    os._exit(status)


sys.excepthook = _report
