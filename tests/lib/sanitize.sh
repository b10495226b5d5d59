#!/bin/sh
# The C++ of lib/ under AddressSanitizer and UBSan, with 100,000 random inputs of each kind, or as many as are given:
#
#     tests/lib/sanitize.sh [rounds]
set -eu
cd "$(dirname "$0")/../.."
program=$(mktemp)
trap 'rm -f "$program"' EXIT
${CXX:-c++} -std=c++17 -O1 -g -Wall -Wextra -fopenmp-simd -fsanitize=address,undefined -fno-sanitize-recover=all -D_GLIBCXX_ASSERTIONS \
    -Ilib tests/lib/sanitize.cpp -o "$program"
"$program" "${1:-100000}"
