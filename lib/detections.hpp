// The detections of an image, part by part.

#pragma once

#include <cstddef>

// Those of part p are offsets[p] .. offsets[p + 1].
struct Detections {
    std::size_t parts;
    const std::ptrdiff_t* offsets;
    const double* coord;  // refined positions, x, y in pixels
    const double* conf;   // confidences; may be missing where only edges are wanted
};
