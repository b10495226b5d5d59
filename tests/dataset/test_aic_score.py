import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset import aic_score
from dataset.skeleton import AIC
from tests.annotations import PERSON, moved
from tests.annotations import aic_record as record
from util.errors import InputError


def slow_score(predictions, reference):
    """The official evaluator's arithmetic under Python 2, one number at a time: score, best OKS of each true person."""
    answers, plain = {}, set()
    for prediction in predictions:
        image_id = prediction["image_id"].split(".")[0]
        # The last one of a name counts, a name without suffix before one with.
        if prediction["image_id"] == image_id or image_id not in plain:
            answers[image_id] = prediction["keypoint_annotations"]
        if prediction["image_id"] == image_id:
            plain.add(image_id)
    best, counted = [], 0
    for truth in {entry["image_id"]: entry for entry in reference}.values():
        true = truth["keypoint_annotations"]
        answer = answers.get(truth["image_id"])
        if answer is None:
            counted += len(truth["human_annotations"])
            best += [0.0] * len(true)
            continue
        counted += max(len(true), len(answer))
        for name, values in true.items():
            box = truth["human_annotations"][name]
            best.append(np.max([slow_oks(values, box, guess) for guess in answer.values()] or [0.0]))
    return float(np.mean([sum(bool(oks > t) for oks in best) / counted for t in np.linspace(0.5, 0.95, 10)])), best


