// The search for a good solution of one component.
//
// Up to 8 nodes, or 11 where it is difficult, it is exact. Otherwise greedy contraction and local search make a
// start. Rounds of annealing follow, each from the best solution so far, with which its result is recombined; after
// a round that found nothing, the next takes twice as many sweeps. Last, the same is done to small pieces at a higher
// temperature, which takes a few clusters apart and lets them form anew.
//
// How much of this is worth while shows in the frustration of the solution. Where little of the negative costs is
// given away, chains repair what the greedy start got wrong, and one round of annealing that finds nothing is
// convincing. Where more is, it takes several rounds in a row, and the pieces: those are what finds the optimum in
// most problems that would otherwise be missed, so they get the most tries.
// (tools/benchmark.py exactness compares with proven optima.)

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
#include "pieces.hpp"
#include "problem.hpp"
#include "random.hpp"
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
// it pays. In clear pictures it is below a tenth, in contradictory ones a third and more.
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

constexpr double little_frustration = 0.1;

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
    if (problem.size() <= SubsetSolver::instant) return SubsetSolver(problem).run();
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

struct Schedule {
    std::size_t sweeps;
    double hot, cold;
};

inline Recombination anneal(const Problem& problem, const std::vector<Label>& labels, const Schedule& schedule,
                            double tolerance, Random& random, const Clock& clock) {
    const Clusters start(problem, labels);
    Clusters clusters = start;
    Annealing(clusters, random).run(schedule.sweeps, schedule.hot, schedule.cold, [&] { return clock.time_left(); });
    LocalSearch(clusters).descend();
    return recombine(start, clusters, tolerance);
}

// patience: rounds without success before it gives up. Temperatures, sweeps and sizes were found by measuring.
inline std::vector<Label> annealed_solution(const Problem& problem, std::vector<Label> labels, int patience,
                                            std::uint64_t seed, const Clock& clock) {
    if (problem.size() <= SubsetSolver::instant || patience == 0 || !clock.time_left()) return labels;
    constexpr std::size_t least_sweeps = 30, most_sweeps = 3000, sweeps_of_piece = 20, nodes_of_piece = 60;
    constexpr int passes_in_vain = 8;  // over all pieces, per unit of patience
    const double tolerance = rounding_tolerance(problem), scale = typical_gain(problem);
    const bool easy = frustration(problem, labels) < little_frustration;
    if (!easy && problem.size() <= SubsetSolver::affordable) return SubsetSolver(problem).run();
    Random random(seed);
    Schedule schedule{least_sweeps, 0.7 * scale, 0.1 * scale};
    for (int failures = 0; failures < (easy ? std::min(patience, 1) : patience) && clock.time_left();) {
        Recombination best = anneal(problem, labels, schedule, tolerance, random, clock);
        labels = std::move(best.labels);
        failures = best.better ? 0 : failures + 1;
        schedule.sweeps = best.better ? least_sweeps : std::min(2 * schedule.sweeps, most_sweeps);
    }
    schedule = {sweeps_of_piece, 1.4 * scale, 0.1 * scale};
    for (int failures = 0; failures < passes_in_vain * patience && !easy && clock.time_left(); ++failures) {
        const auto solve = [&](const Problem& piece, const std::vector<Label>& start) {
            Recombination best = anneal(piece, start, schedule, tolerance, random, clock);
            if (best.better) failures = -1;
            return best.labels;
        };
        labels = solve_pieces(problem, labels, nodes_of_piece, random, solve);
    }
    return labels;
}

}  // namespace multicut
