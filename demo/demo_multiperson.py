"""Find people in pictures and videos and draw them.

    python demo/demo_multiperson.py                                  two photographs that come with it
    python demo/demo_multiperson.py photo.jpg holiday/ --out_dir out --show
    python demo/demo_multiperson.py photo.jpg --cfg models/aic/test/pose_cfg.yaml det_min_score=0.4
    python demo/demo_multiperson.py clip.mp4 dance.gif               people keep number and colour
    python demo/demo_multiperson.py frames/ --track                  so they do in a folder of numbered frames
    python demo/demo_multiperson.py --camera 0 --show                and before a camera, until a key or Ctrl-C

writes <name>_people.jpg (small pictures larger) and <name>_people.json for each picture and prints a table: how many
people, their scores, and how long the network and the grouping of parts into people took. Of videos, animated GIFs
and, with --track, folders it writes the video (GIF, folder) <name>_people and <name>_people.jsonl, a line for each
frame. With --csv also people.csv of all pictures and <name>_people.csv of each clip: a line for each person and frame,
with the columns
    file, frame, seconds, person, score, <joint>_x, <joint>_y, <joint>_confidence, ...
frame and seconds are empty for pictures, as are the three cells of a joint that a person lacks.
"""

try:
    from util.cli import run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from config import load_config
from demo.clips import run_camera, run_frames, run_video
from demo.options import demo_parser
from multiperson.estimator import PoseEstimator
from multiperson.load import build_estimator
from multiperson.table import people_table
from util.errors import InputError, each_good
from util.files import unused_name, write_json
from util.images import find_images, sample_photographs, write_image
from util.report import Reductions
from util.video import by_number, is_clip, read_camera, require_reader


def main(argv: list[str] | None = None) -> None:
    arguments = demo_parser(__doc__, files="IMAGE, VIDEO or FOLDER")
    arguments.add_argument("--track", action="store_true", help="each folder holds the numbered frames of a clip")
    arguments.add_argument("--camera", type=int, metavar="N", help="film with camera N (0: the first) until Ctrl-C")
    arguments.add_argument("--csv", action="store_true", help="write tables of the people, too")
    options = arguments.parse_args(argv)
    if options.camera is None:
        draw_files(options)
    elif options.files:
        raise InputError("either --camera or files")
    else:
        draw_camera(options)
    print(f"written to {options.out_dir}")


def draw_camera(options: argparse.Namespace) -> None:
    """Draw the people before a camera."""
    cfg = load_config(options.cfg, options.overrides)
    camera = read_camera(options.camera)  # before the network is loaded, to report its faults at once
    print(run_camera(build_estimator(cfg), camera, options.out_dir / "camera_people", options.show, options.csv))


def draw_files(options: argparse.Namespace) -> None:
    """Draw the people in files and folders, or in the photographs of scikit-image."""
    sources = find_sources(options.files or sample_photographs(), options.track)
    cfg = load_config(options.cfg, options.overrides)
    model = build_estimator(cfg, num_images=sources.num_images)
    if sources.pictures:
        run_demo(model, sources.pictures, options.out_dir, options.show, options.csv)
    run_clips(model, sources, options.out_dir, options.csv)


class Sources(NamedTuple):
    """The inputs: image files, the frames of each folder of numbered frames, videos and animated GIFs."""

    pictures: list[Path]
    frames: dict[Path, list[Path]]
    videos: list[Path]

    @property
    def num_images(self) -> int | None:
        """The number of images; None with videos, for which it is unknown."""
        return None if self.videos else sum(map(len, [self.pictures, *self.frames.values()]))


def find_sources(names: Sequence[str | Path], track: bool) -> Sources:
    """Files and folders by kind; track: folders hold frames. Raises InputError for missing ones."""
    paths = [Path(name) for name in names]
    folders = [path for path in paths if track and path.is_dir()]
    videos = [path for path in paths if is_clip(path)]
    pictures = find_images([path for path in paths if path not in folders + videos])
    frames = {folder: sorted(find_images([folder]), key=by_number) for folder in folders}
    for video in find_images(videos):
        require_reader(video)
    return Sources(pictures, frames, videos)


def run_clips(model: PoseEstimator, sources: Sources, out_dir: Path, csv: bool = False) -> None:
    """Draw the people in videos and folders of frames, each in a colour of their own.

    Raises InputError if not all can be read, after the others.
    """
    taken = set()

    def run_clip(path):
        out = out_dir / f"{unused_name(path.absolute().stem, taken)}_people"
        if path in sources.frames:
            return run_frames(model, path, sources.frames[path], out, csv)
        return run_video(model, path, out, csv)

    paths = [*sources.frames, *sources.videos]
    done = 0
    for number, line in each_good(paths, run_clip, "clips"):
        print(f"{paths[number].name}: {line}", flush=True)
        done += 1
    if done < len(paths):
        raise InputError(f"{len(paths) - done} of {len(paths)} clips could not be read, or not to the end")


def run_demo(model: PoseEstimator, paths: list[Path], out_dir: Path, show: bool, csv: bool = False) -> None:
    """Draw the people in each picture. Raises InputError if none can be read."""
    width = max(len(path.name) for path in paths)
    print(f"{'picture':{width}}  people  network  grouping  scores")
    taken, reductions = set(), Reductions(model.cfg.max_input_size)
    table = people_table(out_dir / "people.csv", model.skeleton.keypoints) if csv else nullcontext()
    with table as add_to_table:
        for image, result in model.stream(paths):
            path = result.source
            name = unused_name(path.stem, taken) + "_people"
            picture = result.draw(image)
            write_image(out_dir / f"{name}.jpg", picture)
            write_json(out_dir / f"{name}.json", result.as_dict())
            if csv:
                add_to_table(path, result.people)
            scores = " ".join(f"{score:.2f}" for score in result.people.score)
            print(
                f"{path.name:{width}}  {len(result.people.score):6}  {result.network_seconds:5.2f} s  "
                f"{1000 * result.grouping_seconds:5.1f} ms  {scores}",
                flush=True,
            )
            reductions.add(path.name, result.reduction)
            if show:
                from util.visualize import show as show_picture  # matplotlib takes a second

                show_picture(picture)
    reductions.print()


if __name__ == "__main__":
    run(main, frozen_weights=True)
