// From clusters of detections to people.
//
// A joint of a person lies at the mean of the cluster's detections of that part, weighted by their confidences
// (Insafutdinov et al., DeeperCut, ECCV 2016). Before that, strays are dropped: their other edges may
// keep two detections of one part in a cluster that are hardly one joint, and their mean would lie at neither of
// them. The most confident one counts.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace people {

constexpr std::int32_t suppressed = -1;

struct Detections {
    std::size_t count, parts;
    const std::ptrdiff_t* part;  // below `parts`
    const double* conf;
};

struct Edges {
    std::size_t count;
    const std::int64_t* ends;  // pairs of detections
    const double* cost;
};

// Which joint of which person a detection belongs to.
inline std::size_t slot(const Detections& found, const std::int32_t* labels, std::size_t i) {
    return static_cast<std::size_t>(labels[i]) * found.parts + static_cast<std::size_t>(found.part[i]);
}

// Suppresses detections whose edge to the most confident one of their joint has a positive cost. Of equally confident
// ones the first counts.
inline void drop_strays(const Detections& found, const Edges& edges, std::size_t people, std::int32_t* labels) {
    const std::size_t none = found.count;
    std::vector<std::size_t> surest(people * found.parts, none);
    for (std::size_t i = 0; i < found.count; ++i) {
        if (labels[i] == suppressed) continue;
        std::size_t& best = surest[slot(found, labels, i)];
        if (best == none || found.conf[i] > found.conf[best]) best = i;
    }
    std::vector<std::size_t> strays;
    for (std::size_t edge = 0; edge < edges.count; ++edge) {
        const auto i = static_cast<std::size_t>(edges.ends[2 * edge]);
        const auto j = static_cast<std::size_t>(edges.ends[2 * edge + 1]);
        if (edges.cost[edge] <= 0 || labels[i] == suppressed || labels[i] != labels[j]) continue;
        if (found.part[i] != found.part[j]) continue;
        const std::size_t best = surest[slot(found, labels, i)];
        if (best == i) strays.push_back(j);
        if (best == j) strays.push_back(i);
    }
    for (const std::size_t stray : strays) labels[stray] = suppressed;
}

// Adds up x, y (weighted) and confidence (the highest) of every joint: keypoints is (people, parts, 3), all 0.
// coord: x, y of each detection.
inline void average(const Detections& found, const double* coord, const std::int32_t* labels, std::size_t people,
                    double* keypoints) {
    std::vector<double> total(people * found.parts, 0.0);
    for (std::size_t i = 0; i < found.count; ++i) {
        if (labels[i] == suppressed) continue;
        const std::size_t joint = slot(found, labels, i);
        total[joint] += found.conf[i];
        keypoints[3 * joint] += found.conf[i] * coord[2 * i];
        keypoints[3 * joint + 1] += found.conf[i] * coord[2 * i + 1];
        keypoints[3 * joint + 2] = std::max(keypoints[3 * joint + 2], found.conf[i]);
    }
    for (std::size_t joint = 0; joint < total.size(); ++joint) {
        if (total[joint] <= 0) continue;
        keypoints[3 * joint] /= total[joint];
        keypoints[3 * joint + 1] /= total[joint];
    }
}

}  // namespace people
