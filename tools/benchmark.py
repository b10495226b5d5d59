"""Measure how fast the parts of the system are on this machine.

    python tools/benchmark.py convert --images 20000
    python tools/benchmark.py evaluate --images 1000 30000
    python tools/benchmark.py decode
    python tools/benchmark.py grouping --ref annotations.json
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from easydict import EasyDict

from config import make_config
from util.cli import parser, run
from util.report import table


def best_time(function: Callable, repeat: int) -> float:
    """Seconds that the fastest of some runs took: the others were disturbed."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory() -> float:
    """MiB that this process has held at most."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


# AI Challenger data made by program: people of random size and pose, as many per image as there.


def made_up_annotations(num_images: int, seed: int = 0) -> list[dict]:
    """AIC records with 1.8 people an image, about a third of their joints hidden or not labelled."""
    rng = np.random.default_rng(seed)
    records = []
    for number, count in enumerate(1 + rng.poisson(0.8, num_images)):
        people, boxes = {}, {}
        for i in range(count):
            x, y, width, height = rng.integers([0, 0, 40, 80], [400, 300, 300, 500])
            joints = np.stack([rng.integers(x, x + width, 14), rng.integers(y, y + height, 14),
                               rng.choice([1, 2, 3], 14, p=[0.63, 0.22, 0.15])], axis=1)  # fmt: skip
            joints[joints[:, 2] == 3, :2] = 0
            people[f"human{i + 1}"] = joints.ravel().tolist()
            boxes[f"human{i + 1}"] = [int(x), int(y), int(x + width), int(y + height)]
        records.append({"url": f"http://example.org/{number}.jpg", "image_id": f"{number:040x}",
                        "keypoint_annotations": people, "human_annotations": boxes})  # fmt: skip
    return records


def made_up_submission(annotations: Sequence[dict], seed: int = 0) -> list[dict]:
    """The annotated people, each joint some pixels off, as decimals."""
    rng = np.random.default_rng(seed)
    submission = []
    for record in annotations:
        people = {}
        for name, values in record["keypoint_annotations"].items():
            joints = np.array(values, float).reshape(14, 3)
            joints[:, :2] = np.round(joints[:, :2] + rng.normal(scale=4, size=(14, 2)), 2)
            people[name] = joints.ravel().tolist()
        submission.append({"image_id": record["image_id"], "keypoint_annotations": people})
    return submission


# convert: AIC annotations to COCO's format


def add_convert(commands) -> None:
    command = commands.add_parser("convert", help="AIC annotations to COCO's format")
    command.add_argument("--images", type=int, nargs="+", default=[20000], help="number of images (20000)")
    command.set_defaults(function=convert)


def convert(args: argparse.Namespace) -> None:
    from tools.ai2coco_art_neckhead_json import convert as convert_file

    rows = []
    for number in args.images:
        with tempfile.TemporaryDirectory() as folder:
            path, images = Path(folder, "annotations.json"), Path(folder, "images")
            records = made_up_annotations(number)
            path.write_text(json.dumps(records))
            _write_photos(images, [record["image_id"] for record in records])
            del records
            seconds = best_time(lambda: convert_file(path, images, path.with_name("out.json")), 1)  # noqa: B023
            size = path.stat().st_size / 2**20
            rows.append([number, size, seconds, round(number / seconds), peak_memory()])
    print(f"AIC annotations to COCO's format, {os.cpu_count()} cores")
    print(table(["images", "MiB of JSON", "seconds", "images/s", "peak MiB"], rows))


def _write_photos(folder: Path, image_ids: Sequence[str]) -> None:
    """A JPEG file of its own name for each image; 32 different ones, the others are links to them."""
    from PIL import Image

    rng = np.random.default_rng(0)
    folder.mkdir()
    for number, image_id in enumerate(image_ids):
        path = folder / f"{image_id}.jpg"
        if number < 32:
            height, width = rng.integers(300, 900, 2)
            Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8)).save(path)
        else:
            os.link(folder / f"{image_ids[number % 32]}.jpg", path)


# evaluate: the official AIC score


def add_evaluate(commands) -> None:
    command = commands.add_parser("evaluate", help="the official AI Challenger score")
    command.add_argument("--images", type=int, nargs="+", default=[1000, 30000], help="number of images (1000 30000)")
    command.set_defaults(function=evaluate)


def evaluate(args: argparse.Namespace) -> None:
    from dataset import aic

    rows = []
    for number in args.images:
        reference = json.dumps(made_up_annotations(number))
        submission = json.dumps(made_up_submission(json.loads(reference)))
        reading = best_time(lambda: (json.loads(reference), json.loads(submission)), 2)  # noqa: B023
        reference, submission = json.loads(reference), json.loads(submission)
        scoring = best_time(lambda: aic.score(submission, reference), 5)  # noqa: B023
        people = sum(len(record["keypoint_annotations"]) for record in reference)
        rows.append([number, people, reading, scoring])
    print("AI Challenger score, one thread")
    print(table(["images", "people", "reading JSON, s", "scoring, s"], rows))


# decode: from maps to people


DECODE_SIZES = 50, 200, 600
TILE = 160, 240  # pixels, for two people
STAGES = "NMS", "detections", "graph", "solver", "people", "maps to people"


def add_decode(commands) -> None:
    command = commands.add_parser("decode", help="from maps to people, by stage")
    command.add_argument("--detections", type=int, nargs="+", default=DECODE_SIZES, help="at least (50 200 600)")
    command.add_argument("--repeat", type=int, default=31, help="runs of each stage (31)")
    command.set_defaults(function=decode)


def decode(args: argparse.Namespace) -> None:
    rows = [[stage] for stage in STAGES]
    header = ["milliseconds"]
    for number in args.detections:
        cfg, model, maps = crowd_maps(number)
        counts, stages = decode_stages(cfg, model, maps)
        header.append(f"{counts[0]} detections, {counts[1]} edges, {counts[2]} people")
        for row, stage in zip(rows, stages, strict=True):
            low, median, high = 1000 * np.percentile(run_times(stage, args.repeat), [25, 50, 75])
            row.append(f"{median:.3f} ({low:.3f}-{high:.3f})")
    print("medians (and quartiles), one thread; 'detections' includes the NMS, 'maps to people' everything")
    print(table(header, rows))


def decode_stages(cfg, model, maps) -> tuple[tuple[int, int, int], list[Callable]]:
    """Numbers of detections, edges and people, and the stages of the way from maps to people, each to be called."""
    from lib.multicut_cython import solve_multicut
    from lib.nms_cython import nms_parts
    from multiperson import detections, predict

    found = detections.extract_detections(cfg, maps)
    graph = predict.eval_graph(model, found)
    labels = solve_multicut(graph.unary, graph.edges, graph.cost)
    people = predict.predict_people(model, cfg, maps)
    return (len(graph.unary), len(graph.edges), len(people.score)), [
        lambda: nms_parts(maps.part_prob, cfg.nms_radius, cfg.det_min_score),
        lambda: detections.extract_detections(cfg, maps),
        lambda: predict.eval_graph(model, found),
        lambda: solve_multicut(graph.unary, graph.edges, graph.cost),
        lambda: predict.get_person_conf_multicut(model, graph, predict.drop_strays(model, graph, labels)),
        lambda: predict.predict_people(model, cfg, maps),
    ]


def run_times(function: Callable, repeat: int) -> list[float]:
    """Seconds of each of some runs, after one to warm up."""
    function()
    return [best_time(function, 1) for _ in range(repeat)]


def crowd_maps(number: int):
    """Configuration, learnt spatial model and dense maps of a drawn crowd with at least `number` detections.

    Pairs of people stand in tiles, four to a row. Up to about 200 detections fit into 640x480 pixels.
    """
    from dataset.skeleton import NECKHEAD
    from multiperson.detections import extract_detections
    from multiperson.simulate import NOISE_LEVELS, simulate_maps
    from tools.make_toy_dataset import make_scenes

    cfg = make_config(num_joints=NECKHEAD.num_joints, sparse_graph=list(NECKHEAD.sparse_graph))
    noise = NOISE_LEVELS["low"]
    people = np.zeros((0, cfg.num_joints, 3))
    for tile, scene in enumerate(make_scenes(0, (2, 2), TILE)):
        row, column = divmod(tile, 4)
        pair = np.zeros((len(scene.joints), cfg.num_joints, 3))
        pair[:, NECKHEAD.to_aic, :2] = scene.joints + np.multiply(TILE, (column, row))
        pair[:, NECKHEAD.to_aic, 2] = scene.flags < 3
        people = np.concatenate([people, pair])
        width, height = 4 * TILE[0], max(2, row + 1) * TILE[1]
        maps = simulate_maps(people, height, width, noise)
        if sum(map(len, extract_detections(cfg, maps).conf)) >= number:
            break
    cells = np.argwhere(np.ones(maps.part_prob.shape[:2], bool))
    pairwise = maps.pairwise(cells).astype(np.float32).reshape(*maps.part_prob.shape[:2], -1, 2)
    return cfg, learnt_model(cfg, [(people, height, width)], noise), maps._replace(pairwise=pairwise)


def learnt_model(cfg, images: Sequence[tuple[np.ndarray, int, int]], noise):
    """A spatial model learnt from simulated maps of images (people, height, width)."""
    from multiperson.detections import extract_detections, flatten
    from multiperson.pairwise_training import make_scene, train_pairs
    from multiperson.predict import SpatialModel
    from multiperson.simulate import simulate_maps

    scenes = []
    for number, (people, height, width) in enumerate(images):
        maps = simulate_maps(people, height, width, noise, seed=number)
        scenes.append(make_scene(flatten(extract_detections(cfg, maps)), people, cfg.pos_dist_thresh))
    model = SpatialModel(cfg)
    for pair, learnt in train_pairs(scenes, model.pairs, cfg.num_joints)[0].items():
        model.weights[pair] = learnt.linear()
    return model


# grouping: how well simulated detections of real people are put together


LEARNING_IMAGES = 100
THRESHOLD_OF_MISSES = 0.95  # the strictest of the official thresholds
TEST_SEED = 1_000_000  # the models are learnt with other noise than they are tested with


def add_grouping(commands) -> None:
    command = commands.add_parser("grouping", help="official score of people found in simulated maps of real poses")
    command.add_argument("--ref", type=Path, required=True, help="AI Challenger annotations")
    command.add_argument("--images", type=int, help="use the first of them only")
    command.add_argument("--pictures", type=Path, metavar="FOLDER",
                         help="draw what is missed in perfect maps: true people left, those found right")  # fmt: skip
    command.set_defaults(function=grouping)


def grouping(args: argparse.Namespace) -> None:
    from dataset import aic
    from dataset.skeleton import AIC
    from multiperson.simulate import NOISE_LEVELS
    from util.files import read_json

    records = read_json(args.ref)[: args.images]
    images = [simulated_image(record) for record in aic.AnnotationFile(args.ref)][: args.images]
    cfg = make_config(num_joints=AIC.num_joints, sparse_graph=list(AIC.sparse_graph))
    rows = []
    for level, noise in NOISE_LEVELS.items():
        for method, submission, seconds in submissions(cfg, images, noise):
            result = aic.score(submission, records)
            found = sum(len(record["keypoint_annotations"]) for record in submission)
            rows.append([level, method, result.score, found, 1000 * seconds / len(images)])
            if args.pictures and level == "none" and method == "multicut":
                draw_misses(args.pictures, images, records, submission)
    true = sum(len(image[1]) for image in images)
    print(f"{len(images)} images, {true} people; models learnt from the first {LEARNING_IMAGES} with other noise")
    print(table(["noise", "grouping", "score", "people found", "ms per image"], rows))


def draw_misses(folder: Path, images: Sequence, records: Sequence[dict], submission: Sequence[dict]) -> None:
    """A picture of each image whose people are not all found with an OKS above .95."""
    from dataset import aic
    from dataset.skeleton import AIC
    from multiperson.predict import People
    from multiperson.visualize import PersonDraw
    from util.visualize import save_figure

    drawer = PersonDraw(AIC.limbs)
    for (image_id, true, height, width), record, answer in zip(images, records, submission, strict=True):
        if (aic.score([answer], [record]).best > THRESHOLD_OF_MISSES).all():
            continue
        found = np.array(list(answer["keypoint_annotations"].values()), float).reshape(-1, AIC.num_joints, 3)
        found[..., 0] += width
        people = np.concatenate([true, np.where(found[..., 2:] == aic.VISIBLE, found, 0)])
        canvas = np.full((height, 2 * width, 3), 255, np.uint8)
        save_figure(folder / f"{image_id}.png", drawer.figure(canvas, People(people, np.ones(len(people)))))


def simulated_image(record) -> tuple[str, np.ndarray, int, int]:
    """image_id, people (P, 14, 3) with flag 0 where not labelled, height and width that hold all of them."""
    people = np.array([person.keypoints for person in record.people], float).reshape(-1, 14, 3)
    people[people[..., 2] == 3] = 0
    boxes = np.array([person.box for person in record.people], float).reshape(-1, 4)
    width, height = np.maximum(people[..., :2].max(axis=(0, 1)), boxes[:, 2:].max(axis=0)).astype(int) + 17
    return record.image_id, people, height, width


def submissions(cfg, images: Sequence, noise) -> list[tuple[str, list[dict], float]]:
    """(method, its AIC submission, seconds from maps to people) for each way of grouping."""
    from tqdm import tqdm

    from dataset.aic import people_to_aic
    from dataset.skeleton import AIC
    from multiperson.predict import predict_people
    from multiperson.simulate import simulate_maps

    filled = EasyDict(cfg, fill_missing_joints=True)
    all_pairs = EasyDict(cfg, sparse_graph=[])
    learning = [image[1:] for image in images[:LEARNING_IMAGES]]
    model, model_of_all = learnt_model(cfg, learning, noise), learnt_model(all_pairs, learning, noise)
    methods = {
        "multicut": lambda maps: predict_people(model, cfg, maps),
        "multicut, edges between all parts": lambda maps: predict_people(model_of_all, all_pairs, maps),
        "multicut, missing joints filled": lambda maps: predict_people(model, filled, maps),
        "greedy": lambda maps: greedy_people(model, cfg, maps),
    }
    results = {name: [] for name in methods}
    seconds = dict.fromkeys(methods, 0.0)
    for number, (image_id, people, height, width) in enumerate(tqdm(images, unit="image", disable=None)):
        maps = simulate_maps(people, height, width, noise, seed=TEST_SEED + number)
        for name, method in methods.items():
            start = time.perf_counter()
            found = method(maps)
            seconds[name] += time.perf_counter() - start
            results[name].append(people_to_aic(image_id, found.keypoints, found.score, AIC))
    return [(name, results[name], seconds[name]) for name in methods]


def greedy_people(model, cfg, maps):
    """The plain way: the surest pair of parts first, as long as no person gets a part twice."""
    from multiperson.detections import extract_detections
    from multiperson.predict import People, eval_graph, get_person_conf_multicut

    graph = eval_graph(model, extract_detections(cfg, maps))
    a, b = graph.part[graph.edges].T
    useful = np.flatnonzero((graph.cost < 0) & (a != b))
    cluster = np.arange(len(graph.part))
    parts = [{int(part)} for part in graph.part]
    for edge in useful[np.argsort(graph.cost[useful], kind="stable")]:
        first, second = cluster[graph.edges[edge]]
        if first != second and not parts[first] & parts[second]:
            parts[first] |= parts[second]
            cluster[cluster == second] = first
    people = get_person_conf_multicut(model, graph, np.unique(cluster, return_inverse=True)[1])
    kept = np.count_nonzero(people.keypoints[..., 2], axis=1) >= cfg.min_keypoints
    return People(people.keypoints[kept], people.score[kept])


def main(argv=None):
    args_parser = parser(__doc__)
    commands = args_parser.add_subparsers(title="what to measure", required=True)
    for add in (add_convert, add_evaluate, add_decode, add_grouping):
        add(commands)
    args = args_parser.parse_args(argv)
    args.function(args)


if __name__ == "__main__":
    run(main)
