"""People in clips: found in each frame, known again from frame to frame, drawn in their colour."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from multiperson.estimator import estimate_ahead
from multiperson.track import Tracker
from multiperson.visualize import PersonDraw
from util.errors import InputError
from util.files import atomic_path
from util.images import find_images, write_image
from util.report import Reductions
from util.video import Clip, Frame, by_number, clip_writer, frame_sequence, read_clip


def run_video(estimator, path: Path, out_dir: Path, name: str) -> str:
    """Write <name>_people.mp4 (.gif for a GIF) and <name>_people.jsonl of a video; a line about it.

    Raises InputError.
    """
    clip = read_clip(path)
    suffix = ".gif" if path.suffix.lower() == ".gif" else ".mp4"
    with clip_writer(out_dir / f"{name}_people{suffix}", clip.fps) as add:
        return _track(estimator, clip, lambda frame, picture: add(picture, frame.duration),
                      out_dir / f"{name}_people.jsonl", lambda frame: {"seconds": round(frame.seconds, 4)})  # fmt: skip


def run_frames(estimator, folder: Path, out_dir: Path, name: str) -> str:
    """Write the folder <name>_people with a picture of each frame, and <name>_people.jsonl; a line about them.

    Raises InputError.
    """
    paths = sorted(find_images([folder]), key=by_number)
    pictures = out_dir / f"{name}_people"
    return _track(estimator, frame_sequence(paths),
                  lambda frame, picture: write_image(pictures / f"{paths[frame.number].stem}.png", picture),
                  out_dir / f"{name}_people.jsonl", lambda frame: {"file": paths[frame.number].name})  # fmt: skip


def _track(estimator, clip: Clip, save: Callable[[Frame, np.ndarray], None], lines: Path,
           label: Callable[[Frame], dict]) -> str:  # fmt: skip
    from tqdm import tqdm

    drawer, tracker = PersonDraw(estimator.skeleton.limbs), Tracker()
    seen, frames, started = set(), 0, time.perf_counter()
    reductions = Reductions(estimator.cfg.max_input_size)
    with _json_lines(lines) as write:
        for frame, image, result in tqdm(estimate_ahead(estimator, clip.frames), unit="frame", disable=None):
            identities = tracker.update(result.people)
            save(frame, drawer.draw(image, result.people, identities))
            people = [{"id": identity} | person
                      for identity, person in zip(identities, result.as_dict()["people"], strict=True)]  # fmt: skip
            write({"frame": frame.number} | label(frame) | {"people": people})
            seen.update(identities)
            reductions.add(f"frame {frame.number}", result.reduction)
            frames += 1
        reductions.print()
        if not frames:
            raise InputError(f"{lines.stem.removesuffix('_people')}: no frames in this clip")
    return f"{frames} frames, {len(seen)} people, {frames / (time.perf_counter() - started):.1f} frames/s"


@contextmanager
def _json_lines(path: Path) -> Iterator[Callable[[dict], None]]:
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        yield lambda entry: print(json.dumps(entry, separators=(",", ":")), file=file)
