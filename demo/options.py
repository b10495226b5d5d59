"""Defaults and options that both demos have."""

from util.cli import config_parser

import argparse
from pathlib import Path

from easydict import EasyDict

from config import load_config

MODEL = Path(__file__).parents[1] / "models" / "demo" / "pose_cfg.yaml"
# The people of the two photographs fill them: seen this small, they are as large as most that the network has learnt.
SAMPLES_SHOWN = ["global_scale=0.3", "tta=[]"]


def demo_parser(doc: str, files: str) -> argparse.ArgumentParser:
    """A parser for a script with this docstring; files: the kinds of files it takes."""
    arguments = config_parser(doc, MODEL, files=files)
    arguments.add_argument("--set", nargs="+", default=[], metavar="key=value", help="the same as without --set")
    arguments.add_argument("--out_dir", type=Path, default=Path("out"), help="folder to write to (default: out)")
    arguments.add_argument("--show", action="store_true", help="show each picture in a window")
    return arguments


def demo_config(options: argparse.Namespace, samples: bool) -> EasyDict:
    """The configuration; samples: whether the demo looks at the photographs that come with the code."""
    return load_config(options.cfg, (SAMPLES_SHOWN if samples else []) + options.overrides + options.set)
