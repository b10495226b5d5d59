"""Find people in pictures and draw them.

    python demo/demo_multiperson.py                                  the picture that comes with it
    python demo/demo_multiperson.py photo.jpg holiday/ --out_dir out --show
    python demo/demo_multiperson.py photo.jpg --cfg models/aic/test/pose_cfg.yaml

writes <name>_people.png and <name>_people.json for each picture and prints a table: how many people, their scores,
and how long the network and the grouping of parts into people took.
"""

from pathlib import Path

from config import load_config
from util.cli import parser, run

HERE = Path(__file__).parent
DEFAULT_IMAGE = HERE / "image_multi.jpg"


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("images", nargs="*", metavar="IMAGE or FOLDER", default=[DEFAULT_IMAGE])
    arguments.add_argument("--cfg", default=HERE / "pose_cfg_multi.yaml", help="model (default: that of the demo)")
    arguments.add_argument("--set", nargs="+", default=[], metavar="key=value", dest="overrides",
                           help="keys of the configuration (config.py), such as det_min_score=0.4")  # fmt: skip
    arguments.add_argument("--out_dir", type=Path, default=Path("out"), help="folder to write to (default: out)")
    arguments.add_argument("--show", action="store_true", help="show each picture in a window")
    options = arguments.parse_args(argv)

    from util.images import find_images

    paths = find_images(options.images)
    cfg = load_config(options.cfg, options.overrides)

    from demo.model import build_estimator

    run_demo(build_estimator(cfg), paths, options.out_dir, options.show)


def run_demo(estimator, paths: list[Path], out_dir: Path, show: bool) -> None:
    """Draw the people of each picture. Raises InputError when not one can be read."""
    from dataset.skeleton import from_config
    from multiperson.visualize import PersonDraw
    from util.files import unused_name, write_json
    from util.images import readable_images
    from util.visualize import save_figure
    from util.visualize import show as show_figure

    drawer = PersonDraw(from_config(estimator.cfg).limbs)
    width = max(len(path.name) for path in paths)
    print(f"{'picture':{width}}  people  network  grouping  scores")
    taken = set()
    for number, image in readable_images(paths):
        path, result = paths[number], estimator(image)
        name = unused_name(path.stem, taken) + "_people"
        figure = drawer.figure(image, result.people)
        save_figure(out_dir / f"{name}.png", figure)
        write_json(out_dir / f"{name}.json", result.as_dict())
        scores = " ".join(f"{score:.2f}" for score in result.people.score)
        print(f"{path.name:{width}}  {len(result.people.score):6}  {result.network_seconds:5.2f} s  "
              f"{1000 * result.grouping_seconds:5.1f} ms  {scores}", flush=True)  # fmt: skip
        if show:
            show_figure(figure)
    print(f"written to {out_dir}")


if __name__ == "__main__":
    run(main)
