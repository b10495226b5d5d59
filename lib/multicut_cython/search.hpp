// The search for a good solution of one component.
//
// Up to 8 nodes, or 11 where it is difficult, it is exact. Otherwise greedy contraction and local search make a
// start, in a few hundredths of the time that greedy contraction and Kernighan-Lin updates take in the solver of
// Levinkov et al. Then the solution is improved for a number of sweeps of annealing that grows with the problem and is
// chosen so that all of it takes no longer than that solver: first the whole problem is annealed again and again, and
// each result recombined with the best solution so far; after a round that found nothing, the same is done to small
// pieces at a higher temperature, which takes a few clusters apart and lets them form anew.
//
// The frustration of the solution shows how much of this is worthwhile. Where little of the negative costs is given
// away, chains repair the faults of the greedy start, and one round of annealing that finds nothing is enough evidence.
// Where more is, the pieces find most of the optima that would otherwise be missed.

#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "annealing.hpp"
#include "clock.hpp"
#include "clusters.hpp"
#include "greedy.hpp"
#include "local_search.hpp"
#include "pieces.hpp"
#include "problem.hpp"
#include "random.hpp"
#include "recombine.hpp"
#include "subsets.hpp"

namespace multicut {

// All of these were chosen by measurements: how many of 600 graphs miss their optimum (tools/benchmark.py exactness),
// and how long contradictory graphs take (tools/benchmark.py multicut).
constexpr double little_frustration = 0.1;
constexpr std::size_t sweeps_per_node = 5, least_sweeps = 180, most_sweeps = 400;  // of annealing, per unit of effort
constexpr std::size_t sweeps_of_round = 30, sweeps_of_piece = 8, nodes_of_piece = 60;
constexpr double round_hot = 0.7, round_cold = 0.1;  // temperatures in units of the typical gain
constexpr double piece_hot = 2.0, piece_cold = 0.15;

// The share of negative costs that a solution gives away: those it does not collect, and the positive ones it pays.
// In clear pictures it is below a tenth, in contradictory ones a third and more. At least one cost must be negative.
inline double frustration(const Problem& problem, const std::vector<Label>& labels) {
    double given = 0, negative = 0;
    for (std::size_t v = 0; v < problem.size(); ++v) {
        for (const Neighbour& w : problem.neighbours(v)) {
            const bool together = labels[v] != suppressed && labels[v] == labels[w.node];
            if (together == (w.cost > 0)) given += std::abs(w.cost);
            if (w.cost < 0) negative -= w.cost;
        }
    }
    assert(negative > 0);
    return given / negative;
}

// Every node that pays for itself in a cluster of its own: the solution when there is no time.
inline std::vector<Label> lone_nodes(const std::vector<double>& unary) {
    std::vector<Label> labels(unary.size(), suppressed);
    Label next = 0;
    for (std::size_t v = 0; v < labels.size(); ++v) {
        if (unary[v] < 0) labels[v] = next++;
    }
    return labels;
}

inline std::vector<Label> first_solution(const Problem& problem, const Clock& clock) {
    if (!clock.time_left()) return lone_nodes(problem.unary);
    if (problem.size() <= SubsetSolver::instant) return SubsetSolver(problem).run();
    Clusters clusters(problem, GreedyContraction(problem).run());
    LocalSearch search(clusters, rounding_tolerance(problem), clock);
    search.descend();
    if (frustration(problem, clusters.labels()) < little_frustration) search.descend_with_chains();
    return clusters.labels();
}

inline bool has_negative_edge(const Problem& problem) {
    for (std::size_t v = 0; v < problem.size(); ++v) {
        for (const Neighbour& w : problem.neighbours(v)) {
            if (w.cost < 0) return true;
        }
    }
    return false;
}

// The scale of temperatures: the median of what negative edges gain, in a problem that has any.
inline double typical_gain(const Problem& problem) {
    std::vector<double> gains;
    for (std::size_t v = 0; v < problem.size(); ++v) {
        for (const Neighbour& w : problem.neighbours(v)) {
            if (w.cost < 0) gains.push_back(-w.cost);
        }
    }
    assert(!gains.empty());
    const auto middle = gains.begin() + static_cast<std::ptrdiff_t>(gains.size() / 2);
    std::nth_element(gains.begin(), middle, gains.end());
    return *middle;
}

// Annealing of a problem that has a negative edge.
class Improvement {
public:
    Improvement(const Problem& problem, std::uint64_t seed, const Clock& clock)
        : problem_(problem), clock_(clock), random_(seed), tolerance_(rounding_tolerance(problem)),
          scale_(typical_gain(problem)) {}

    // Anneals the whole problem until a round finds nothing; returns how many sweeps that took, of those allowed.
    std::size_t improve_whole(std::vector<Label>& labels, std::size_t sweeps) {
        std::size_t done = 0;
        for (bool better = true; better && done < sweeps && clock_.time_left(); done += sweeps_of_round) {
            better = anneal(problem_, labels, {sweeps_of_round, round_hot * scale_, round_cold * scale_});
        }
        return done;
    }

    void improve_pieces(std::vector<Label>& labels, std::size_t sweeps) {
        const Schedule schedule{sweeps_of_piece, piece_hot * scale_, piece_cold * scale_};
        for (std::size_t done = 0; done < sweeps && clock_.time_left(); done += sweeps_of_piece) {
            if (problem_.size() <= nodes_of_piece) {
                anneal(problem_, labels, schedule);
                continue;
            }
            labels = solve_pieces(problem_, labels, nodes_of_piece, random_,
                                  [&](const Problem& piece, std::vector<Label> part) {
                                      anneal(piece, part, schedule);
                                      return part;
                                  });
        }
    }

private:
    // Whether that made the labels better.
    bool anneal(const Problem& problem, std::vector<Label>& labels, const Schedule& schedule) {
        const Clusters start(problem, labels);
        Clusters clusters = start;
        Annealing(clusters, random_).run(schedule, clock_);
        LocalSearch(clusters, tolerance_, clock_).descend();
        Recombination best = recombine(start, clusters, tolerance_);
        labels = std::move(best.labels);
        return best.better;
    }

    const Problem& problem_;
    const Clock& clock_;
    Random random_;
    double tolerance_, scale_;
};

// effort: 0 leaves the labels as they are; the number of sweeps grows with it.
inline std::vector<Label> improved_solution(const Problem& problem, std::vector<Label> labels, int effort,
                                            std::uint64_t seed, const Clock& clock) {
    if (problem.size() <= SubsetSolver::instant || effort == 0 || !clock.time_left()) return labels;
    if (!has_negative_edge(problem)) return labels;
    const bool easy = frustration(problem, labels) < little_frustration;
    if (!easy && problem.size() <= SubsetSolver::affordable) return SubsetSolver(problem).run();
    const std::size_t sweeps = static_cast<std::size_t>(effort) *
                               std::clamp(sweeps_per_node * problem.size(), least_sweeps, most_sweeps);
    Improvement improvement(problem, seed, clock);
    const std::size_t done = improvement.improve_whole(labels, sweeps);
    if (!easy && done < sweeps) improvement.improve_pieces(labels, sweeps - done);
    return labels;
}

}  // namespace multicut
