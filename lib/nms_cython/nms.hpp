// Greedy non-maximum suppression on score maps.
//
// Peaks are taken in order of decreasing score; each peak taken covers a neighbourhood (the footprint)
// in which no further peak may stand. This is the detection step of DeeperCut (Insafutdinov et al.,
// ECCV 2016), where the footprint is a disc of a few cells.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace nms {

// Columns x0..x1 (inclusive) of the row dy of a footprint, relative to its centre.
struct Run {
    std::int32_t dy, x0, x1;
};

using Footprint = std::vector<Run>;

// The map of one part inside an interleaved array: cell c of part j is scores[c * parts + j].
struct Shape {
    std::int32_t rows, columns, parts;
    std::size_t cells() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }
};

struct Peaks {
    std::vector<std::ptrdiff_t> offsets;  // peaks of part j: offsets[j] .. offsets[j + 1]
    std::vector<std::int32_t> cells;      // row-major index of each peak, by decreasing score within a part
};

// The disc dx^2 + dy^2 <= r^2 with r = ceil(radius); what exceeds any map of this shape is cut off.
inline Footprint disc(double radius, const Shape& shape) {
    const double limit = static_cast<double>(shape.rows) + static_cast<double>(shape.columns);
    const auto r = static_cast<std::int64_t>(std::ceil(std::min(radius, limit)));
    Footprint runs;
    for (std::int64_t dy = -r; dy <= r; ++dy) {
        auto half = static_cast<std::int64_t>(std::sqrt(static_cast<double>(r * r - dy * dy)));
        while (half * half + dy * dy > r * r) --half;
        while ((half + 1) * (half + 1) + dy * dy <= r * r) ++half;
        runs.push_back({static_cast<std::int32_t>(dy), static_cast<std::int32_t>(-half),
                        static_cast<std::int32_t>(half)});
    }
    return runs;
}

// Any footprint, given as an odd-sized mask around its centre.
inline Footprint from_mask(const std::uint8_t* mask, std::int32_t rows, std::int32_t columns) {
    Footprint runs;
    for (std::int32_t y = 0; y < rows; ++y) {
        const std::uint8_t* row = mask + static_cast<std::ptrdiff_t>(y) * columns;
        for (std::int32_t x = 0; x < columns; ++x) {
            if (!row[x]) continue;
            const std::int32_t start = x;
            while (x + 1 < columns && row[x + 1]) ++x;
            runs.push_back({y - rows / 2, start - columns / 2, x - columns / 2});
        }
    }
    return runs;
}

// The smallest float32 at or above a double: comparing with it is comparing with the double itself.
inline float float_at_or_above(double threshold) {
    const auto nearest = static_cast<float>(threshold);
    const bool below = static_cast<double>(nearest) < threshold;
    return below ? std::nextafter(nearest, std::numeric_limits<float>::infinity()) : nearest;
}

struct Candidate {
    float score;
    std::int32_t cell;
};

// Scores tested at once: a few vectors of the processor (tools/benchmark.py decode).
constexpr std::size_t block = 32;

// All cells that reach the threshold, per part. Few do, so the scan first tests a whole block at once,
// in a loop the compiler turns into vector instructions. A NaN passes that test and is caught afterwards.
inline void collect(const float* scores, const Shape& shape, double threshold,
                    std::vector<std::vector<Candidate>>& candidates) {
    const float low = float_at_or_above(threshold);
    const auto parts = static_cast<std::size_t>(shape.parts);
    const std::size_t total = shape.cells() * parts;
    for (std::size_t start = 0; start < total; start += block) {
        const std::size_t count = std::min(block, total - start);
        const float* values = scores + start;
        int hits = 0;
        if (count == block) {
            for (std::size_t i = 0; i < block; ++i) hits += !(values[i] < low);
        }
        if (count == block && hits == 0) continue;
        for (std::size_t i = 0; i < count; ++i) {
            if (values[i] < low) continue;
            const std::size_t cell = (start + i) / parts, part = (start + i) % parts;
            if (std::isnan(values[i])) {
                const auto columns = static_cast<std::size_t>(shape.columns);
                throw std::invalid_argument("score is NaN at row " + std::to_string(cell / columns) + ", column " +
                                            std::to_string(cell % columns) + ", part " + std::to_string(part));
            }
            candidates[part].push_back({values[i], static_cast<std::int32_t>(cell)});
        }
    }
}

// Marks the footprint around a cell as covered, clipped to the map.
inline void cover(std::vector<std::uint8_t>& covered, const Shape& shape, const Footprint& footprint,
                  std::int32_t cell) {
    const std::int32_t row = cell / shape.columns, column = cell % shape.columns;
    for (const Run& run : footprint) {
        const std::int32_t y = row + run.dy;
        if (y < 0 || y >= shape.rows) continue;
        const std::int32_t x0 = std::max(column + run.x0, 0);
        const std::int32_t x1 = std::min(column + run.x1, shape.columns - 1);
        if (x0 > x1) continue;
        const auto line = covered.begin() + static_cast<std::ptrdiff_t>(y) * shape.columns;
        std::fill(line + x0, line + x1 + 1, std::uint8_t{1});
    }
}

// Peaks of every part. Equal scores are taken in row-major order.
inline Peaks find_peaks(const float* scores, const Shape& shape, const Footprint& footprint, double threshold) {
    std::vector<std::vector<Candidate>> candidates(static_cast<std::size_t>(shape.parts));
    collect(scores, shape, threshold, candidates);
    Peaks peaks;
    peaks.offsets.push_back(0);
    std::vector<std::uint8_t> covered;
    for (auto& list : candidates) {
        std::sort(list.begin(), list.end(), [](const Candidate& a, const Candidate& b) {
            return a.score != b.score ? a.score > b.score : a.cell < b.cell;
        });
        if (!list.empty()) covered.assign(shape.cells(), 0);
        for (const Candidate& candidate : list) {
            if (covered[static_cast<std::size_t>(candidate.cell)]) continue;
            peaks.cells.push_back(candidate.cell);
            cover(covered, shape, footprint, candidate.cell);
        }
        peaks.offsets.push_back(static_cast<std::ptrdiff_t>(peaks.cells.size()));
    }
    return peaks;
}

}  // namespace nms
