// Local search with suppression: single moves, joins, and Kernighan-Lin chains.
//
// A move takes a node to another cluster, to a new one, or suppresses it; a join unites two clusters.
//
// A Kernighan-Lin chain (Kernighan and Lin 1970; for multicuts Keuper et al., ICCV 2015; with node
// labels Levinkov et al., CVPR 2017) works on two clusters, the second of which may be empty: it keeps
// making the best move between the two, even if that move costs something, never moves a node twice, and
// in the end returns to the cheapest state it passed through. Here a move may also suppress a node or
// select a suppressed one. A chain with an empty cluster can split the other.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "clock.hpp"
#include "clusters.hpp"

namespace multicut {

// Gains below this are rounding: sums of costs carry errors of some 1e-16 of the largest cost.
inline double rounding_tolerance(const Problem& problem) {
    double largest = 0;
    for (std::size_t v = 0; v < problem.size(); ++v) {
        largest = std::max(largest, std::abs(problem.unary[v]));
        for (const Neighbour& w : problem.neighbours(v)) largest = std::max(largest, std::abs(w.cost));
    }
    return 1e-11 * largest;
}

class LocalSearch {
public:
    // tolerance: gains below it do not count (rounding_tolerance)
    LocalSearch(Clusters& clusters, double tolerance, const Clock& clock)
        : clusters_(clusters), problem_(clusters.problem()), tolerance_(tolerance), clock_(clock) {}

    // Moves and joins until none gains, or time is up.
    void descend() {
        do {
            while (move_nodes()) {
            }
        } while (join_clusters());
    }

    // Moves, joins and chains until none gains, or time is up.
    void descend_with_chains() {
        do {
            descend();
        } while (run_chains());
    }

private:
    bool move_nodes() {
        if (!clock_.time_left()) return false;
        bool improved = false;
        for (std::size_t v = 0; v < problem_.size(); ++v) {
            const Label to = best_label(v);
            if (clusters_.price(v, to) >= clusters_.price(v, clusters_.label(v)) - tolerance_) continue;
            clusters_.move(v, to);
            improved = true;
        }
        return improved;
    }

    Label best_label(std::size_t v) const {
        const double* pull = clusters_.pull(v);
        const double* closed = clusters_.closed();
        double lowest = -problem_.unary[v];  // of suppression, if prices are taken relative to the node's own cost
        Label best = suppressed;
        for (std::size_t k = 0; k < clusters_.slots(); ++k) {
            const double price = pull[k] + closed[k];
            if (price < lowest) {
                lowest = price;
                best = static_cast<Label>(k);
            }
        }
        return best;
    }

    bool join_clusters() {
        if (!clock_.time_left()) return false;
        std::vector<std::vector<Node>> members(clusters_.slots());
        for (std::size_t v = 0; v < problem_.size(); ++v) {
            if (clusters_.label(v) != suppressed) members[clusters_.label(v)].push_back(static_cast<Node>(v));
        }
        bool improved = false;
        std::vector<double> cost;  // of all edges between one cluster and each
        for (std::size_t a = 0; a < members.size(); ++a) {
            const bool grown = clusters_.members(static_cast<Label>(a)) > members[a].size();
            if (members[a].empty() || grown) continue;
            cost.assign(clusters_.closed(), clusters_.closed() + members.size());
            for (const Node v : members[a]) {
                for (std::size_t k = 0; k < cost.size(); ++k) cost[k] += clusters_.pull(v)[k];
            }
            cost[a] = infinity;
            const auto best = std::min_element(cost.begin(), cost.end());
            if (*best >= -tolerance_) continue;
            for (const Node v : members[a]) clusters_.move(v, static_cast<Label>(best - cost.begin()));
            improved = true;
        }
        return improved;
    }

    // Chains between each cluster and the clusters its negative edges lead to, and an empty one.
    bool run_chains() {
        bool improved = false;
        for (std::size_t k = 0; k < clusters_.slots(); ++k) {
            const auto a = static_cast<Label>(k);
            if (clusters_.members(a) == 0) continue;
            if (!clock_.time_left()) return false;
            for (const Label b : partners(a)) improved |= chain(a, b);
            improved |= chain(a, clusters_.spare());
        }
        return improved;
    }

    // Clusters after a that share a negative edge with it.
    std::vector<Label> partners(Label a) const {
        std::vector<Label> found;
        for (std::size_t v = 0; v < problem_.size(); ++v) {
            if (clusters_.label(v) != a) continue;
            for (const Neighbour& w : problem_.neighbours(v)) {
                if (w.cost < 0 && clusters_.label(w.node) > a) found.push_back(clusters_.label(w.node));
            }
        }
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        return found;
    }

    struct Move {
        Node node;
        Label to;
        double gain;  // change of the objective: negative is good
    };

    bool chain(Label a, Label b) {
        std::vector<Node> open = nodes_of_chain(a, b);
        std::vector<Move> done;  // to: where the node came from
        double total = 0, lowest = -tolerance_;
        std::size_t keep = 0;
        while (!open.empty()) {
            const Move next = take_best(open, a, b);
            done.push_back({next.node, clusters_.label(next.node), next.gain});
            clusters_.move(next.node, next.to);
            total += next.gain;
            if (total < lowest) {
                lowest = total;
                keep = done.size();
            }
        }
        for (; done.size() > keep; done.pop_back()) clusters_.move(done.back().node, done.back().to);
        return keep > 0;
    }

    // The members of both clusters and the suppressed nodes that negative edges tie to one of them.
    std::vector<Node> nodes_of_chain(Label a, Label b) const {
        std::vector<Node> nodes;
        for (std::size_t v = 0; v < problem_.size(); ++v) {
            const Label k = clusters_.label(v);
            const bool tied = clusters_.pull(v)[a] < 0 || clusters_.pull(v)[b] < 0;
            if (k == a || k == b || (k == suppressed && tied)) nodes.push_back(static_cast<Node>(v));
        }
        return nodes;
    }

    // Removes the node with the best move from the open ones.
    Move take_best(std::vector<Node>& open, Label a, Label b) const {
        std::size_t pick = 0;
        Move best = best_in_chain(open[0], a, b);
        for (std::size_t i = 1; i < open.size(); ++i) {
            const Move other = best_in_chain(open[i], a, b);
            if (other.gain < best.gain) {
                best = other;
                pick = i;
            }
        }
        open[pick] = open.back();
        open.pop_back();
        return best;
    }

    // The best state of a node within a chain other than the one it is in.
    Move best_in_chain(Node v, Label a, Label b) const {
        const double now = clusters_.price(v, clusters_.label(v));
        Move best{v, suppressed, infinity};
        for (const Label k : {suppressed, a, b}) {
            const double gain = clusters_.price(v, k) - now;
            if (k != clusters_.label(v) && gain < best.gain) best = {v, k, gain};
        }
        return best;
    }

    Clusters& clusters_;
    const Problem& problem_;
    double tolerance_;
    const Clock& clock_;
};

}  // namespace multicut
