"""What AI Challenger's and COCO's files call a joint that is visible, hidden or not labelled."""

VISIBLE, HIDDEN, UNLABELLED = 1, 2, 3  # AI Challenger
AIC_FLAGS = frozenset({VISIBLE, HIDDEN, UNLABELLED})
COCO_FLAG = {VISIBLE: 2, HIDDEN: 1, UNLABELLED: 0}
AIC_FLAG = {coco: aic for aic, coco in COCO_FLAG.items()}
