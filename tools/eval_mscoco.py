"""COCO's AP and AR of keypoint results, with the OKS sigmas of the annotations' skeleton.

    python tools/eval_mscoco.py --submit coco_results.json --ref annotations/person_keypoints_val2017.json
    python tools/eval_mscoco.py --submit coco_results.json --ref coco_art_neckhead_annotations.json --subset
    python tools/eval_mscoco.py --submit coco_results.json --ref person_keypoints_val2017.json --joints 5 16
    python tools/eval_mscoco.py --submit coco_results.json --ref person_keypoints_val2017.json --skeleton aic

Works with COCO's 17 keypoints, with converted AI Challenger data and with skeletons of one's own. The last two commands
score networks for neckhead data and for AI Challenger's 14 joints by the joints they share with COCO, shoulders to
ankles. If annotations have several categories, the values are means over them, as in pycocotools; results that all name
one category, like those of a network, which does not tell categories apart, are compared with the people of all
categories.
"""

try:
    from util.cli import parser, run
except ModuleNotFoundError:
    raise SystemExit(f"{__file__}: run ./compile.sh first, and then this with .venv/bin/python") from None

from pathlib import Path

import numpy as np

from config import NAMED_SKELETONS
from dataset.coco import read_coco
from dataset.coco_results import read_results
from dataset.coco_score import known, score
from dataset.skeleton import SKELETONS
from util.errors import InputError
from util.faults import Faults
from util.report import table


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--submit", required=True, type=Path, help="results")
    args_parser.add_argument("--ref", required=True, type=Path, help="annotations")
    args_parser.add_argument("--subset", action="store_true", help="leave out images without any result")
    args_parser.add_argument("--joints", type=int, nargs=2, metavar=("FIRST", "LAST"), help="only these joints count")
    args_parser.add_argument("--skeleton", choices=NAMED_SKELETONS, help="joints of the results, if they are others")
    args = args_parser.parse_args(argv)

    faults = Faults()
    coco = read_coco(args.ref, faults)
    faults.warn(args.ref)
    coco.require_people()
    faults = Faults()
    own = SKELETONS[args.skeleton] if args.skeleton else None
    results = read_results(args.submit, coco, faults, own)
    faults.warn(args.submit)
    joints = args.joints and joint_range(args.joints, coco, args.ref)
    if own:
        joints = [joint for joint in own.shared_joints(coco.skeleton) if not joints or joint in joints]
    result = score(results, coco, joints, args.subset)
    annotations = coco.annotations
    people = np.count_nonzero((annotations.keypoints[:, joints or slice(None), 2] > 0).any(axis=1) & ~annotations.crowd)
    print(f"skeleton {coco.skeleton.name}: {people} people in {len(coco.images.ids)} images")
    only = ", the only ones that count" if args.subset else ""
    print(f"{len(results)} results in {len({entry['image_id'] for entry in results})} images{only}")
    if np.isnan(annotations.area).any():
        print(f"{np.count_nonzero(np.isnan(annotations.area))} people without area: that of their box is taken")
    if len(coco.categories) > 1:
        how = "means over those with people" if result.by_category else "all together, since the results name one"
        print(f"{len(coco.categories)} categories: {how}")
    print()
    print(table(["metric", "value"], [[name, known(value)] for name, value in result.metrics.items()]))
    rows = [[coco.categories[category], ap, ar] for category, (ap, ar) in result.by_category.items() if ap >= 0]
    if rows:
        print("\n" + table(["category", "AP", "AR"], rows))


def joint_range(ends: list[int], coco, path: Path) -> range:
    """The joints from the first to the last. Raises InputError for joints that do not exist."""
    joints, count = range(ends[0], ends[1] + 1), coco.skeleton.num_joints
    if not joints or joints[0] < 0 or joints[-1] >= count:
        raise InputError(f"--joints: {path} has joints 0 to {count - 1}")
    return joints


if __name__ == "__main__":
    run(main)
