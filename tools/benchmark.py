"""Measure how fast the parts of the system are on this machine.

For example:

    python tools/benchmark.py all --out benchmarks.md
    python tools/benchmark.py multicut --instances hard
    python tools/benchmark.py convert --images 20000
    python tools/benchmark.py evaluate --images 1000 30000
    python tools/benchmark.py decode
    python tools/benchmark.py exactness --graphs 2000
    python tools/benchmark.py grouping --ref annotations.json
    python tools/benchmark.py labels --ref annotations.json
    python tools/benchmark.py network --net_types resnet_18 resnet_101
    python tools/benchmark.py tflite --net_types resnet_18 resnet_101
    python tools/benchmark.py demo
    python tools/benchmark.py train --precision float32 auto
    python tools/benchmark.py startup --images 210000
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from importlib import import_module

from tools.benchmarks import everything

# The modules of tools.benchmarks that measure something.
BENCHMARKS = ("multicut", "exactness", "decode", "grouping", "labels", "network", "tflite", "demo", "train", "startup",
              "convert", "evaluate")  # fmt: skip


def main(argv=None):
    arguments = parser(__doc__)
    commands = arguments.add_subparsers(title="what to measure", required=True)
    for benchmark in BENCHMARKS:
        import_module(f"tools.benchmarks.{benchmark}").add(commands)

    def run_benchmark(command):
        options = arguments.parse_args(command)
        return options.function(options)

    everything.add(commands, run_benchmark)
    for table in run_benchmark(argv):
        print(table.text())


if __name__ == "__main__":
    run(main)
