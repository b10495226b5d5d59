"""COCO's AP and AR of keypoint results, with the OKS sigmas of the annotations' skeleton.

    python tools/eval_mscoco.py --submit coco_results.json --ref annotations/person_keypoints_val2017.json
    python tools/eval_mscoco.py --submit coco_results.json --ref coco_art_neckhead_annotations.json --subset
    python tools/eval_mscoco.py --submit coco_results.json --ref person_keypoints_val2017.json --joints 5 16

Works with COCO's 17 keypoints, with converted AI Challenger data and with skeletons of one's own. The last command
scores a network for neckhead data by the joints it shares with COCO, shoulders to ankles.
"""

from util.cli import parser, run

from pathlib import Path

import numpy as np

from util.errors import InputError
from util.faults import Faults
from util.report import table


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--submit", required=True, type=Path, help="results")
    args_parser.add_argument("--ref", required=True, type=Path, help="annotations")
    args_parser.add_argument("--subset", action="store_true", help="leave out images without any result")
    args_parser.add_argument("--joints", type=int, nargs=2, metavar=("FIRST", "LAST"), help="only these joints count")
    args = args_parser.parse_args(argv)

    from dataset.skeleton import from_category
    from util.mscoco_util import evaluate, only_joints, read_coco, read_results

    notes = Faults()
    coco = read_coco(args.ref, notes)
    skeleton = from_category(next(iter(coco.categories.values())), str(args.ref))
    results = read_results(args.submit, coco, notes)
    sigmas = np.array(skeleton.sigmas)
    if args.joints:
        joints = range(args.joints[0], args.joints[1] + 1)
        if not joints or joints[0] < 0 or joints[-1] >= len(sigmas):
            raise InputError(f"--joints: {args.ref} has joints 0 to {len(sigmas) - 1}")
        coco.annotations, results = only_joints(coco.annotations, joints), only_joints(results, joints)
        sigmas = sigmas[list(joints)]
    metrics = evaluate(coco, results, sigmas, args.subset)
    notes.warn(args.submit)
    predicted = len({entry["image_id"] for entry in results})
    people = sum(entry["num_keypoints"] > 0 and not entry["iscrowd"] for entry in coco.annotations)
    only = ", the only ones that count" if args.subset else ""
    print(f"skeleton {skeleton.name}: {people} people in {len(coco.images)} images")
    print(f"{len(results)} results in {predicted} images{only}\n")
    rows = [[name, f"{value:.4f}" if value >= 0 else "nobody"] for name, value in metrics.items()]
    print(table(["metric", "value"], rows))


if __name__ == "__main__":
    run(main)
