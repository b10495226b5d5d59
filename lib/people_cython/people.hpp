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

#include "detections.hpp"

namespace people {

constexpr std::int32_t suppressed = -1;
constexpr std::size_t nobody = static_cast<std::size_t>(-1);

struct Edges {
    std::size_t count;
    const std::int64_t* ends;  // pairs of detections
    const double* cost;
};

// Which joint of which person each detection belongs to: person * parts + part, or nobody.
inline std::vector<std::size_t> joints_of(const Detections& found, const std::int32_t* labels) {
    std::vector<std::size_t> joints;
    for (std::size_t part = 0; part < found.parts; ++part) {
        for (std::ptrdiff_t i = found.offsets[part]; i < found.offsets[part + 1]; ++i) {
            const bool kept = labels[i] != suppressed;
            joints.push_back(kept ? static_cast<std::size_t>(labels[i]) * found.parts + part : nobody);
        }
    }
    return joints;
}

// Suppresses detections whose edge to the most confident one of their joint has a positive cost. Of equally confident
// ones the first counts.
inline void drop_strays(const Detections& found, const Edges& edges, std::size_t people, std::int32_t* labels) {
    const std::vector<std::size_t> joints = joints_of(found, labels);
    std::vector<std::size_t> surest(people * found.parts, nobody);
    for (std::size_t i = 0; i < joints.size(); ++i) {
        if (joints[i] == nobody) continue;
        std::size_t& best = surest[joints[i]];
        if (best == nobody || found.conf[i] > found.conf[best]) best = i;
    }
    for (std::size_t edge = 0; edge < edges.count; ++edge) {
        const auto i = static_cast<std::size_t>(edges.ends[2 * edge]);
        const auto j = static_cast<std::size_t>(edges.ends[2 * edge + 1]);
        if (edges.cost[edge] <= 0 || joints[i] == nobody || joints[i] != joints[j]) continue;
        if (surest[joints[i]] == i) labels[j] = suppressed;
        if (surest[joints[i]] == j) labels[i] = suppressed;
    }
}

// Adds up x, y (weighted) and confidence (the highest) of every joint: keypoints is (people, parts, 3), all 0.
inline void average(const Detections& found, const std::int32_t* labels, std::size_t people, double* keypoints) {
    const std::vector<std::size_t> joints = joints_of(found, labels);
    std::vector<double> total(people * found.parts, 0.0);
    for (std::size_t i = 0; i < joints.size(); ++i) {
        if (joints[i] == nobody) continue;
        double* const keypoint = keypoints + 3 * joints[i];
        total[joints[i]] += found.conf[i];
        keypoint[0] += found.conf[i] * found.coord[2 * i];
        keypoint[1] += found.conf[i] * found.coord[2 * i + 1];
        keypoint[2] = std::max(keypoint[2], found.conf[i]);
    }
    for (std::size_t joint = 0; joint < total.size(); ++joint) {
        if (total[joint] <= 0) continue;
        keypoints[3 * joint] /= total[joint];
        keypoints[3 * joint + 1] /= total[joint];
    }
}

}  // namespace people
