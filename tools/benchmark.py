"""Measure how fast the parts of the system are on this machine.

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

from util.cli import parser, run

from tools.benchmarks import (
    convert,
    decode,
    demo,
    evaluate,
    exactness,
    grouping,
    labels,
    network,
    startup,
    tflite,
    train,
)


def main(argv=None):
    arguments = parser(__doc__)
    commands = arguments.add_subparsers(title="what to measure", required=True)
    for benchmark in (convert, evaluate, decode, exactness, grouping, labels, network, tflite, demo, train, startup):
        benchmark.add(commands)
    options = arguments.parse_args(argv)
    options.function(options)


if __name__ == "__main__":
    run(main)
