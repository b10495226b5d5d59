// The problem: node labelling multicut with suppression.
//
// A graph has a cost per node (paid if the node is selected) and a cost per edge (paid if both its ends
// are selected and in the same cluster). A solution suppresses some nodes and partitions the others into
// clusters; it should be as cheap as possible. In pose estimation nodes are detected body parts and
// clusters are people: Pishchulin et al., "DeepCut", CVPR 2016; Insafutdinov et al., "DeeperCut",
// ECCV 2016; Levinkov et al., "Joint Graph Decomposition & Node Labeling", CVPR 2017.
//
// Two nodes without an edge may share a cluster at no cost, so the connected parts of a cluster can be
// told apart at the end: whether clusters are connected plays no role in the search.

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "clock.hpp"

namespace multicut {

using Node = std::int32_t;
using Label = std::int32_t;

constexpr Label suppressed = -1;

struct Edge {
    Node a, b;
    double cost;
};

struct Graph {
    std::vector<double> unary;
    std::vector<Edge> edges;  // parallel edges add up; no edge joins a node with itself

    std::size_t size() const { return unary.size(); }
};

// Edges that are read between two looks at the clock: some .1 ms.
constexpr std::size_t edges_between_looks = 1 << 14;

[[noreturn]] inline void reject(const char* array, std::size_t index, const std::string& why) {
    throw std::invalid_argument(std::string(array) + "[" + std::to_string(index) + "] " + why);
}

// Checks every number and drops edges from a node to itself. ends: 2 * num_edges node numbers.
// When time is up it drops the other edges, too: the search would not look at them.
inline Graph make_graph(const double* unary, std::size_t num_nodes, const std::int64_t* ends, const double* cost,
                        std::size_t num_edges, const Clock& clock) {
    double total = 0;  // of absolute costs: if this is finite, no partial sum can overflow
    for (std::size_t v = 0; v < num_nodes; ++v) {
        if (!std::isfinite(unary[v])) reject("unary", v, "is " + std::to_string(unary[v]) + "; costs must be finite");
        total += std::abs(unary[v]);
    }
    Graph graph;
    graph.unary.assign(unary, unary + num_nodes);
    graph.edges.reserve(num_edges);
    const auto limit = static_cast<std::int64_t>(num_nodes);
    bool wanted = true;
    for (std::size_t e = 0; e < num_edges; ++e) {
        if (e % edges_between_looks == 0) wanted = clock.time_left();
        const std::int64_t a = ends[2 * e], b = ends[2 * e + 1];
        if (a < 0 || a >= limit || b < 0 || b >= limit) {
            reject("edges", e, "is (" + std::to_string(a) + ", " + std::to_string(b) + "); there are " +
                                   std::to_string(limit) + " nodes, counted from 0");
        }
        if (!std::isfinite(cost[e])) reject("cost", e, "is " + std::to_string(cost[e]) + "; costs must be finite");
        total += std::abs(cost[e]);
        if (wanted && a != b) graph.edges.push_back({static_cast<Node>(a), static_cast<Node>(b), cost[e]});
    }
    if (!(total < 1e300)) throw std::invalid_argument("the costs are so large that sums of them overflow");
    return graph;
}

// The value that is minimised. labels: cluster of each node, or suppressed.
inline double objective(const Graph& graph, const std::vector<Label>& labels) {
    double sum = 0;
    for (std::size_t v = 0; v < graph.size(); ++v) {
        if (labels[v] != suppressed) sum += graph.unary[v];
    }
    for (const Edge& edge : graph.edges) {
        if (labels[edge.a] != suppressed && labels[edge.a] == labels[edge.b]) sum += edge.cost;
    }
    return sum;
}

// Disjoint sets with path halving; the smaller root wins, so results do not depend on the order of joins.
class DisjointSets {
public:
    explicit DisjointSets(std::size_t size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), Node{0}); }

    Node find(Node v) {
        while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
        return v;
    }

    void join(Node a, Node b) {
        a = find(a);
        b = find(b);
        if (a < b) parent_[b] = a;
        if (b < a) parent_[a] = b;
    }

private:
    std::vector<Node> parent_;
};

// The same clusters, numbered by first appearance.
inline std::vector<Label> compact_labels(std::vector<Label> labels) {
    std::vector<Label> number;
    Label next = 0;
    for (Label& k : labels) {
        if (k == suppressed) continue;
        if (static_cast<std::size_t>(k) >= number.size()) number.resize(static_cast<std::size_t>(k) + 1, suppressed);
        if (number[k] == suppressed) number[k] = next++;
        k = number[k];
    }
    return labels;
}

// Splits clusters into their connected parts and numbers them by first appearance.
inline std::vector<Label> connected_clusters(const Graph& graph, const std::vector<Label>& labels) {
    DisjointSets sets(graph.size());
    for (const Edge& edge : graph.edges) {
        if (labels[edge.a] != suppressed && labels[edge.a] == labels[edge.b]) sets.join(edge.a, edge.b);
    }
    std::vector<Label> roots(graph.size(), suppressed);
    for (std::size_t v = 0; v < graph.size(); ++v) {
        if (labels[v] != suppressed) roots[v] = sets.find(static_cast<Node>(v));
    }
    return compact_labels(std::move(roots));
}

}  // namespace multicut
