"""COCO's AP and AR of keypoint results, with the OKS sigmas of the annotations' skeleton.

    python tools/eval_mscoco.py --submit coco_results.json --ref annotations/person_keypoints_val2017.json
    python tools/eval_mscoco.py --submit coco_results.json --ref coco_art_neckhead_annotations.json --subset

Works with COCO's 17 keypoints, with converted AI Challenger data and with skeletons of one's own.
"""

from pathlib import Path

from util.cli import parser, run
from util.report import print_notes, table


def main(argv=None):
    args_parser = parser(__doc__)
    args_parser.add_argument("--submit", required=True, type=Path, help="results")
    args_parser.add_argument("--ref", required=True, type=Path, help="annotations")
    args_parser.add_argument("--subset", action="store_true", help="leave out images without any result")
    args = args_parser.parse_args(argv)

    from dataset.pose_dataset import Skipped
    from dataset.skeleton import from_category
    from util.mscoco_util import evaluate, read_coco, read_results

    notes = Skipped()
    coco = read_coco(args.ref, notes)
    skeleton = from_category(next(iter(coco.categories.values())), str(args.ref))
    results = read_results(args.submit, coco, notes)
    metrics = evaluate(coco, results, skeleton.sigmas, args.subset)
    print_notes(notes)
    predicted = len({entry["image_id"] for entry in results})
    people = sum(entry["num_keypoints"] > 0 and not entry["iscrowd"] for entry in coco.annotations)
    only = ", the only ones that count" if args.subset else ""
    print(f"skeleton {skeleton.name}: {people} people in {len(coco.images)} images")
    print(f"{len(results)} results in {predicted} images{only}\n")
    rows = [[name, f"{value:.4f}" if value >= 0 else "nobody"] for name, value in metrics.items()]
    print(table(["metric", "value"], rows))


if __name__ == "__main__":
    run(main)
