"""Generated grouping problems: random ones, and ones that resemble detections of people."""

import numpy as np

# A standing person of height 1: head top, neck, shoulders, elbows, wrists, hips, knees, ankles (right, left); x, y.
TEMPLATE = np.array(
    [[0, 0], [0, 0.15], [-0.12, 0.2], [0.12, 0.2], [-0.17, 0.35], [0.17, 0.35], [-0.18, 0.5], [0.18, 0.5]]
    + [[-0.08, 0.5], [0.08, 0.5], [-0.09, 0.73], [0.09, 0.73], [-0.1, 0.97], [0.1, 0.97]]
)
LIMBS = [(0, 1), (1, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 6), (5, 7), (2, 6), (3, 7), (1, 8), (1, 9), (2, 8), (3, 9)]
LIMBS += [(8, 9), (8, 10), (9, 11), (10, 12), (11, 13), (8, 12), (9, 13), (10, 11), (12, 13), (0, 2), (0, 3)]
MAX_DETECTIONS = 150


def make_random_graph(rng, nodes, density=0.7, spread=3.0):
    """Normal costs on random pairs; about the hardest kind of problem. Returns unary, edges, cost."""
    pairs = np.array([(a, b) for a in range(nodes) for b in range(a)], int).reshape(-1, 2)
    edges = pairs[rng.random(len(pairs)) < density]
    return rng.normal(-0.3, 1, nodes), edges, rng.normal(0, spread, len(edges))


def make_pose_graph(rng, people, noise=0.5, crowding=1.0):
    """Detections of people with misses, duplicates and false positives, and costs of the pairs of LIMBS.

    noise: standard deviation of the error of a pair's cost in log-odds; .5 is a good network, 2 a bad one
    crowding: people per area; 1 means that neighbours touch
    Returns unary, edges, cost.
    """
    height = 100.0
    side = height * np.sqrt(people / crowding) * 0.7
    part, xy, aim, unary = [], [], [], []
    for _ in range(people):
        pose = (TEMPLATE * rng.uniform(0.8, 1.2, 2) + rng.normal(0, 0.04, TEMPLATE.shape)) * height
        pose += rng.uniform(0, side, 2)
        for joint in np.flatnonzero(rng.random(len(TEMPLATE)) < 0.85):
            for _ in range(1 + (rng.random() < 0.12)):
                part.append(joint)
                xy.append(pose[joint] + rng.normal(0, 3, 2))
                aim.append(pose + rng.normal(0, 4, pose.shape))
                unary.append(rng.uniform(-5, 1))
    for _ in range(rng.poisson(3 * people)):
        part.append(rng.integers(len(TEMPLATE)))
        xy.append(rng.uniform(0, side, 2))
        aim.append(xy[-1] + (TEMPLATE - TEMPLATE[part[-1]]) * height + rng.normal(0, 20, TEMPLATE.shape))
        unary.append(rng.uniform(-1, 1.38))
    edges, cost = pair_costs(np.array(part, int), np.array(xy), np.array(aim), height)
    return np.array(unary), edges, cost + rng.normal(0, noise, len(cost))


def pair_costs(part, xy, aim, height):
    """Same part: by distance. Limb: by the distance between observed and regressed offsets."""
    edges, cost = [], []
    for v in range(len(part)):
        for w in range(v):
            if part[v] == part[w]:
                cost.append(np.clip(0.2 * np.linalg.norm(xy[v] - xy[w]) - 7.5, -16, 16))
            elif (min(part[v], part[w]), max(part[v], part[w])) in LIMBS:
                misses = np.linalg.norm(xy[w] - aim[v, part[w]]) + np.linalg.norm(xy[v] - aim[w, part[v]])
                cost.append(min(12.0, 10 * misses / height - 3.5))
            else:
                continue
            edges.append((v, w))
    return np.array(edges, int).reshape(-1, 2), np.array(cost)


def make_graph(seed):
    """Kind ("random" or "people") and problem number `seed`, of up to 150 detections; every third is random."""
    rng = np.random.default_rng(1000 + seed)
    if seed % 3 == 0:
        return "random", make_random_graph(rng, int(rng.integers(8, 17)))
    while True:
        people, noise, crowding = int(rng.integers(1, 9)), rng.choice([0.3, 0.5, 1.0]), rng.choice([0.3, 0.6, 1.0, 1.5])
        problem = make_pose_graph(rng, people, noise, crowding)
        if len(problem[0]) <= MAX_DETECTIONS:
            return "people", problem
