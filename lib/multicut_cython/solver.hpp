// The solver: reductions, then a search in each component; a component too large for that is cut into pieces.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "components.hpp"
#include "graph.hpp"
#include "pieces.hpp"
#include "search.hpp"

namespace multicut {

struct Settings {
    int effort;  // 0: the first solution; the work of improving it grows with this number
    std::uint64_t seed;
};

// Nodes of a piece: their matrix fits the cache, and larger pieces gain nothing (tools/benchmark.py multicut).
constexpr std::size_t largest_piece = 512;
constexpr int passes_over_pieces = 2;
// Contracted problems larger than this share of the original gain too little to be solved again, which has to end.
constexpr double largest_contraction = 0.9;

inline std::vector<Label> solve(const Graph& graph, const Settings& settings, const Clock& clock);

// Joins what pieces kept apart: single nodes, then clusters, in the problem in which each is one node.
inline std::vector<Label> join_pieces(const Problem& problem, const std::vector<Label>& labels, const Clock& clock) {
    std::vector<Label> result = settle(problem, labels, clock);
    if (!clock.time_left()) return result;
    std::vector<Node> group;
    const Graph contracted = contract(problem, result, group);
    const auto limit = largest_contraction * static_cast<double>(problem.size());
    if (static_cast<double>(contracted.size()) > limit) return result;
    const std::vector<Label> joined = solve(contracted, {0, 0}, clock);
    for (std::size_t v = 0; v < result.size(); ++v) result[v] = joined[group[v]];
    return result;
}

inline std::vector<Label> first_solution_in_pieces(const Problem& problem, const Clock& clock) {
    if (!clock.time_left()) return lone_nodes(problem.unary);
    std::vector<Label> alone(problem.size());
    std::iota(alone.begin(), alone.end(), Label{0});
    const auto solve_piece = [&](const Problem& piece, const std::vector<Label>&) {
        return first_solution(piece, clock);
    };
    Random random(0);
    return join_pieces(problem, solve_pieces(problem, alone, largest_piece, random, solve_piece), clock);
}

inline std::vector<Label> improved_solution_in_pieces(const Problem& problem, std::vector<Label> labels, int effort,
                                                      std::uint64_t seed, const Clock& clock) {
    Random random(seed);
    const auto solve_piece = [&](const Problem& piece, const std::vector<Label>& start) {
        return improved_solution(piece, start, effort, random.next(), clock);
    };
    for (int pass = 0; pass < passes_over_pieces && effort > 0 && clock.time_left(); ++pass) {
        labels = join_pieces(problem, solve_pieces(problem, labels, largest_piece, random, solve_piece), clock);
    }
    return labels;
}

// The time limit is exceeded by at most the time for one piece.
inline std::vector<Label> solve(const Graph& graph, const Settings& settings, const Clock& clock) {
    if (!clock.time_left()) return lone_nodes(graph.unary);
    const std::vector<Component> components = split(graph, clock);
    if (!clock.time_left()) return lone_nodes(graph.unary);
    std::vector<std::vector<Label>> solutions;
    for (const auto& [nodes, problem] : components) {
        const auto start = nodes.size() > largest_piece ? first_solution_in_pieces : first_solution;
        solutions.push_back(start(problem, clock));
    }
    std::vector<Label> labels(graph.size(), suppressed);
    Label first = 0;
    for (std::size_t i = 0; i < components.size(); ++i) {
        const auto& [nodes, problem] = components[i];
        const auto improve = nodes.size() > largest_piece ? improved_solution_in_pieces : improved_solution;
        const std::vector<Label> found =
            improve(problem, std::move(solutions[i]), settings.effort, settings.seed + i, clock);
        for (std::size_t v = 0; v < found.size(); ++v) {
            if (found[v] != suppressed) labels[nodes[v]] = first + found[v];
        }
        first += *std::max_element(found.begin(), found.end()) + 1;
    }
    return connected_clusters(graph, labels);
}

}  // namespace multicut
