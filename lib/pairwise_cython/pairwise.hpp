// Edges of the grouping graph and their costs.
//
// Two detections of different parts are compared by how well each lies where the other expects it (Insafutdinov et
// al., DeeperCut, ECCV 2016): distance and angle between observed and predicted offset, forwards and backwards, and
// exp(-f) of the four, weighed by a logistic model of that pair of parts. Two detections of one part are one joint
// with log-odds that fall with their distance. A cost is minus the log-odds of "same person", clipped. Distances count
// in units of the detection that expects the other, so that a model may fit people of all sizes.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "detections.hpp"

namespace pairwise {

constexpr int num_features = 8;
constexpr double full_turn = 6.283185307179586;
// exp(-x) beyond this adds nothing to log-odds of ordinary size.
constexpr double far_away = 50.0;

// What the network predicts at each detection; points and offsets are x, y in pixels.
struct Predictions {
    const double* grid;      // centres of the cells, from which predictions count
    const double* outgoing;  // predicted offsets to the parts - 1 other parts, in order
    const double* unit;      // of distances, above 0
};

struct Model {
    const std::uint8_t* joined;  // (parts, parts): whether parts a < b have edges; those of one part always have
    const double* weights;       // (parts, parts, 9): of the features and of 1
    double same_bias, same_slope;  // the slope per unit, the larger one of both detections
    double limit;                // costs are clipped to [-limit, limit]
};

// Angle between two offsets in [0, pi]. A zero offset points to the right, as in atan2.
inline double angle_between(double ax, double ay, double bx, double by) {
    if ((ax == 0 && ay == 0) || (bx == 0 && by == 0)) {
        const double difference = std::abs(std::atan2(ay, ax) - std::atan2(by, bx));
        return std::min(difference, full_turn - difference);
    }
    return std::abs(std::atan2(ax * by - ay * bx, ax * bx + ay * by));
}

// Log-odds from one direction: the offset from the cell at `from`, compared with the one predicted there.
inline double evidence(const double* from, const double* to, const double* predicted, double unit,
                       const double* weights) {
    const double x = to[0] - from[0], y = to[1] - from[1];
    const double dx = x - predicted[0], dy = y - predicted[1];
    const double distance = std::sqrt(dx * dx + dy * dy) / unit;
    const double angle = angle_between(x, y, predicted[0], predicted[1]);
    double sum = weights[0] * distance + weights[1] * angle + weights[5] * std::exp(-angle);
    if (!(distance > far_away)) sum += weights[4] * std::exp(-distance);
    return sum;
}

inline double clip(double cost, double limit) {
    return cost < -limit ? -limit : cost > limit ? limit : cost;
}

inline double same_part_cost(const double* a, const double* b, double unit, const Model& model) {
    const double dx = a[0] - b[0], dy = a[1] - b[1];
    return clip(-(model.same_bias + model.same_slope * std::sqrt(dx * dx + dy * dy) / unit), model.limit);
}

inline bool has_edges(const Model& model, std::size_t parts, std::size_t a, std::size_t b) {
    return a == b || model.joined[a * parts + b];
}

inline std::size_t count_edges(const Detections& found, const Model& model) {
    std::size_t total = 0;
    for (std::size_t a = 0; a < found.parts; ++a) {
        const auto first = static_cast<std::size_t>(found.offsets[a + 1] - found.offsets[a]);
        total += first * (first - 1) / 2;
        for (std::size_t b = a + 1; b < found.parts; ++b) {
            if (!has_edges(model, found.parts, a, b)) continue;
            total += first * static_cast<std::size_t>(found.offsets[b + 1] - found.offsets[b]);
        }
    }
    return total;
}

// Writes all edges and costs, ordered by pair of parts, then by the first detection, then by the second.
inline void fill_edges(const Detections& found, const Predictions& predicted, const Model& model, std::int64_t* edges,
                       double* cost) {
    const std::size_t others = found.parts - 1;
    for (std::size_t a = 0; a < found.parts; ++a) {
        for (std::size_t b = a; b < found.parts; ++b) {
            if (!has_edges(model, found.parts, a, b)) continue;
            const double* forward = model.weights + (a * found.parts + b) * (num_features + 1);
            // Of the features, the first four are 0, 1 forwards and 2, 3 backwards; so are their exponentials.
            const double* backward = forward + 2;
            for (std::ptrdiff_t i = found.offsets[a]; i < found.offsets[a + 1]; ++i) {
                for (std::ptrdiff_t j = a == b ? i + 1 : found.offsets[b]; j < found.offsets[b + 1]; ++j) {
                    *edges++ = i;
                    *edges++ = j;
                    if (a == b) {
                        const double unit = std::max(predicted.unit[i], predicted.unit[j]);
                        *cost++ = same_part_cost(found.coord + 2 * i, found.coord + 2 * j, unit, model);
                        continue;
                    }
                    const auto row = [&](std::ptrdiff_t node, std::size_t column) {
                        return predicted.outgoing + 2 * (static_cast<std::size_t>(node) * others + column);
                    };
                    // In the list of the parts other than a, a later part b stands at b - 1.
                    const double sum = forward[num_features]
                        + evidence(predicted.grid + 2 * i, found.coord + 2 * j, row(i, b - 1), predicted.unit[i], forward)
                        + evidence(predicted.grid + 2 * j, found.coord + 2 * i, row(j, a), predicted.unit[j], backward);
                    *cost++ = clip(-sum, model.limit);
                }
            }
        }
    }
}

}  // namespace pairwise
