"""Multi-person data in COCO's JSON format (dataset.coco).

    <dataset>/annotations/<dataset_ann>_<dataset_phase>.json
    <dataset>/images/<dataset_phase>/<file_name>        (file_name with or without suffix)

A file_name may also begin with the folders below <dataset> or <dataset>/images. The skeleton comes from `categories`.
People without labelled joints and crowds become ignore regions. A file that only lists images, such as COCO's test-dev,
serves for prediction.
"""

import os
from functools import cached_property
from pathlib import Path

import numpy as np

from dataset.coco import Annotations, CocoFile, read_coco
from dataset.pose_dataset import PoseDataset, Table
from dataset.skeleton import agreed
from util.errors import InputError
from util.faults import Faults
from util.images import FileLister
from util.names import distinct_names


class MSCOCO(PoseDataset):
    """Samples of a COCO keypoint file; `skeleton` is that of its categories."""

    @property
    def path(self) -> Path:
        return Path(self.cfg.dataset, "annotations", f"{self.cfg.dataset_ann}_{self.cfg.dataset_phase}.json")

    @property
    def image_folder(self) -> Path:
        return Path(self.cfg.dataset, "images", self.cfg.dataset_phase)

    @cached_property
    def names(self) -> list[str]:
        """Paths within the image folder, without suffixes, so that converted data keep AI Challenger's image_ids."""
        folders = self.image_folder, self.image_folder.parent, Path(self.cfg.dataset)
        images = [Path(path) for path in self.table.images]
        places = [image.relative_to(next(filter(image.is_relative_to, folders))) for image in images]
        return distinct_names(places, folder=".")

    def _load(self, need_images: bool) -> Table:
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file{self._neighbours()}")
        faults = Faults()
        coco = read_coco(self.path, faults, np.float32)
        if coco.skeleton is None:
            self._take_skeleton()
        else:
            self.skeleton = agreed(self.cfg, coco.skeleton, str(self.path))
        self.category_id = next(iter(coco.categories), 1)
        paths = self._image_paths(coco.images.names, need_images, faults)
        faults.warn(self.path)
        found = [row for row, path in enumerate(paths) if path]
        if not found:
            raise InputError(
                f"{self.path}: none of its {len(paths)} images is on disk; they are looked for in {self.image_folder}"
            )
        return _table(coco, paths, self.cfg.coco_only_images_with_people)

    def _neighbours(self) -> str:
        """What may have been meant in place of a missing annotation file."""
        found = sorted(path.name for path in self.path.parent.glob("*.json"))
        if found:
            return f" (dataset_ann, dataset_phase); found there: {', '.join(found[:5])}"
        return "; `dataset` names the folder that holds annotations/ and images/"

    def _image_paths(self, names: list[str], need_images: bool, faults: Faults) -> list[str | None]:
        """The path of each image, or None for a needed one that is not on disk."""
        folder = str(self.image_folder)
        if not need_images:
            return [f"{folder}{os.sep}{name}" for name in names]
        files, folders = FileLister(), (folder, os.path.join(self.cfg.dataset, "images"), self.cfg.dataset)
        paths = [files.find_image(name, *folders) for name in names]
        for name, path in zip(names, paths, strict=True):
            if path is None:
                faults.add("images that are not on disk", name)
        return paths


def _table(coco: CocoFile, paths: list[str | None], only_with_people: bool) -> Table:
    """The annotations of images that have a path, sorted by image."""
    annotations = coco.annotations
    usable = np.array([path is not None for path in paths])
    people = np.flatnonzero(annotations.people & usable[annotations.image])
    people = people[np.argsort(annotations.image[people], kind="stable")]
    counts = np.bincount(annotations.image[people], minlength=len(paths))
    kept = np.flatnonzero(counts if only_with_people else usable)
    # In the usual file, where everybody is used in order, the arrays are those of the file.
    in_order = len(people) == len(annotations) and (np.diff(people) == 1).all()
    rows = slice(None) if in_order else people
    regions = _ignore_regions(annotations)
    return Table(
        images=[paths[i] for i in kept],
        ids=[coco.images.ids[i] for i in kept],
        sizes=coco.images.sizes[kept],
        first=np.concatenate([[0], np.cumsum(counts[kept])]),
        people=annotations.keypoints[rows],
        boxes=annotations.boxes[rows],
        ignore={new: regions[old] for new, old in enumerate(kept.tolist()) if old in regions},
    )


def _ignore_regions(annotations: Annotations) -> dict[int, list]:
    """Regions of crowds and of people without a labelled joint, by row of the image: their shapes, or else boxes."""
    regions: dict[int, list] = {}
    for row in np.flatnonzero(~annotations.people).tolist():
        x0, y0, x1, y1 = annotations.boxes[row].astype(np.float64)
        region = annotations.regions[row] or [np.array([x0, y0, x1, y0, x1, y1, x0, y1])]
        regions.setdefault(int(annotations.image[row]), []).append(region)
    return regions
