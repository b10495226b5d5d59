"""Train a network. Run inside a model directory, which holds pose_cfg.yaml:

    cd models/coco/train
    python ../../../train.py                          # continues from the newest snapshot, if any
    python ../../../train.py batch_size=4 seed=1      # any key of the YAML can be overridden

Writes snapshot-<step> every save_iters steps (the last five are kept), snapshot-best if eval_iters asks for scores on
held-out images, log.txt, scalars and score maps for TensorBoard to log/, and at the end training.png. Ctrl-C saves a
snapshot and exits with status 130. CUDA_VISIBLE_DEVICES chooses the GPU.
"""

from util.cli import parser, run
from util.signals import INTERRUPTED, noting_signals

import logging
import math
import signal
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tqdm import tqdm

from config import load_config, require, settings
from dataset.factory import create
from dataset.model_spec import from_config
from dataset.pipeline import pad_batch, padded_size, training_batches
from multiperson.validation import Validation
from nnet.checkpoint_names import SCORE
from nnet.curves import plot, read_scalars
from nnet.description import keep_beside
from nnet.snapshots import prune_snapshots, remove_leftovers
from util.errors import InputError
from util.files import only_user
from util.logging import setup_logging

LOG = Path("log.txt")
KEPT_SNAPSHOTS = 5
# A loss this many times that of the first step (or 1, if that is more) means that training has diverged.
DIVERGED = 1000


def learning_rate(cfg, step: int) -> float:
    """The rate for the step after `step` steps.

    `adam_lr`, or the entry of `multi_step` that covers it; with `cosine_decay` half a cosine from the first entry's
    rate to 0 at the last entry's step (Loshchilov and Hutter, arXiv 1608.03983). The first `warmup_steps` rise to that.
    """
    if cfg.optimizer == "adam" and cfg.adam_lr is not None:
        rate = cfg.adam_lr
    elif cfg.cosine_decay:
        rate = cfg.multi_step[0][0] * (1 + math.cos(math.pi * step / cfg.multi_step[-1][1])) / 2
    else:
        rate = next((rate for rate, end in cfg.multi_step if step < end), cfg.multi_step[-1][0])
    return rate * min(1, (step + 1) / cfg.warmup_steps) if cfg.warmup_steps else rate


