"""Images to find people in, and their ids in result files."""

import os
from collections import Counter
from collections.abc import Iterable
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

from dataset.pose_dataset import PoseDataset
from util.images import find_images
from util.names import distinct_names


class Target(NamedTuple):
    """An image of a run, with an id and name unique in that run.

    coco_id: image_id in COCO's results
    name: image_id in AI Challenger's, and file name of pictures and score maps
    category_id: that of people in COCO's results
    """

    path: Path
    coco_id: int | str
    name: str
    category_id: int | str = 1


def image_files(paths: Iterable[str | os.PathLike]) -> list[Target]:
    """Images and folders named on a command line. Raises InputError as `find_images` does."""
    images = list({os.path.abspath(path): path for path in find_images(paths)}.values())
    names = distinct_names(images)
    # COCO's images are named by their numbers.
    numbers = [int(path.stem) if path.stem.isascii() and path.stem.isdecimal() else None for path in images]
    counts = Counter(numbers)
    return [
        Target(path, name if number is None or counts[number] > 1 else number, name)
        for path, name, number in zip(images, names, numbers, strict=True)
    ]


def dataset_images(dataset: PoseDataset) -> list[Target]:
    """The images of a data set."""
    table, category = dataset.table, repeat(dataset.category_id)
    return list(map(Target, map(Path, table.images), table.ids, dataset.names, category))
