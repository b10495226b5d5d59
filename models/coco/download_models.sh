#!/usr/bin/env bash
# Fetch the published COCO model: coco-resnet-101 and the pairwise files, for models/coco/test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../download.sh

site=https://datasets.d2.mpi-inf.mpg.de/deepercut-models-tensorflow
fetch $site/coco-resnet-101.index $site/coco-resnet-101.data-00000-of-00001 $site/pairwise_coco.tar.gz
tar --extract --gzip --file pairwise_coco.tar.gz
echo "ready: $PWD/coco-resnet-101 and $PWD/pairwise"
