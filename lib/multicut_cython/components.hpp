// Exact reductions: nodes no optimum needs, and parts of the graph that do not influence each other.
//
// Joining a cluster pays for a node only through its negative edges. So
//   - a node whose own cost and negative edges together do not get below zero can be suppressed, and that
//     takes its edges from its neighbours, which may follow;
//   - a cluster whose negative edges do not connect it is at least as good split. Hence every cluster of
//     some optimum lies within one component of the negative edges, and each component is a problem of
//     its own. (Lange et al., "Combinatorial Persistency Criteria for Multicut and Max-Cut", CVPR 2019.)
// Of parallel edges only the negative ones are counted here, which errs on the safe side.

#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "graph.hpp"

namespace multicut {

struct Component {
    std::vector<Node> nodes;  // in the graph, ascending
    std::vector<Edge> edges;  // ends are positions in nodes
};

// Nodes that may be selected, found by repeated passes over the negative edges.
inline std::vector<char> useful_nodes(const Graph& graph) {
    std::vector<double> lowest = graph.unary;
    std::vector<Edge> negative;
    for (const Edge& edge : graph.edges) {
        if (edge.cost >= 0) continue;
        negative.push_back(edge);
        lowest[edge.a] += edge.cost;
        lowest[edge.b] += edge.cost;
    }
    std::vector<char> useful(graph.size());
    std::size_t before = negative.size() + 1;
    while (true) {
        for (std::size_t v = 0; v < graph.size(); ++v) useful[v] = lowest[v] < 0;
        const auto lost = [&](const Edge& edge) { return !useful[edge.a] || !useful[edge.b]; };
        negative.erase(std::remove_if(negative.begin(), negative.end(), lost), negative.end());
        if (negative.size() == before) return useful;
        before = negative.size();
        lowest = graph.unary;  // summed afresh: taking costs away again would leave rounding behind
        for (const Edge& edge : negative) {
            lowest[edge.a] += edge.cost;
            lowest[edge.b] += edge.cost;
        }
    }
}

inline std::vector<Component> split(const Graph& graph) {
    const std::vector<char> useful = useful_nodes(graph);
    DisjointSets sets(graph.size());
    for (const Edge& edge : graph.edges) {
        if (edge.cost < 0 && useful[edge.a] && useful[edge.b]) sets.join(edge.a, edge.b);
    }
    std::vector<Component> components;
    std::vector<Node> number(graph.size(), -1), position(graph.size());  // of the component, within it
    for (std::size_t v = 0; v < graph.size(); ++v) {
        if (!useful[v]) continue;
        const Node root = sets.find(static_cast<Node>(v));  // the smallest node of its component
        if (static_cast<std::size_t>(root) == v) {
            number[v] = static_cast<Node>(components.size());
            components.emplace_back();
        }
        number[v] = number[root];
        position[v] = static_cast<Node>(components[number[v]].nodes.size());
        components[number[v]].nodes.push_back(static_cast<Node>(v));
    }
    for (const Edge& edge : graph.edges) {
        if (number[edge.a] < 0 || number[edge.a] != number[edge.b]) continue;
        components[number[edge.a]].edges.push_back({position[edge.a], position[edge.b], edge.cost});
    }
    return components;
}

}  // namespace multicut
