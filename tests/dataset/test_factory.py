"""The class of a data set."""

import pytest

from config import make_config
from dataset.factory import TYPES, create
from dataset.mixture import Mixture
from dataset.mscoco import MSCOCO
from util.errors import InputError


def test_every_type_of_the_configuration_has_a_class():
    for kind in TYPES:
        assert make_config(dataset_type=kind).dataset_type == kind
    with pytest.raises(InputError, match=", ".join(TYPES)):
        make_config(dataset_type="video")


def test_a_data_set_or_a_mixture_is_created(coco):
    coco.add_person(coco.add_image())
    assert type(create(coco.config())) is MSCOCO
    mixture = make_config(dataset_type="coco", mixture=[{"dataset": str(coco.path)}] * 2)
    assert type(create(mixture)) is Mixture and len(create(mixture)) == 2
