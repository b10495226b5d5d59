"""The flags of visible, hidden and unlabelled joints in AI Challenger's and COCO's files."""

import numpy as np

VISIBLE, HIDDEN, UNLABELLED = 1, 2, 3  # AI Challenger
AIC_FLAGS = frozenset({VISIBLE, HIDDEN, UNLABELLED})
COCO_FLAG = {VISIBLE: 2, HIDDEN: 1, UNLABELLED: 0}
# By COCO's flags 0, 1, 2.
AIC_FLAGS_OF_COCO = np.array(sorted(COCO_FLAG, key=COCO_FLAG.get))
