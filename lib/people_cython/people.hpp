// From clusters of detections to people.
//
// A joint of a person lies at the mean of the cluster's detections of that part, weighted by their confidences
// (Insafutdinov et al., DeeperCut, ECCV 2016). Before that, strays are dropped: their other edges may
// keep two detections of one part in a cluster although they lie far apart, and their mean would lie at neither of
// them. The most confident one counts.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace people {

constexpr std::int32_t suppressed = -1;

struct Detections {
    std::size_t count, parts;
    const std::ptrdiff_t* part;  // below `parts`
    const double* conf;
    const double* coord;  // x, y
};

// Which joint of which person a detection belongs to.
inline std::size_t slot(const Detections& found, const std::int32_t* labels, std::size_t i) {
    return static_cast<std::size_t>(labels[i]) * found.parts + static_cast<std::size_t>(found.part[i]);
}

// Suppresses detections for which bias + slope * distance to the most confident one of their joint is negative: the
// log-odds that both are one joint. Of equally confident ones the first counts.
inline void drop_strays(const Detections& found, double bias, double slope, std::size_t people, std::int32_t* labels) {
    const std::size_t none = found.count;
    std::vector<std::size_t> surest(people * found.parts, none);
    for (std::size_t i = 0; i < found.count; ++i) {
        if (labels[i] == suppressed) continue;
        std::size_t& best = surest[slot(found, labels, i)];
        if (best == none || found.conf[i] > found.conf[best]) best = i;
    }
    for (std::size_t i = 0; i < found.count; ++i) {
        if (labels[i] == suppressed) continue;
        const double* here = found.coord + 2 * i;
        const double* there = found.coord + 2 * surest[slot(found, labels, i)];
        const double dx = here[0] - there[0], dy = here[1] - there[1];
        if (bias + slope * std::sqrt(dx * dx + dy * dy) < 0) labels[i] = suppressed;
    }
}

// Adds up x, y (weighted) and confidence (the highest) of every joint: keypoints is (people, parts, 3), all 0.
inline void average(const Detections& found, const std::int32_t* labels, std::size_t people, double* keypoints) {
    std::vector<double> total(people * found.parts, 0.0);
    for (std::size_t i = 0; i < found.count; ++i) {
        if (labels[i] == suppressed) continue;
        const std::size_t joint = slot(found, labels, i);
        total[joint] += found.conf[i];
        keypoints[3 * joint] += found.conf[i] * found.coord[2 * i];
        keypoints[3 * joint + 1] += found.conf[i] * found.coord[2 * i + 1];
        keypoints[3 * joint + 2] = std::max(keypoints[3 * joint + 2], found.conf[i]);
    }
    for (std::size_t joint = 0; joint < total.size(); ++joint) {
        if (total[joint] <= 0) continue;
        keypoints[3 * joint] /= total[joint];
        keypoints[3 * joint + 1] /= total[joint];
    }
}

}  // namespace people