def slow_oks(true, box, guess):
    area = np.float64(np.float32((box[3] - box[1]) * (box[2] - box[0])))
    whole = all(type(value) is int for value in true + guess)
    terms = []
    for joint in range(14):
        x, y, flag = true[3 * joint : 3 * joint + 3]
        if flag == 1:
            squared = (x - guess[3 * joint]) ** 2 + (y - guess[3 * joint + 1]) ** 2
            exponent = np.float64(-((squared + 1) // 2) if whole else -squared / 2)
            with np.errstate(all="ignore"):
                terms.append(np.exp(exponent / (2 * AIC.sigmas[joint]) ** 2 / (area + 1)))
    return float(np.mean(terms)) if terms else 0.0


@pytest.mark.parametrize("kind", ["int", "float"])
def test_score_equals_the_official_one(golden_dir, kind):
    folder = golden_dir / "aic_eval"
    reference, predictions, expected = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("annotations", f"predictions_{kind}", "expected")
    )
    result = aic_score.score(predictions, reference)
    assert result.score == pytest.approx(expected[kind]["score"], abs=1e-12)
    assert len(result.warnings) == expected[kind]["warnings"]
    assert list(result.faults.counts) == ["predictions of images that are not in the reference"]
    everybody = iter(zip(result.true.names, result.best, strict=True))
    counts = zip(result.image_ids, np.diff(result.true.first), strict=True)
    best = {image_id: dict(itertools.islice(everybody, count)) for image_id, count in counts}
    for image_id, people in expected[kind]["oks"].items():
        # Without predictions the official evaluator lists nobody.
        assert best[image_id] == pytest.approx(people or dict.fromkeys(best[image_id], 0), abs=1e-12)


coordinate = st.one_of(st.integers(-20, 400), st.floats(-20, 400, width=32))
joint = st.tuples(coordinate, coordinate, st.sampled_from([1, 1, 2, 3]))
person = st.lists(joint, min_size=14, max_size=14).map(lambda joints: [x for joint in joints for x in joint])
whole_person = st.lists(st.integers(0, 300), min_size=28, max_size=28).map(
    lambda xy: [x for i in range(14) for x in (xy[2 * i], xy[2 * i + 1], 1 + (xy[i] % 3 == 0))]
)
odd_numbers = st.dictionaries(
    st.integers(0, 41), st.sampled_from([math.nan, math.inf, -math.inf, -5, 7, 1.0, 1e5, 2**31 - 1]), max_size=2
)
odd_person = st.builds(lambda values, odd: [odd.get(i, v) for i, v in enumerate(values)], whole_person, odd_numbers)
box = st.tuples(*[st.integers(0, 200)] * 2, *[st.integers(201, 500)] * 2).map(list)
# Of no size, inside out, with one side negative: the official evaluator computes with all of them.
any_box = st.one_of(
    box,
    *[
        st.lists(number, min_size=4, max_size=4)
        for number in (st.integers(-100, 300), st.integers(0, 99_999), st.floats(-100, 300))
    ],
)


@st.composite
def scored_files(draw):
    """A reference and predictions near it: images missing on either side, repeated, with suffixes; odd numbers."""
    reference, predictions = [], []
    for _ in range(draw(st.integers(1, 4))):
        image_id = draw(st.sampled_from("abcde"))
        people = draw(st.lists(st.one_of(person, whole_person), max_size=3))
        named = {f"human{i}": values for i, values in enumerate(people)}
        reference.append(record(image_id, named, {name: draw(any_box) for name in named}))
        if draw(st.integers(0, 4)):
            shifts = [draw(st.sampled_from([0, 1, 3, -2, 0.5])) for _ in people]
            near = {f"p{i}": moved(values, shift) for i, (values, shift) in enumerate(zip(people, shifts, strict=True))}
            near |= {f"q{i}": values for i, values in enumerate(draw(st.lists(person | odd_person, max_size=2)))}
            suffix = draw(st.sampled_from(["", "", ".jpg", ".x.png"]))
            predictions.append({"image_id": image_id + suffix, "keypoint_annotations": near})
    return reference, predictions


@given(scored_files())
def test_score_equals_the_slow_one(files):
    reference, predictions = files
    try:
        result = aic_score.score(predictions, reference)
    except InputError as error:
        assert "nobody to score" in str(error) or not predictions
    else:
        score, best = slow_score(predictions, reference)
        assert result.score == pytest.approx(score, abs=1e-8)
        np.testing.assert_allclose(result.best, best, rtol=1e-12)


def test_distances_between_whole_numbers_are_rounded_up():
    shifted = [value + (i % 3 == 0) for i, value in enumerate(PERSON)]  # d^2 / 2 = 0.5 becomes 1
    as_integers = aic_score.score([record(keypoints={"a": shifted})], [record()]).best[0]
    as_decimals = aic_score.score([record(keypoints={"a": [float(value) for value in shifted]})], [record()]).best[0]
    terms = [np.exp(-np.array([1, 0.5]) / (2 * sigma) ** 2 / (130 * 260 + 1)) for sigma in AIC.sigmas]
    assert [as_integers, as_decimals] == pytest.approx(list(np.mean(terms, axis=0)), abs=1e-12)


def test_a_threshold_must_be_exceeded():
    far = [value + 10**5 * (i < 21 and i % 3 < 2) for i, value in enumerate(PERSON)]  # half of the joints
    result = aic_score.score([record(keypoints={"a": far})], [record()])
    assert (result.best[0], result.score) == (0.5, 0)


def test_score_counts_the_larger_number_of_people():
    two = {"human1": PERSON, "human2": moved(PERSON, 500)}
    assert aic_score.score([record(keypoints={"a": PERSON})], [record(keypoints=two)]).score == 0.5
    assert aic_score.score([record(keypoints=two)], [record()]).score == 0.5
    twins = {"human1": PERSON, "human2": PERSON}
    assert aic_score.score([record(keypoints=twins)], [record(keypoints=twins)]).score == 1


def test_hidden_joints_do_not_count():
    hidden = [2 if i % 3 == 2 else value for i, value in enumerate(PERSON)]
    result = aic_score.score([record(keypoints={"a": PERSON})], [record(keypoints={"b": hidden})])
    assert result.score == 0
    assert result.counted.tolist() == [1]
    assert np.isnan(result.similarity).all()


def test_predictions_match_up_to_the_first_dot():
    assert aic_score.score([record("a.jpg")], [record("a")]).score == 1
    assert aic_score.score([record("a.b"), record("c")], [record("a.b"), record("c")]).score == 0.5
    empty = record("a", keypoints={})
    last_wins = aic_score.score([record("a"), empty], [record("a")])
    assert last_wins.score == 0
    assert len(last_wins.warnings) == 1
    assert aic_score.score([record("a"), record("a.jpg", keypoints={})], [record("a")]).score == 1


@pytest.mark.parametrize("area_fault", [[0, 0, 0, 0], [130, 260, 0, 0]])
def test_boxes_without_a_size_are_told_and_scored(area_fault):
    result = aic_score.score([record()], [record(boxes={"human1": area_fault})])
    assert result.score == 1
    assert ["scored nevertheless" in what for what in result.faults.counts] == [True]


@pytest.mark.parametrize("bad", [None, 7, "x", [], PERSON[:-1], [*PERSON[:-1], "1"], [*PERSON[:-1], None],
                                 [*PERSON[:-3], 10**400, 1, 1], {str(i): i for i in range(42)}])  # fmt: skip
def test_what_is_no_person_is_left_out(bad):
    result = aic_score.score([record(keypoints={"a": PERSON, "b": bad})], [record(keypoints={"c": PERSON, "d": bad})])
    assert result.score == 1
    assert sum(result.faults.counts.values()) == 2


def test_numbers_that_are_not_finite_count_as_they_do_officially():
    odd = [*map(float, PERSON[:-3]), math.nan, math.inf, 1]
    # Not a number wins, as it does officially: a perfect answer beside it does not help.
    assert aic_score.score([record(keypoints={"a": PERSON, "b": odd})], [record()]).score == 0
    assert aic_score.score([record()], [record(keypoints={"a": PERSON, "b": odd})]).score == 1


@pytest.mark.parametrize("reference", [[], [1, None], [record(keypoints={})], [{"image_id": "a"}]])
def test_a_reference_without_people_is_refused(reference):
    with pytest.raises(InputError):
        aic_score.score([], reference)


def test_predictions_for_other_images_or_in_other_formats_are_refused():
    coco = {"image_id": 785, "category_id": 1, "keypoints": [1, 2, 2] * 17, "score": 1}
    for predictions, reason in (
        ([], ""),
        ([coco, {**coco, "image_id": "a"}], "COCO's results are scored by"),
        ([3], "no objects"),
        ([record("b")], r"not in the reference: 1\)"),
    ):
        with pytest.raises(InputError, match=f"none of the {len(predictions)} predictions can be used.*{reason}"):
            aic_score.score(predictions, [record()])
    assert aic_score.score([record("b"), record("a", keypoints={})], [record()]).score == 0
