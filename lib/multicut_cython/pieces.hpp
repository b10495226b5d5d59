// Problems cut into pieces.
//
// Clusters do not influence each other. So any union of whole clusters, together with any suppressed nodes,
// is a problem of the same kind, and what improves it improves the whole. Pieces are such unions, grown along
// negative edges up to a size. Small ones let the search look closely at a few clusters at a time; large ones
// make components of any size tractable.

#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "graph.hpp"
#include "local_search.hpp"
#include "problem.hpp"
#include "random.hpp"

namespace multicut {

// Passes over all nodes in `settle`; the gains of later ones are small (tools/benchmark.py multicut).
constexpr int settling_sweeps = 5;

// Members of each cluster, and last the nodes that belong to none.
inline std::vector<std::vector<Node>> members_by_label(const std::vector<Label>& labels) {
    const Label clusters = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
    std::vector<std::vector<Node>> members(static_cast<std::size_t>(clusters) + 1);
    for (std::size_t v = 0; v < labels.size(); ++v) {
        members[labels[v] == suppressed ? clusters : labels[v]].push_back(static_cast<Node>(v));
    }
    return members;
}

class PieceCutter {
public:
    PieceCutter(const Problem& problem, const std::vector<Label>& labels)
        : problem_(problem), labels_(labels), members_(members_by_label(labels)), taken_(labels.size()) {}

    // All pieces, grown one after another around the first free node in this order, while there is room.
    // A cluster of more than `limit` nodes is in none.
    std::vector<std::vector<Node>> run(const std::vector<Node>& order, std::size_t limit) {
        std::vector<std::vector<Node>> pieces;
        for (const Node seed : order) {
            std::vector<Node> piece;
            take(seed, piece, limit);
            for (std::size_t next = 0; next < piece.size(); ++next) {
                for (const Neighbour& w : problem_.neighbours(static_cast<std::size_t>(piece[next]))) {
                    if (w.cost < 0) take(w.node, piece, limit);
                }
            }
            if (!piece.empty()) pieces.push_back(std::move(piece));
        }
        return pieces;
    }

private:
    // Adds the node's cluster to the piece, if it is free and there is room.
    void take(Node v, std::vector<Node>& piece, std::size_t limit) {
        if (taken_[v]) return;
        const std::vector<Node> alone{v};
        const std::vector<Node>& group = labels_[v] == suppressed ? alone : members_[labels_[v]];
        if (piece.size() + group.size() > limit) return;
        for (const Node w : group) taken_[w] = 1;
        piece.insert(piece.end(), group.begin(), group.end());
    }

