"""What `tools/benchmark.py` measures: a module for each command, with `add` to put it on the command line."""
