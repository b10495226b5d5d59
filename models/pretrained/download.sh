#!/usr/bin/env bash
# Fetch slim's ImageNet weights, from which training starts (init_weights: .../models/pretrained/resnet_v1_101.ckpt):
#   models/pretrained/download.sh             resnet_v1_50.ckpt and resnet_v1_101.ckpt
#   models/pretrained/download.sh 152         those of the depths named
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../download.sh

[ $# -gt 0 ] || set -- 50 101
for depth in "$@"; do
    archive=resnet_v1_${depth}_2016_08_28.tar.gz
    fetch "http://download.tensorflow.org/models/$archive"
    tar --extract --gzip --file "$archive"
    echo "ready: $PWD/resnet_v1_$depth.ckpt"
done
