// Exact reductions: nodes that no optimum needs, and parts of the graph that do not influence each other.
//
// Only negative edges speak for putting nodes together. So
//   - a node whose own cost and negative edges together do not get below zero can be suppressed, and that
//     takes its edges from its neighbours, which may follow;
//   - a cluster that its negative edges do not connect is at least as good split. Hence in some optimum
//     every cluster lies within one component of the negative edges, and each component is a problem of
//     its own. (For multicuts without suppression: Lange, Andres, Swoboda, "Combinatorial Persistency
//     Criteria for Multicut and Max-Cut", CVPR 2019.)
// Of parallel edges the negative ones alone are counted here, which errs on the safe side.

#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "graph.hpp"
#include "problem.hpp"

namespace multicut {

struct Component {
    std::vector<Node> nodes;  // in the graph, ascending
    Problem problem;          // its node i is nodes[i]
};

// Drops nodes that cannot pay for themselves, and their edges from the negative edges, until all can or time is up.
inline std::vector<char> useful_nodes(const Graph& graph, std::vector<Edge>& negative, const Clock& clock) {
    std::vector<char> useful(graph.size());
    std::vector<double> lowest;
    for (std::size_t before = negative.size() + 1; negative.size() < before && clock.time_left();) {
        before = negative.size();
        lowest = graph.unary;
        for (const Edge& edge : negative) {
            lowest[edge.a] += edge.cost;
            lowest[edge.b] += edge.cost;
        }
        for (std::size_t v = 0; v < graph.size(); ++v) useful[v] = lowest[v] < 0;
        const auto lost = [&](const Edge& edge) { return !useful[edge.a] || !useful[edge.b]; };
        negative.erase(std::remove_if(negative.begin(), negative.end(), lost), negative.end());
    }
    return useful;
}

// Copies the edges within components into their problems.
inline void fill_edges(const Graph& graph, const std::vector<Node>& number, const std::vector<Node>& position,
                       std::vector<Component>& components) {
    const auto is_inner = [&](const Edge& edge) { return number[edge.a] >= 0 && number[edge.a] == number[edge.b]; };
    for (const Edge& edge : graph.edges) {
        if (is_inner(edge)) components[number[edge.a]].problem.count(position[edge.a], position[edge.b]);
    }
    for (Component& component : components) component.problem.start_filling();
    for (const Edge& edge : graph.edges) {
        if (is_inner(edge)) components[number[edge.a]].problem.fill(position[edge.a], position[edge.b], edge.cost);
    }
}

// The components, without their edges if time is up.
inline std::vector<Component> split(const Graph& graph, const Clock& clock) {
    std::vector<Edge> negative;
    for (const Edge& edge : graph.edges) {
        if (edge.cost < 0) negative.push_back(edge);
    }
    const std::vector<char> useful = useful_nodes(graph, negative, clock);
    DisjointSets sets(graph.size());
    for (const Edge& edge : negative) sets.join(edge.a, edge.b);

    std::vector<std::vector<Node>> members;
    std::vector<Node> number(graph.size(), -1), position(graph.size());  // of the component; within it
    for (std::size_t v = 0; v < graph.size(); ++v) {
        if (!useful[v]) continue;
        const Node root = sets.find(static_cast<Node>(v));  // the smallest node of its component
        if (number[root] < 0) {
            number[root] = static_cast<Node>(members.size());
            members.emplace_back();
        }
        number[v] = number[root];
        position[v] = static_cast<Node>(members[number[v]].size());
        members[number[v]].push_back(static_cast<Node>(v));
    }

    std::vector<Component> components;
    components.reserve(members.size());
    for (auto& nodes : members) {
        Problem problem(nodes.size());
        for (std::size_t i = 0; i < nodes.size(); ++i) problem.unary[i] = graph.unary[nodes[i]];
        components.push_back({std::move(nodes), std::move(problem)});
    }
    if (clock.time_left()) fill_edges(graph, number, position, components);
    return components;
}

}  // namespace multicut
