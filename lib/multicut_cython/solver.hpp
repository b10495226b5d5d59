// The whole way: reductions, then a search in each component; components too large for one search in pieces.

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
    int patience;    // rounds of annealing without success before a component is given up
    double seconds;  // time limit, may be infinite; the best solution so far is returned
    std::uint64_t seed;
};

inline std::vector<Label> solve(const Graph& graph, const Settings& settings);

// Puts clusters together that pieces kept apart: the problem in which each is one node is solved quickly.
inline std::vector<Label> join_clusters(const Problem& problem, std::vector<Label> labels) {
    std::vector<Node> group;
    const Graph contracted = contract(problem, labels, group);
    if (contracted.size() > problem.size() / 10 * 9) return labels;  // too little gained: this must come to an end
    const std::vector<Label> joined = solve(contracted, {0, infinity, 0});
    for (std::size_t v = 0; v < labels.size(); ++v) labels[v] = joined[group[v]];
    return labels;
}

inline std::vector<Label> first_solution_in_pieces(const Problem& problem) {
    std::vector<Label> labels(problem.size());
    std::iota(labels.begin(), labels.end(), Label{0});
    const auto solve_piece = [](const Problem& piece, const std::vector<Label>&) { return first_solution(piece); };
    return join_clusters(problem, solve_pieces(problem, labels, false, solve_piece));
}

inline std::vector<Label> annealed_solution_in_pieces(const Problem& problem, std::vector<Label> labels, int patience,
                                                      std::uint64_t seed, const Clock& clock) {
    for (const bool backwards : {true, false}) {
        labels = solve_pieces(problem, labels, backwards, [&](const Problem& piece, const std::vector<Label>& start) {
            return annealed_solution(piece, start, patience, seed++, clock);
        });
        labels = join_clusters(problem, std::move(labels));
    }
    return labels;
}

inline std::vector<Label> solve(const Graph& graph, const Settings& settings) {
    const Clock clock(settings.seconds);
    const std::vector<Component> components = split(graph);
    std::vector<std::vector<Label>> solutions;
    for (const auto& [nodes, problem] : components) {
        solutions.push_back(nodes.size() > largest_piece ? first_solution_in_pieces(problem) : first_solution(problem));
    }
    std::vector<Label> labels(graph.size(), suppressed);
    Label first = 0;
    for (std::size_t i = 0; i < components.size(); ++i) {
        const auto& [nodes, problem] = components[i];
        const auto anneal = nodes.size() > largest_piece ? annealed_solution_in_pieces : annealed_solution;
        const std::vector<Label> found =
            anneal(problem, std::move(solutions[i]), settings.patience, settings.seed + i, clock);
        for (std::size_t v = 0; v < found.size(); ++v) {
            if (found[v] != suppressed) labels[nodes[v]] = first + found[v];
        }
        first += *std::max_element(found.begin(), found.end()) + 1;
    }
    return connected_clusters(graph, labels);
}

}  // namespace multicut
