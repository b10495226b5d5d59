"""The commands of `tools/benchmark.py`: a module for each, whose `add` puts it on the command line."""