    const Problem& problem_;
    const std::vector<Label>& labels_;
    std::vector<std::vector<Node>> members_;
    std::vector<char> taken_;
};

// The problem that a piece is. position: scratch, one entry per node, all -1 before and after.
inline Problem piece_problem(const Problem& problem, const std::vector<Node>& piece, std::vector<Node>& position) {
    Problem result(piece.size());
    for (std::size_t i = 0; i < piece.size(); ++i) position[piece[i]] = static_cast<Node>(i);
    for (std::size_t i = 0; i < piece.size(); ++i) {
        const auto v = static_cast<std::size_t>(piece[i]);
        result.unary[i] = problem.unary[v];
        for (const Neighbour& w : problem.neighbours(v)) {
            if (position[w.node] >= 0) result.append(position[w.node], w.cost);
        }
        result.end_node(i);
    }
    for (const Node v : piece) position[v] = -1;
    return result;
}

// All nodes in random order.
inline std::vector<Node> shuffled_nodes(std::size_t size, Random& random) {
    std::vector<Node> order(size);
    for (std::size_t i = 0; i < size; ++i) {
        order[i] = static_cast<Node>(i);
        std::swap(order[i], order[random.next() % (i + 1)]);
    }
    return order;
}

// Solves each piece of up to `limit` nodes of a problem that has any; solve gets its problem and labels and returns
// labels.
template <class Solve>
std::vector<Label> solve_pieces(const Problem& problem, const std::vector<Label>& labels, std::size_t limit,
                                Random& random, Solve solve) {
    assert(!labels.empty());
    std::vector<Label> result = labels;
    std::vector<Node> position(labels.size(), -1);
    Label next = *std::max_element(labels.begin(), labels.end()) + 1;
    const std::vector<Node> order = shuffled_nodes(labels.size(), random);
    for (const std::vector<Node>& piece : PieceCutter(problem, labels).run(order, limit)) {
        std::vector<Label> part;
        for (const Node v : piece) part.push_back(labels[v]);
        part = solve(piece_problem(problem, piece, position), compact_labels(part));
        for (std::size_t i = 0; i < piece.size(); ++i) {
            result[piece[i]] = part[i] == suppressed ? suppressed : next + part[i];
        }
        next = std::max(next, next + *std::max_element(part.begin(), part.end()) + 1);
    }
    return compact_labels(result);
}

// Moves single nodes where they gain most, in a few sweeps over all nodes, with the graph alone and no table of prices.
// The first sweep always runs, the others while there is time.
inline std::vector<Label> settle(const Problem& problem, std::vector<Label> labels, const Clock& clock) {
    const double tolerance = rounding_tolerance(problem);
    std::vector<double> pull(members_by_label(labels).size(), 0.0);  // of each cluster, and last of a new one
    std::vector<Label> near;
    for (int sweep = 0; sweep < settling_sweeps && (sweep == 0 || clock.time_left()); ++sweep) {
        for (std::size_t v = 0; v < problem.size(); ++v) {
            near.assign(1, static_cast<Label>(pull.size()) - 1);
            for (const Neighbour& w : problem.neighbours(v)) {
                if (labels[w.node] == suppressed) continue;
                near.push_back(labels[w.node]);
                pull[labels[w.node]] += w.cost;
            }
            const auto price = [&](Label k) { return k == suppressed ? 0 : problem.unary[v] + pull[k]; };
            Label best = labels[v];
            const double limit = price(best) - tolerance;
            for (const Label k : near) {
                if (price(k) < std::min(limit, price(best))) best = k;
            }
            if (0 < std::min(limit, price(best))) best = suppressed;
            for (const Label k : near) pull[k] = 0;
            if (best == near[0]) pull.push_back(0.0);
            labels[v] = best;
        }
    }
    return compact_labels(std::move(labels));
}

// The graph whose nodes are the clusters and, after them, the suppressed nodes. group: the new node of each.
inline Graph contract(const Problem& problem, const std::vector<Label>& labels, std::vector<Node>& group) {
    std::vector<std::vector<Node>> members = members_by_label(labels);
    const std::vector<Node> alone = std::move(members.back());
    members.pop_back();
    for (const Node v : alone) members.push_back({v});
    group.resize(labels.size());
    for (std::size_t g = 0; g < members.size(); ++g) {
        for (const Node v : members[g]) group[v] = static_cast<Node>(g);
    }
    Graph graph;
    std::vector<double> cost(members.size(), 0.0);  // from one group to the others
    for (std::size_t g = 0; g < members.size(); ++g) {
        double value = 0;
        std::vector<Node> touched;
        for (const Node v : members[g]) {
            value += problem.unary[v];
            for (const Neighbour& w : problem.neighbours(static_cast<std::size_t>(v))) {
                if (cost[group[w.node]] == 0) touched.push_back(group[w.node]);
                cost[group[w.node]] += w.cost;
            }
        }
        graph.unary.push_back(value + cost[g] / 2);
        for (const Node h : touched) {
            if (h > static_cast<Node>(g) && cost[h] != 0) graph.edges.push_back({static_cast<Node>(g), h, cost[h]});
            cost[h] = 0;
        }
    }
    return graph;
}

}  // namespace multicut
