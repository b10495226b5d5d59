"""The flags of visible, hidden and unlabelled joints in AI Challenger's and COCO's files."""

VISIBLE, HIDDEN, UNLABELLED = 1, 2, 3  # AI Challenger
AIC_FLAGS = frozenset({VISIBLE, HIDDEN, UNLABELLED})
COCO_FLAG = {VISIBLE: 2, HIDDEN: 1, UNLABELLED: 0}
AIC_FLAG = {coco: aic for aic, coco in COCO_FLAG.items()}
