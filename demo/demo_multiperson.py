"""Find people in pictures and videos and draw them.

    python demo/demo_multiperson.py                                  the picture that comes with it
    python demo/demo_multiperson.py photo.jpg holiday/ --out_dir out --show
    python demo/demo_multiperson.py photo.jpg --cfg models/aic/test/pose_cfg.yaml det_min_score=0.4
    python demo/demo_multiperson.py clip.mp4 dance.gif               people keep number and colour
    python demo/demo_multiperson.py frames/ --track                  so they do in a folder of numbered frames

writes <name>_people.png and <name>_people.json for each picture and prints a table: how many people, their scores,
and how long the network and the grouping of parts into people took. Of videos, animated GIFs and, with --track,
folders it writes the video (GIF, folder) <name>_people and <name>_people.jsonl, a line for each frame.
"""

try:
    from util.cli import config_parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

from config import load_config

HERE = Path(__file__).parent
DEFAULT_IMAGE = HERE / "image_multi.jpg"


def main(argv: list[str] | None = None) -> None:
    arguments = config_parser(__doc__, HERE / "pose_cfg_multi.yaml", files="IMAGE, VIDEO or FOLDER")
    arguments.add_argument("--set", nargs="+", default=[], metavar="key=value", help="the same as without --set")
    arguments.add_argument("--track", action="store_true", help="each folder holds the numbered frames of a clip")
    arguments.add_argument("--out_dir", type=Path, default=Path("out"), help="folder to write to (default: out)")
    arguments.add_argument("--show", action="store_true", help="show each picture in a window")
    options = arguments.parse_args(argv)

    from util.images import find_images
    from util.video import is_clip, require_reader

    sources = [Path(path) for path in (options.files or [DEFAULT_IMAGE])]
    folders = [path for path in sources if options.track and path.is_dir()]
    videos = [path for path in sources if is_clip(path)]
    pictures = [path for path in sources if path not in folders + videos]
    paths = find_images(pictures)
    find_images(folders + videos)
    for video in videos:
        require_reader(video)
    cfg = load_config(options.cfg, options.overrides + options.set)

    from nnet.load import build_estimator

    estimator = build_estimator(cfg)
    if paths:
        run_demo(estimator, paths, options.out_dir, options.show)
    if folders or videos:
        run_clips(estimator, folders, videos, options.out_dir)
    print(f"written to {options.out_dir}")


def run_clips(estimator, folders: list[Path], videos: list[Path], out_dir: Path) -> None:
    """Draw the people of videos and folders of frames, each in a colour of their own. Raises InputError."""
    from demo.clips import run_frames, run_video
    from util.files import unused_name

    taken = set()
    for run_clip, paths in ((run_frames, folders), (run_video, videos)):
        for path in paths:
            name = unused_name(path.absolute().stem, taken)
            print(f"{path.name}: {run_clip(estimator, path, out_dir, name)}", flush=True)


def run_demo(estimator, paths: list[Path], out_dir: Path, show: bool) -> None:
    """Draw the people of each picture. Raises InputError when not one can be read."""
    from multiperson.estimator import estimate_ahead
    from multiperson.visualize import PersonDraw
    from util.files import unused_name, write_json
    from util.images import readable_images, write_image
    from util.report import Reductions

    drawer = PersonDraw(estimator.skeleton.limbs)
    width = max(len(path.name) for path in paths)
    print(f"{'picture':{width}}  people  network  grouping  scores")
    taken, reductions = set(), Reductions(estimator.cfg.max_input_size)
    for number, image, result in estimate_ahead(estimator, readable_images(paths)):
        path = paths[number]
        name = unused_name(path.stem, taken) + "_people"
        picture = drawer.draw(image, result.people)
        write_image(out_dir / f"{name}.png", picture)
        write_json(out_dir / f"{name}.json", result.as_dict())
        scores = " ".join(f"{score:.2f}" for score in result.people.score)
        print(f"{path.name:{width}}  {len(result.people.score):6}  {result.network_seconds:5.2f} s  "
              f"{1000 * result.grouping_seconds:5.1f} ms  {scores}", flush=True)  # fmt: skip
        reductions.add(path.name, result.reduction)
        if show:
            from util.visualize import show as show_picture

            show_picture(picture)
    reductions.print()


if __name__ == "__main__":
    run(main)
