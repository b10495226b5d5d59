// The whole way: reductions, greedy start, local search.

#pragma once

#include <vector>

#include "components.hpp"
#include "dense.hpp"
#include "graph.hpp"
#include "greedy.hpp"
#include "local_search.hpp"

namespace multicut {

inline std::vector<Label> solve(const Graph& graph) {
    std::vector<Label> labels(graph.size(), suppressed);
    Label next = 0;
    Dense problem, contracted;
    GreedyContraction greedy;
    LocalSearch search;
    for (const Component& component : split(graph)) {
        problem.reset(component.nodes.size());
        for (std::size_t v = 0; v < problem.size(); ++v) problem.unary[v] = graph.unary[component.nodes[v]];
        for (const Edge& edge : component.edges) problem.add(edge.a, edge.b, edge.cost);
        contracted = problem;
        std::vector<Label> found = greedy.run(contracted);
        search.run(problem, found);
        Label last = next;
        for (std::size_t v = 0; v < found.size(); ++v) {
            if (found[v] == suppressed) continue;
            labels[component.nodes[v]] = next + found[v];
            last = std::max(last, next + found[v] + 1);
        }
        next = last;
    }
    return connected_clusters(graph, labels);
}

}  // namespace multicut
