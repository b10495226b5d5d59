// The search for a good solution of one component.
//
// Up to 8 nodes it is exact. Otherwise greedy contraction and local search make a start; then follow rounds
// of annealing, each from the best solution so far, with which its result is recombined, and after a round
// that found nothing with twice as many sweeps. How much of this is worth while shows in the frustration of the solution: where little of the
// negative costs is given away, chains repair what the greedy start got wrong and one round of annealing
// that finds nothing is convincing; where much is, chains lead nowhere, and annealing gives up only after
// several rounds in a row.

#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "annealing.hpp"
#include "clusters.hpp"
#include "greedy.hpp"
#include "local_search.hpp"
#include "problem.hpp"
#include "recombine.hpp"
#include "subsets.hpp"

namespace multicut {

class Clock {
public:
    explicit Clock(double seconds) : limit_(seconds), start_(std::chrono::steady_clock::now()) {}

    double seconds_left() const {
        if (limit_ == infinity) return infinity;
        return limit_ - std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    bool time_left() const { return seconds_left() > 0; }

private:
    double limit_;
    std::chrono::steady_clock::time_point start_;
};

// The share of negative costs that a solution gives away: those it does not collect, and the positive ones
// it pays. On well-behaved problems it is about a tenth, on contradictory ones a third and more.
inline double frustration(const Problem& problem, const std::vector<Label>& labels) {
    double given = 0, negative = 0;
    for (std::size_t v = 0; v < problem.size(); ++v) {
        for (const Neighbour& w : problem.neighbours(v)) {
            const bool together = labels[v] != suppressed && labels[v] == labels[w.node];
            if (together == (w.cost > 0)) given += std::abs(w.cost);
            if (w.cost < 0) negative -= w.cost;
        }
    }
    return given / negative;
}

constexpr double little_frustration = 0.2;

// Every node that pays for itself in a cluster of its own.
inline std::vector<Label> lone_nodes(const Problem& problem) {
    std::vector<Label> labels(problem.size(), suppressed);
    for (std::size_t v = 0; v < labels.size(); ++v) {
        if (problem.unary[v] < 0) labels[v] = static_cast<Label>(v);
    }
    return labels;
}

inline std::vector<Label> first_solution(const Problem& problem, const Clock& clock) {
    if (!clock.time_left()) return lone_nodes(problem);
    if (problem.size() <= SubsetSolver::largest) return SubsetSolver(problem).run();
    Clusters clusters(problem, GreedyContraction(problem).run());
    LocalSearch search(clusters);
    search.descend();
    if (frustration(problem, clusters.labels()) < little_frustration) search.descend_with_chains();
    return clusters.labels();
}

// The scale of temperatures: the median of what negative edges gain.
inline double typical_gain(const Problem& problem) {
    std::vector<double> gains;
    for (std::size_t v = 0; v < problem.size(); ++v) {
        for (const Neighbour& w : problem.neighbours(v)) {
            if (w.cost < 0) gains.push_back(-w.cost);
        }
    }
    const auto middle = gains.begin() + static_cast<std::ptrdiff_t>(gains.size() / 2);
    std::nth_element(gains.begin(), middle, gains.end());
    return *middle;
}

// patience: rounds without success before it gives up. The constants were found by measuring, on problems with
// much frustration, the time to a given value.
inline std::vector<Label> annealed_solution(const Problem& problem, std::vector<Label> labels, int patience,
                                            std::uint64_t seed, const Clock& clock) {
    if (problem.size() <= SubsetSolver::largest) return labels;
    constexpr double hot = 0.7, cold = 0.1;
    constexpr std::size_t least_sweeps = 30, most_sweeps = 3000;
    const double tolerance = rounding_tolerance(problem), scale = typical_gain(problem);
    if (frustration(problem, labels) < little_frustration) patience = std::min(patience, 1);
    Random random(seed);
    std::size_t sweeps = least_sweeps;
    for (int failures = 0; failures < patience && clock.time_left();) {
        const Clusters start(problem, labels);
        Clusters clusters = start;
        Annealing(clusters, random).run(sweeps, hot * scale, cold * scale, [&] { return clock.time_left(); });
        LocalSearch(clusters).descend();
        Recombination best = recombine(start, clusters, tolerance);
        labels = std::move(best.labels);
        failures = best.better ? 0 : failures + 1;
        sweeps = best.better ? least_sweeps : std::min(2 * sweeps, most_sweeps);
    }
    return labels;
}

}  // namespace multicut