class Progress:
    """Averages losses and times between two lines of the log, and writes these lines."""

    def __init__(self, cfg, first_step: int, writer):
        self.cfg, self.writer, self.last_step = cfg, writer, cfg.multi_step[-1][1]
        self.bar = tqdm(initial=first_step, total=self.last_step, unit="step", disable=None)
        self._restart()

    def _restart(self):
        self.sums, self.steps, self.images, self.waited, self.since = {}, 0, 0, 0.0, time.monotonic()

    def update(self, step: int, rate: float, losses: dict[str, float], images: int, waited: float) -> None:
        self.steps += 1
        self.images += images
        self.waited += waited
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.bar.set_postfix(loss=f"{losses['total_loss']:.4f}", refresh=False)
        self.bar.update()
        if step % self.cfg.display_iters == 0:
            self._report(step, rate)

    def _report(self, step: int, rate: float) -> None:
        seconds = time.monotonic() - self.since
        means = {name: value / self.steps for name, value in self.sums.items()}
        with self.bar.external_write_mode():
            logging.info(
                "iteration: %d of %d loss: %.4f lr: %g  %.1f images/s, %.0f%% of the time waiting for data, %s left",
                step,
                self.last_step,
                means["total_loss"],
                rate,
                self.images / seconds,
                100 * self.waited / seconds,
                timedelta(seconds=round((self.last_step - step) * seconds / self.steps)),
            )
        if self.writer:
            self.writer.scalars(step, {**means, "learning_rate": rate, "images_per_second": self.images / seconds})
        self._restart()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time spent inside the block."""
        began = time.monotonic()
        yield
        self.since += time.monotonic() - began


class HeldOut:
    """Scores the network on held-out images and keeps the snapshot of the best score."""

    def __init__(self, cfg, trainer, training_set, writer):
        from nnet.checkpoint import read_checkpoint
        from nnet.predict import Predictor

        self.cfg, self.trainer, self.writer = cfg, trainer, writer
        self.validation = Validation(cfg, trainer.spec, training_set)
        self.network = Predictor(cfg, trainer.spec, trainer.net)
        self.path = f"{cfg.snapshot_prefix}-best"
        kept = read_checkpoint(self.path) if Path(f"{self.path}.index").exists() else {}
        self.best = float(kept.get(SCORE, -math.inf))

    def evaluate(self, step: int) -> None:
        """Log the score and write `snapshot-best` if it is the highest so far; score maps for TensorBoard."""
        with self.trainer.averaged():
            score = self.validation.score(self.network)
            if self.writer:
                self.writer.scalars(step, {"score": score})
                for number, image in enumerate(self.validation.examples()):
                    self.writer.score_maps(step, f"held_out_{number}", image, self.network.maps(image))
        better = score > self.best
        logging.info(
            "step %d: %s %.4f on %d held-out images, %s",
            step,
            self.validation.measure,
            score,
            len(self.validation.samples),
            "the best so far" if better else f"the best was {self.best:.4f}",
        )
        if better:
            self.best = score
            self.trainer.save(self.path, step, score)


def save(trainer, step: int, batch: dict, writer) -> None:
    """Write the snapshot of `step` and drop the oldest beyond the last five; score maps of a batch for TensorBoard.

    Of several workers only the chief does that.
    """
    if not trainer.devices.chief:
        return
    prefix = trainer.cfg.snapshot_prefix
    trainer.save(f"{prefix}-{step}", step)
    prune_snapshots(".", prefix, KEPT_SNAPSHOTS)
    if writer:
        image = batch["image"][0]
        writer.score_maps(step, "batch", image, trainer.score_maps(image))


def train(cfg) -> None:
    """Run the steps of `cfg.multi_step`, from the newest snapshot in the current directory on."""
    from nnet.devices import connect

    require(cfg, "multi_step", *([] if cfg.mixture else ["dataset"]))
    if not cfg.tensorflow_pairwise_order:
        raise InputError(
            f"{cfg.config_file}: tensorflow_pairwise_order: false is for predicting with older networks; "
            "training writes the other order: leave the key out"
        )
    devices = connect(cfg.batch_size)
    if not devices.chief:
        train_on(cfg, devices)
        return
    with only_user(LOG):
        setup_logging(LOG)
        try:
            train_on(cfg, devices)
        finally:
            if Path(LOG).stat().st_size == 0:  # refused at once, which the terminal shows
                Path(LOG).unlink()


def train_on(cfg, devices) -> None:
    """`train`, in a folder reserved for this process."""
    from nnet.summary import SummaryWriter
    from nnet.trainer import Trainer

    share = devices.share(cfg.batch_size)
    if devices.chief:
        remove_leftovers(".", cfg.snapshot_prefix)
    dataset = create(cfg)
    spec = from_config(cfg, dataset.skeleton)
    if devices.chief:
        keep_beside(cfg.snapshot_prefix, spec)
    check_alike(devices, cfg, len(dataset))
    trainer = Trainer(cfg, spec, devices)
    first_step = trainer.start(cfg.snapshot_prefix, cfg.init_weights)
    last_step = cfg.multi_step[-1][1]
    if first_step >= last_step:
        logging.info("nothing to train: the snapshot is of step %d, and multi_step ends at %d", first_step, last_step)
        return
    logging.info(
        "training on %d images and %d device%s, steps %d to %d",
        len(dataset),
        devices.replicas,
        "s" * (devices.replicas > 1),
        first_step,
        last_step,
    )

    writer = SummaryWriter(cfg.log_dir) if cfg.log_dir and devices.chief else None
    held_out = HeldOut(cfg, trainer, dataset, writer) if cfg.eval_iters and devices.chief else None
    batches = training_batches(dataset, cfg, spec, first_step * cfg.accumulate_steps, share)
    step = run_steps(trainer, batches, first_step, held_out, writer)
    if writer:
        draw_curves(cfg.log_dir)
    devices.gather([step])  # nobody leaves while others are still at work
    logging.info("%s at step %d of %d", "finished" if step >= last_step else "stopped", step, last_step)
    if step < last_step:
        sys.exit(INTERRUPTED)


def check_alike(devices, cfg, num_images: int) -> None:
    """Raise InputError unless all workers have the same configuration (paths aside) and data."""
    checksum = zlib.crc32(repr(settings(cfg)).encode())
    checksums, images = devices.gather([checksum, num_images]).T
    if len(set(images)) > 1:
        raise InputError(f"{cfg.dataset}: {num_images} images here; the workers have {sorted(images.tolist())}")
    if len(set(checksums)) > 1:
        raise InputError(f"{cfg.config_file}: the workers have different settings; start all with the same")


def next_pieces(batches: Iterator, trainer, requested: bool) -> list[dict] | None:
    """The batches of a step, in the same size for all workers; None as soon as one of these is to stop."""
    cfg, devices = trainer.cfg, trainer.devices
    pieces = [next(batches) for _ in range(cfg.accumulate_steps)]
    if devices.workers == 1:
        return pieces
    sizes = [(*piece["image"].shape[1:3], piece["people"].shape[1]) for piece in pieces]
    gathered = devices.gather([requested, *(side for size in sizes for side in size)])
    if gathered[:, 0].any():
        return None
    shares = gathered[:, 1:].reshape(devices.workers, len(pieces), 3)  # height, width, people of each
    return [
        pad_batch(piece, *padded_size(shares[:, i, :2], cfg.batch_size), int(shares[:, i, 2].max()), trainer.spec)
        for i, piece in enumerate(pieces)
    ]


def run_steps(trainer, batches: Iterator, step: int, held_out: HeldOut | None, writer) -> int:
    """Train from `step` on until the last step or an interrupt; returns the step reached.

    Raises InputError if a loss is not finite, and before saving a network that has diverged.
    """
    cfg, devices = trainer.cfg, trainer.devices
    last_step = cfg.multi_step[-1][1]
    progress = Progress(cfg, step, writer)
    saved, limit = step, None
    # The first Ctrl-C or SIGTERM never interrupts a step; a second one does.
    with noting_signals(signal.SIGINT, signal.SIGTERM) as interrupted:
        # Several workers stop together, at the step at which all know that one has to.
        while step < last_step and not (interrupted() and devices.workers == 1):
            began = time.monotonic()
            pieces = next_pieces(batches, trainer, interrupted())
            waited = time.monotonic() - began
            if pieces is None:
                break
            rate = learning_rate(cfg, step)
            losses = trainer.step(pieces, rate)
            step += 1
            require_progress(losses["total_loss"], math.inf, step, saved)
            limit = limit or DIVERGED * max(1, losses["total_loss"])
            progress.update(step, rate, losses, cfg.batch_size * cfg.accumulate_steps, waited)
            score_due = cfg.eval_iters and (step % cfg.eval_iters == 0 or step == last_step)
            save_due = step % cfg.save_iters == 0 or step == last_step
            if score_due or save_due:
                with progress.paused():
                    require_progress(trainer.losses_now(pieces)["total_loss"], limit, step, saved)
            # Before the snapshot, so that a run killed in between repeats it.
            if held_out and score_due:
                with progress.paused():
                    held_out.evaluate(step)
            if save_due:
                save(trainer, step, pieces[0], writer)
                saved = step
        if step > saved:
            require_progress(trainer.losses_now(pieces)["total_loss"], limit, step, saved)
            save(trainer, step, pieces[0], writer)
    progress.bar.close()
    return step


def require_progress(loss: float, limit: float, step: int, saved: int) -> None:
    """Raise InputError for a loss, around `step`, that is not finite or above the limit."""
    if math.isfinite(loss) and loss <= limit:
        return
    kept = f"the last good snapshot is that of step {saved}" if saved else "there is no snapshot yet"
    raise InputError(
        f"step {step}: the loss is {loss:g}; {kept}; lower the learning rate (multi_step) or check the "
        "data (tools/check_dataset.py)"
    )


def draw_curves(log_dir: str) -> None:
    """The picture of tools/plot_training.py; a run too short for a line in the log has no curves."""
    try:
        scalars = read_scalars(Path(log_dir))
    except InputError:
        return
    try:
        plot({log_dir: scalars}, Path("training.png"))
    except InputError as error:
        logging.warning("%s", error)


def main(argv: list[str] | None = None) -> None:
    arguments = parser(__doc__)
    arguments.add_argument("overrides", nargs="*", metavar="key=value", help="a key of the configuration (config.py)")
    overrides = arguments.parse_args(argv).overrides
    cfg = load_config("pose_cfg.yaml", overrides)
    setup_logging()
    train(cfg)


if __name__ == "__main__":
    run(main)
