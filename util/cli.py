"""What all command-line scripts share: the parser, and the exit."""

from util.signals import INTERRUPTED, ending_signal, unwind_on_signals

import argparse
import io
import os
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from lib import MissingExtension
from util.errors import InputError
from util.frozen_weights import promise_frozen_weights
from util.logging import show_warnings


class Parser(argparse.ArgumentParser):
    """A parser that expands ~/ even where the shell does not: in quotes and after --option=."""

    def parse_known_args(self, args=None, namespace=None):
        given = sys.argv[1:] if args is None else args
        return super().parse_known_args([_expand_home(argument) for argument in given], namespace)


class ConfigParser(Parser):
    """A parser whose key=value arguments may stand anywhere, even after a list of files."""

    def parse_args(self, args=None, namespace=None):
        options = self.parse_intermixed_args(args, namespace)
        for name, values in vars(options).items():
            if isinstance(values, list) and name != "overrides":
                options.overrides += filter(_is_override, values)
                setattr(options, name, [value for value in values if not _is_override(value)])
        return options


def _is_override(argument) -> bool:
    return re.match(r"[a-z_]+=", str(argument)) is not None and not os.path.exists(argument)


def _expand_home(argument: str) -> str:
    return re.sub(r"^(--[\w-]+=)?(~(?=/|$))", lambda match: (match[1] or "") + os.path.expanduser("~"), argument)


def parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose --help shows the script's docstring, example included, as it is written."""
    return Parser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def config_parser(
    doc: str, cfg: str | os.PathLike = "pose_cfg.yaml", *, files: str = "", snapshot: bool = False
) -> argparse.ArgumentParser:
    """A parser for a script that reads a configuration: with --cfg, and `overrides` of its keys.

    cfg: the default configuration
    files: the script's name for its `files` argument; empty if it has none
    snapshot: whether it takes a network's weights, with --snapshot
    """
    arguments = ConfigParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if files:
        arguments.add_argument("files", nargs="*", metavar=files)
    arguments.add_argument("--cfg", default=cfg, help="configuration (default: %(default)s)")
    arguments.add_argument("overrides", nargs="*", metavar="key=value", help="a key of the configuration (config.py)")
    if snapshot:
        arguments.add_argument("--snapshot", help="checkpoint (default: the newest snapshot, else init_weights)")
    return arguments


def run(main: Callable[[], int | None], *, frozen_weights: bool = False) -> NoReturn:
    """Call `main` and exit: bad input is one line and status 2, Ctrl-C status 130, never a traceback.

    frozen_weights: it only runs trained networks (util/frozen_weights.py)

    On Ctrl-C and signals that end a process, half-written files are removed.
    """
    _prepare_output()
    _forget_backend()
    promise_frozen_weights(frozen_weights)
    unwind_on_signals()
    show_warnings()
    try:
        if sys.flags.optimize > 1:
            raise InputError("python -OO drops the docstrings, without which TensorFlow does not start: -O at most")
        status = main() or 0
        sys.stdout.flush()
    except (InputError, MissingExtension) as error:
        _complain(str(error))
        status = 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:  # the reader of our output (`| head`) is gone
        _drop_output()
        status = 1
    except OSError as error:  # no file name: printing to a full disk, or to a closed stream
        _drop_output()
        _complain(f"{error.filename or 'standard output'}: {error.strerror or error}")
        status = 2
    except Exception:
        # A compiled module turns a signal's exception during its import into an ImportError.
        number = ending_signal()
        if number is None:
            raise
        status = 128 + number
        if status == INTERRUPTED:
            print("\ninterrupted", file=sys.stderr)
    sys.exit(status)


def _prepare_output() -> None:
    """Any file name can be printed; a stream that is closed is one that cannot be written to, or drops what it gets."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):  # those of notebooks are not, and accept any name
        sys.stdout.reconfigure(errors="backslashreplace")


def _forget_backend() -> None:
    """Ignore MPLBACKEND: figures need no window, and for windows matplotlib finds a backend.

    Notebooks set it, for all programs that they start, to a backend that works only in themselves.
    """
    os.environ.pop("MPLBACKEND", None)


def _drop_output() -> None:
    """Keep the interpreter from retrying at exit what it could not write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str) -> None:
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)
