#!/usr/bin/env bash
# Fetch the published single-person model: mpii-single-resnet-101, for models/mpii/test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../download.sh

site=https://datasets.d2.mpi-inf.mpg.de/deepercut-models-tensorflow
fetch $site/mpii-single-resnet-101.index $site/mpii-single-resnet-101.data-00000-of-00001
echo "ready: $PWD/mpii-single-resnet-101"
