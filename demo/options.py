"""The options that both demos have."""

from util.cli import config_parser

import argparse
from pathlib import Path

MODEL = Path(__file__).parents[1] / "models" / "demo" / "pose_cfg.yaml"


def demo_parser(doc: str, files: str) -> argparse.ArgumentParser:
    """A parser for a script with this docstring; files: the kinds of files it takes."""
    arguments = config_parser(doc, MODEL, files=files)
    arguments.add_argument("--out_dir", type=Path, default=Path("out"), help="folder to write to (default: out)")
    arguments.add_argument("--show", action="store_true", help="show each picture in a window")
    return arguments
