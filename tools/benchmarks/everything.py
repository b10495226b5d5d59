"""All tables of the benchmarks page, in one go."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.benchmarks.tables import Table, with_ratios
from util.errors import InputError
from util.files import atomic_path, read_json, write_json

# The commands of the page; those in ANNOTATED also need annotations.
PAGE = (
    ("multicut",),
    ("exactness",),
    ("decode", "--detections", "50", "190", "600"),
    ("network", "--net_types", "resnet_18", "resnet_50", "resnet_101"),
    ("network", "--cfg", "models/demo/pose_cfg.yaml"),
    ("demo",),
    ("train",),
    ("startup",),
    ("tflite", "--net_types", "resnet_18", "resnet_101"),
    ("tflite", "--cfg", "models/demo/pose_cfg.yaml"),
    ("convert", "--images", "20000", "210000"),
    ("evaluate",),
)
ANNOTATED = ("grouping", "labels")
STORED = Path(__file__).with_name("reference.json")
BUSY = 0.2  # share of the processor's cores that others used before the start


def add(commands, run_benchmark: Callable[[Sequence[str]], list[Table]]) -> None:
    """run_benchmark: from a command line to its tables."""
    command = commands.add_parser("all", help="every table of the benchmarks page, as Markdown")
    command.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks.md"),
        help="page to write (benchmarks.md); a .json of the same name keeps the run",
    )
    command.add_argument(
        "--reference", type=Path, metavar="JSON", help="an earlier run, to print ratios to (default: the stored one)"
    )
    command.add_argument("--ref", help="AI Challenger annotations, for " + " and ".join(ANNOTATED))
    command.add_argument("--only", nargs="+", metavar="COMMAND", help="run these only")
    command.set_defaults(function=lambda args: run_all(args, run_benchmark))


def run_all(args: argparse.Namespace, run_benchmark: Callable[[Sequence[str]], list[Table]]) -> list[Table]:
    """Run the benchmarks of the page; after each of them print its tables and write the page so far."""
    reference = read_run(args.reference or STORED) if args.reference or STORED.exists() else {}
    machine = machine_line()
    if "busy" in machine:
        print(machine, file=sys.stderr)
    done = {}
    for command in page_commands(args.ref, args.only):
        print(f"\n$ benchmark.py {' '.join(command)}", flush=True)
        done[" ".join(command)] = tables = run_benchmark(command)
        for number, table in enumerate(tables):
            before = reference.get(" ".join(command), [])
            print(with_ratios(table, before[number]).text() if number < len(before) else table.text(), flush=True)
        with atomic_path(args.out) as temporary:
            temporary.write_text(page(machine, done), encoding="utf-8")
        write_json(args.out.with_suffix(".json"), {"machine": machine, "tables": done})
    print(f"\nwritten to {args.out} and {args.out.with_suffix('.json')}")
    return []


def page_commands(annotations: str | None, only: Sequence[str] | None) -> list[Sequence[str]]:
    known = {command[0] for command in PAGE}.union(ANNOTATED)
    if only and not known.issuperset(only):
        unknown = ", ".join(sorted(set(only) - known))
        raise InputError(f"--only: {unknown} is not on the page; {', '.join(sorted(known))} are")
    if only and not annotations and set(ANNOTATED).intersection(only):
        raise InputError(f"--only: {' and '.join(ANNOTATED)} need annotations (--ref)")
    commands = [*PAGE, *((name, "--ref", annotations) for name in ANNOTATED if annotations)]
    return [command for command in commands if not only or command[0] in only]


def page(machine: str, done: dict[str, list[Table]]) -> str:
    parts = [machine]
    for command, tables in done.items():
        parts += [f"`python tools/benchmark.py {command}`", *(table.markdown() for table in tables)]
    return "\n\n".join(parts) + "\n"


def read_run(path: Path) -> dict[str, list[Table]]:
    """The tables of a stored run by command."""
    try:
        tables = read_json(path)["tables"]
        return {command: [Table(*values) for values in found] for command, found in tables.items()}
    except (TypeError, KeyError, AttributeError):
        raise InputError(f"{path}: not a run that benchmark.py all has written") from None


def machine_line() -> str:
    """The processor, its cores, the date, and whether other processes keep it busy."""
    cores = os.cpu_count()
    busy = os.getloadavg()[0]
    line = f"{processor_name()}, {cores} cores, {time.strftime('%Y-%m-%d')}"
    if busy > BUSY * cores:
        line += f"; busy: {busy:.1f} processes ran on average before the start, so times are too long"
    return line


def processor_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
