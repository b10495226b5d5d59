"""Train `movenet_fpn` on a GPU with JAX: a batch's windows, targets, losses and step are one compiled function.

    python train.py --data packed --out trained --seconds 560

reads what exchange.py has packed; writes trained/weights.npz, the moving average of the weights, and trained/log.txt.
The losses are those of train.py of the project with `weigh_part_predictions`, `ignore_unlabelled` and pose_cfg.yaml's
weights, except that the loss of pairs looks at one random cell of each joint's disc. The learning rate falls with the
time that is left. Needs JAX, NumPy and Pillow, and a GPU with 24 GB.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from network import Layers, dense_heads, features, pairwise_at
from windows import JOINTS, MEAN_PIXEL, STRIDE, Batch, Cut, corners, cut_windows, read_photos

SIDE = 512  # of windows, pixels
COCO = Cut(count=32, side=SIDE, scale=0.9, jitter=(0.5, 1.9), colors=0.25, rotation=40)
LSPET = COCO._replace(count=16, scale=1.0, rotation=60)
WINDOWS = COCO.count + LSPET.count  # of a step
WATCHED = Cut(count=WINDOWS, side=SIDE, scale=1.0, jitter=(0.6, 1.6), colors=0.0, rotation=0.0)
LOCREF_STDEV, LOCREF_WEIGHT, PAIRWISE_WEIGHT = 7.2801, 0.03, 0.02
REACH, REACH_SHARE, MARGIN = 4.0, 0.04, 0.2  # px and parts of a person's extent
PAIRWISE_CELLS = 96  # of a window, at most
RATE, MOVENET_FACTOR, WARMUP, WEIGHT_DECAY = 1.5e-3, 0.05, 150, 0.02
FROZEN = 4  # layers of MobileNet that keep their weights
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
AVERAGE_DECAY, MOMENTS_DECAY = 0.9995, 0.99


def make_targets(batch: Batch):
    """Whether a cell is positive, its weight (B, h, w, J), the offset x and y to the nearest joint, and whose it is."""
    people, cells = batch.people, SIDE // STRIDE
    middles = jnp.arange(cells) * STRIDE + STRIDE / 2.0
    reach = jnp.maximum(REACH, REACH_SHARE * batch.extent) ** 2
    shape = (len(people), cells, cells, JOINTS)

    def look_at(person, found):
        hit, nearest, x_offset, y_offset, who = found
        x, y, flag = (people[:, person, :, axis][:, None, None] for axis in range(3))
        dx, dy = x - middles[None, None, :, None], y - middles[None, :, None, None]
        squared = jnp.where(flag > 0, dx * dx + dy * dy, jnp.inf)
        nearer = squared < nearest
        return (
            hit | (squared <= reach[:, person, None, None, None]),
            jnp.where(nearer, squared, nearest),
            jnp.where(nearer, dx, x_offset),
            jnp.where(nearer, dy, y_offset),
            jnp.where(nearer, person, who),
        )

    nobody = (jnp.zeros(shape, bool), jnp.full(shape, 1e11), jnp.zeros(shape), jnp.zeros(shape), jnp.zeros(shape, int))
    hit, _, x_offset, y_offset, who = jax.lax.fori_loop(0, people.shape[1], look_at, nobody)

    low, high, there = corners(batch.whole)
    margin = MARGIN * batch.extent[..., None]
    near = [
        ((middles >= (low - margin)[..., axis, None]) & (middles <= (high + margin)[..., axis, None])).astype(float)
        for axis in (0, 1)
    ]
    missing = ((batch.whole[..., 2] <= 0) & there[..., None]).astype(jnp.float32)
    unsure = jnp.einsum("bph,bpw,bpj->bhwj", near[1], near[0], missing) > 0
    weight = batch.weight[..., None] * (hit | ~unsure)
    return hit, weight, x_offset, y_offset, who


def huber(error):
    size = jnp.abs(error)
    return jnp.where(size < 1, 0.5 * error * error, size - 0.5)


def compute_losses(params, stored, key, batch: Batch, stats, *, training: bool):
    """The total, and the three losses with the moments of the batch."""
    layers = Layers(params, stored, training, jnp.bfloat16)
    y = features(layers, batch.image - MEAN_PIXEL, FROZEN)
    logits, locref = dense_heads(params, y, jnp.bfloat16)
    hit, weight, x_offset, y_offset, who = jax.lax.stop_gradient(make_targets(batch))
    entropy = jnp.maximum(logits, 0) - logits * hit + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    part_loss = (entropy * weight).sum() / jnp.maximum((weight > 0).sum(), 1)
    error = huber(locref[..., 0] - x_offset / LOCREF_STDEV) + huber(locref[..., 1] - y_offset / LOCREF_STDEV)
    locref_loss = (error * hit).sum() / jnp.maximum(2 * hit.sum(), 1)
    pairwise_loss = compute_pairwise_loss(params, y, key, batch, who, stats)
    total = part_loss + LOCREF_WEIGHT * locref_loss + PAIRWISE_WEIGHT * pairwise_loss
    return total, (jnp.stack([part_loss, locref_loss, pairwise_loss]), layers.moments)


def compute_pairwise_loss(params, y, key, batch: Batch, who, stats):
    """At a random cell of each joint's disc, if the joint is the nearest there."""
    people, count = batch.people, len(batch.people)
    shape = people.shape[:3]
    for_radius, for_angle = jax.random.split(key)
    reach = jnp.maximum(REACH, REACH_SHARE * batch.extent)[:, :, None]
    radius, angle = reach * jnp.sqrt(jax.random.uniform(for_radius, shape)), jax.random.uniform(for_angle, shape)
    angle = 2 * jnp.pi * angle
    spot = people[..., :2] + jnp.stack([radius * jnp.cos(angle), radius * jnp.sin(angle)], -1)
    cells = jnp.clip(jnp.floor(spot / STRIDE), 0, SIDE // STRIDE - 1).astype(int)[..., ::-1].reshape(count, -1, 2)
    person, part = (
        jnp.broadcast_to(index, shape).reshape(count, -1)
        for index in (jnp.arange(shape[1])[:, None], jnp.arange(JOINTS))
    )
    row = jnp.arange(count)[:, None]
    valid = (people[..., 2] > 0).reshape(count, -1) & (who[row, cells[..., 0], cells[..., 1], part] == person)
    chosen = jnp.argsort(~valid, axis=1, stable=True)[:, :PAIRWISE_CELLS]  # most places of P * J are empty
    cells = jnp.take_along_axis(cells, chosen[..., None], 1)
    person, part, valid = (jnp.take_along_axis(values, chosen, 1) for values in (person, part, valid))

    raw = pairwise_at(params, y, cells, jnp.bfloat16).reshape(count, -1, JOINTS, JOINTS - 1, 2)
    raw = jnp.take_along_axis(raw, part[..., None, None, None], 2)[:, :, 0]
    others = jnp.array([[other for other in range(JOINTS) if other != joint] for joint in range(JOINTS)])[part]
    joints = jnp.take_along_axis(people[row, person], others[..., None], 2)
    present = (joints[..., 2] > 0) & valid[..., None]
    middles = (cells[..., ::-1] * STRIDE + STRIDE / 2.0)[:, :, None]
    means, deviations = stats
    error = raw - (joints[..., :2] - middles - means[part]) / deviations[part]
    return (huber(error) * present[..., None]).sum() / jnp.maximum(2 * present.sum(), 1)


@partial(jax.jit, donate_argnums=0)
def train_step(state, coco, lspet, key, rate, stats):
    """AdamW with a smaller rate for MoveNet's layers, and a moving average of the weights."""
    params, stored, first, second, average, step = state
    keys = jax.random.split(key, 3)
    parts = cut_windows(keys[0], coco, COCO), cut_windows(keys[1], lspet, LSPET)
    batch = Batch(*map(jnp.concatenate, zip(*parts, strict=True)))
    gradient = jax.grad(partial(compute_losses, training=True), has_aux=True)
    gradients, (losses, moments) = gradient(params, stored, keys[2], batch, stats)
    step += 1
    decay = jnp.minimum(AVERAGE_DECAY, (1 + step) / (10 + step))
    new = {}, {}, {}, {}
    for name, value in params.items():
        moment = BETA1 * first[name] + (1 - BETA1) * gradients[name]
        square = BETA2 * second[name] + (1 - BETA2) * gradients[name] ** 2
        update = moment / (1 - BETA1**step) / (jnp.sqrt(square / (1 - BETA2**step)) + EPSILON)
        update += WEIGHT_DECAY * value * name.endswith("weights")
        value = value - rate * (1.0 if name.startswith("pose/") else MOVENET_FACTOR) * update
        mean = decay * average[name] + (1 - decay) * value
        for results, result in zip(new, (value, moment, square, mean), strict=True):
            results[name] = result
    stored = stored | {n: MOMENTS_DECAY * stored[n] + (1 - MOMENTS_DECAY) * moment for n, moment in moments.items()}
    return (new[0], stored, *new[1:], step), losses


@jax.jit
def watch_losses(params, stored, photos, key, stats):
    """The losses on windows that are neither turned nor recoloured."""
    batch = cut_windows(key, photos, WATCHED)
    return compute_losses(params, stored, key, batch, stats, training=False)[1][0]


def starting_state(folder: Path):
    """The packed weights with an optimizer that has done nothing yet; means and deviations of the pairs' offsets."""
    arrays = {name: jnp.asarray(value, jnp.float32) for name, value in np.load(folder / "weights.npz").items()}
    stored = {name: value for name, value in arrays.items() if "/moving_" in name}
    params = {name: value for name, value in arrays.items() if name not in stored}
    first, second = ({name: jnp.zeros_like(value) for name, value in params.items()} for _ in range(2))
    state = params, stored, first, second, {name: value + 0 for name, value in params.items()}, jnp.zeros((), int)
    moments = np.load(folder / "stats.npz")
    stats = tuple(
        jnp.asarray(moments[name].reshape(JOINTS, JOINTS - 1, 2), jnp.float32) for name in ("means", "std_devs")
    )
    return state, stats


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path("packed"))
    arguments.add_argument("--out", type=Path, default=Path("trained"))
    arguments.add_argument("--seconds", type=float, default=560)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    log = (options.out / "log.txt").open("w")
    began = time.time()

    def say(text):
        line = f"{time.time() - began:7.1f} {text}"
        print(line, flush=True)
        print(line, file=log, flush=True)

    coco, lspet, watched = read_photos(options.data)
    state, stats = starting_state(options.data)
    say(f"{len(coco.size)} + {len(lspet.size)} photos")

    def report(step):
        losses = [watch_losses(state[4], state[1], watched, jax.random.key(1000 + i), stats) for i in range(8)]
        part, locref, pairwise = np.mean(losses, axis=0)
        say(f"step {step}: watched part {part:.5f} locref {locref:.4f} pairwise {pairwise:.4f}")
        weights = {name: np.asarray(value) for values in (state[4], state[1]) for name, value in values.items()}
        np.savez(options.out / "weights.npz", **weights)

    key, step, sums, started = jax.random.key(0), 0, [], None
    while True:
        done = 0.0 if started is None else (time.time() - started) / (began + options.seconds - started)
        if done >= 1:
            break
        rate = RATE * min(1, (step + 1) / WARMUP) * 0.5 * (1 + np.cos(np.pi * done))
        state, losses = train_step(state, coco, lspet, jax.random.fold_in(key, step), jnp.float32(rate), stats)
        step += 1
        sums.append(losses)
        if step == 1:
            jax.block_until_ready(losses)  # compiled
            started = time.time()
        if step % 200 == 0:
            part, locref, pairwise = np.mean(sums, axis=0)
            sums = []
            speed = step * WINDOWS / (time.time() - started)
            losses = f"part {part:.5f} locref {locref:.4f} pairwise {pairwise:.4f}"
            say(f"step {step} rate {rate:.6f} {losses}; {speed:.0f} windows/s")
        if step % 1750 == 0:
            report(step)
    report(step)


if __name__ == "__main__":
    main()
