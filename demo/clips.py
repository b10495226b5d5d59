"""People in clips: found in each frame, tracked from frame to frame, drawn in a colour of their own."""

from util.signals import noting_signals

import itertools
import json
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
from tqdm import tqdm

from multiperson.estimator import PoseEstimator
from multiperson.table import people_table
from multiperson.track import Tracker
from util.errors import InputError
from util.files import atomic_path
from util.images import write_image
from util.names import distinct_names
from util.report import Reductions
from util.video import Clip, Frame, clip_writer, frame_sequence, read_clip


def run_video(model: PoseEstimator, path: Path, out: Path, csv: bool = False) -> str:
    """Write <out>.mp4 (.gif for a GIF), <out>.jsonl and, if wanted, <out>.csv for a video; returns a line about it.

    Raises InputError, also after writing what can be read of a damaged one.
    """
    clip = read_clip(path)
    suffix = ".gif" if path.suffix.lower() == ".gif" else ".mp4"
    with clip_writer(f"{out}{suffix}", clip.fps, sound=path) as add:
        line = _track(model, clip, path, lambda frame, picture: add(picture, frame.duration), out, csv)
    if clip.faults:
        raise InputError(f"{path}: not all of it can be read: {'; '.join(clip.faults)}; written: {line}")
    return line


def run_frames(model: PoseEstimator, folder: Path, frames: Sequence[Path], out: Path, csv: bool = False) -> str:
    """Write the folder <out> with a picture of each frame, <out>.jsonl and perhaps <out>.csv; a line about them.

    folder: the name of the clip in messages; frames: its pictures, in order
    Raises InputError.
    """
    names = distinct_names(frames)

    def save(frame, picture):
        write_image(out / f"{names[frame.number]}.jpg", picture)

    return _track(model, frame_sequence(frames), folder, save, out, csv)


def run_camera(model: PoseEstimator, clip: Clip, out: Path, show: bool, csv: bool = False) -> str:
    """Like `run_video`, for a camera and until Ctrl-C; show: also in a window, where any key ends it."""
    window = None
    if show:
        from util.visualize import Window  # matplotlib

        window = Window()

    def save(frame, picture):
        add(picture, frame.duration)
        if window:
            window.show(picture)

    with clip_writer(f"{out}.mp4", clip.fps) as add, noting_signals(signal.SIGINT) as interrupted:
        print("Ctrl-C ends it" + (", or any key in the window" if window else ""), flush=True)
        going_on = itertools.takewhile(lambda _: not (interrupted() or window and window.closed), clip.frames)
        return _track(model, clip._replace(frames=going_on), "camera", save, out, csv)


def _track(
    model: PoseEstimator,
    clip: Clip,
    source: Path | str,
    save: Callable[[Frame, np.ndarray], None],
    out: Path,
    csv: bool,
) -> str:
    tracker, reductions = Tracker(), Reductions(model.cfg.max_input_size)
    seen, frames, started = set(), 0, time.perf_counter()
    table = people_table(f"{out}.csv", model.skeleton.keypoints) if csv else nullcontext()
    with _json_lines(f"{out}.jsonl") as write, table as add_to_table:
        for image, result in tqdm(model.stream(clip.frames), unit="frame", disable=None):
            frame, identities = result.source, tracker.update(result.people)
            save(frame, result.draw(image, identities))
            people = [
                {"id": identity} | person
                for identity, person in zip(identities, result.as_dict()["people"], strict=True)
            ]
            if clip.files:
                file = clip.files[frame.number]
                label, row = {"file": file.name}, {"file": file}
            else:
                label = {"seconds": round(frame.seconds, 4)}
                row = {"file": source} | label
            write({"frame": frame.number} | label | {"people": people})
            if csv:
                add_to_table(people=result.people, ids=identities, frame=frame.number, **row)
            seen.update(identities)
            reductions.add(f"frame {frame.number}", result.reduction)
            frames += 1
        reductions.print()
        if not frames:
            raise InputError(f"{source}: no frames in this clip")
    return f"{frames} frames, {len(seen)} people, {frames / (time.perf_counter() - started):.1f} frames/s"


@contextmanager
def _json_lines(path: Path) -> Iterator[Callable[[dict], None]]:
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        yield lambda entry: print(json.dumps(entry, separators=(",", ":")), file=file)
