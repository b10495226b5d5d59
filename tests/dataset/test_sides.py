"""Left and right in the names of joints."""

import pytest

from dataset.sides import left_right_pairs, lonely_sides, plain_name, plain_names


@pytest.mark.parametrize("left, right, plain", [
    ("left_shoulder", "right_shoulder", "left_shoulder"),
    ("Left Shoulder", "Right Shoulder", "left_shoulder"),
    ("Left-ankle", "Right-ankle", "left_ankle"),
    ("leftEye", "rightEye", "left_eye"),
    ("LEFT_EYE", "RIGHT_EYE", "left_eye"),
    ("Eye_Left", "Eye_Right", "left_eye"),
    ("hip (left)", "hip (right)", "left_hip"),
    ("left_thumb1", "right_thumb1", "left_thumb_1"),
    ("L_Eye", "R_Eye", "left_eye"),
    ("EYE_L", "EYE_R", "left_eye"),
    ("L.Shoulder", "R.Shoulder", "left_shoulder"),
    ("LHip", "RHip", "left_hip"),
    ("kneeL", "kneeR", "left_knee"),
    ("forelegL1", "forelegR1", "left_foreleg_1"),
    ("front left paw", "front right paw", "left_front_paw"),
    ("lhip", "rhip", "left_hip"),
    ("leftpaw", "rightpaw", "left_paw"),
    ("pawleft", "pawright", "left_paw"),
    ("LF_paw", "RF_paw", "left_f_paw"),
    ("bodyLH", "bodyRH", "left_body_h"),
    ("Left", "Right", "left"),
    ("Çizgi L", "Çizgi R", "left_ç_izgi"),
])  # fmt: skip
def test_sides_are_found_in_any_spelling(left, right, plain):
    names = ["nose", right, "tail", left, "rump", "lip"]
    assert left_right_pairs(names) == ((3, 1),)
    assert lonely_sides(names) == []
    assert plain_names(names)[3] == plain and plain_names(names)[1] == plain.replace("left", "right")


def test_each_joint_has_one_partner_in_the_order_of_the_left_ones():
    names = ["R_F_Paw", "L_B_Paw", "L_F_Paw", "R_B_Paw", "neck"]
    assert left_right_pairs(names) == ((1, 3), (2, 0))
    assert left_right_pairs(["left_l1", "right_l1", "left_r1", "right_r1"]) == ((0, 1), (2, 3))
    assert left_right_pairs(["LF", "RF", "LH", "RH", "LR", "RR"]) == ((0, 1), (2, 3), (4, 5))


def test_names_that_only_look_like_sides_have_no_partner():
    names = ["lip", "rear", "rump", "L1", "L5", "chin", "neck", "rib", "leg"]
    assert left_right_pairs(names) == () == tuple(lonely_sides(names))


def test_a_single_name_has_a_side():
    plain = {"Eye_Right": "right_eye", "REye": "right_eye", "left_eye": "left_eye", "reye": "reye", "L5": "left_5"}
    assert {name: plain_name(name) for name in plain} == plain


def test_a_side_without_its_counterpart_is_named():
    assert lonely_sides(["left_eye", "right_eye", "left_paw", "L1", "rear"]) == ["left_paw"]
    assert lonely_sides(["L_Eye", "R_Eye", "R_Paw", "lip"]) == ["R_Paw"]  # letters are sides here
