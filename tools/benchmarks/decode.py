"""From maps to people, by stage."""

import argparse
from collections.abc import Callable, Sequence

import numpy as np

from config import make_config
from dataset.model_spec import REACH
from dataset.skeleton import NECKHEAD, Skeleton
from dataset.toy import make_scenes
from lib.multicut_cython import solve_multicut
from lib.nms_cython import nms_parts
from multiperson import detections, predict
from multiperson.detections import extract_detections, flatten
from multiperson.pairwise_training import make_scene, train_pairs
from multiperson.predict import SpatialModel
from multiperson.simulate import NOISE_LEVELS, simulate_maps
from tools.benchmarks.measure import run_times
from tools.benchmarks.tables import Table

DECODE_SIZES = 50, 200, 600
STRIDE = 8  # pixels per cell, as without a feature pyramid
TILE = 160, 240  # pixels, for two people
STAGES = "NMS", "detections", "graph", "solver", "people", "maps to people"


def add(commands) -> None:
    command = commands.add_parser("decode", help="from maps to people, by stage")
    command.add_argument("--detections", type=int, nargs="+", default=DECODE_SIZES, help="at least (50 200 600)")
    command.add_argument("--repeat", type=int, default=31, help="runs of each stage (31)")
    command.set_defaults(function=decode)


def decode(args: argparse.Namespace) -> list[Table]:
    rows = [[stage] for stage in STAGES]
    header = ["milliseconds"]
    for number in args.detections:
        cfg, model, maps = crowd_maps(number)
        counts, stages = decode_stages(cfg, model, maps)
        header.append(f"{counts[0]} detections, {counts[1]} edges, {counts[2]} people")
        for row, stage in zip(rows, stages, strict=True):
            low, median, high = 1000 * np.percentile(run_times(stage, args.repeat), [25, 50, 75])
            row.append(f"{median:.3f} ({low:.3f}-{high:.3f})")
    title = "Medians (and quartiles), one thread; 'detections' includes the NMS, 'maps to people' everything"
    return [Table(title, header, rows)]


def decode_stages(cfg, model, maps) -> tuple[tuple[int, int, int], list[Callable]]:
    """Numbers of detections, edges and people, and the stages from maps to people as functions to call."""
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


def crowd_maps(number: int):
    """Configuration, learnt spatial model and dense maps of a simulated crowd with at least `number` detections.

    Pairs of people stand in tiles, four to a row. Up to about 200 detections fit into 640x480 pixels.
    """
    cfg = make_config(sparse_graph="skeleton")
    noise = NOISE_LEVELS["low"]
    people = np.zeros((0, NECKHEAD.num_joints, 3))
    for tile, scene in enumerate(make_scenes(0, (2, 2), TILE)):
        row, column = divmod(tile, 4)
        pair = np.zeros((len(scene.joints), NECKHEAD.num_joints, 3))
        pair[:, NECKHEAD.to_aic, :2] = scene.joints + np.multiply(TILE, (column, row))
        pair[:, NECKHEAD.to_aic, 2] = scene.flags < 3
        people = np.concatenate([people, pair])
        width, height = 4 * TILE[0], max(2, row + 1) * TILE[1]
        maps = simulate_maps(people, height, width, STRIDE, noise)
        if sum(map(len, extract_detections(cfg, maps).conf)) >= number:
            break
    cells = np.argwhere(np.ones(maps.part_prob.shape[:2], bool))
    pairwise = maps.pairwise(cells).astype(np.float32).reshape(*maps.part_prob.shape[:2], -1, 2)
    return cfg, learnt_model(cfg, NECKHEAD, [(people, height, width)], noise), maps._replace(pairwise=pairwise)


def learnt_model(cfg, skeleton: Skeleton, images: Sequence[tuple[np.ndarray, int, int]], noise):
    """A spatial model learnt from simulated maps of images (people, height, width)."""
    scenes = []
    for number, (people, height, width) in enumerate(images):
        maps = simulate_maps(people, height, width, STRIDE, noise, seed=number)
        scenes.append(make_scene(flatten(extract_detections(cfg, maps)), people, cfg.pos_dist_thresh))
    model = SpatialModel(cfg, skeleton)
    model.use(train_pairs(scenes, model.pairs, skeleton.num_joints, REACH)[0], REACH)
    return model
