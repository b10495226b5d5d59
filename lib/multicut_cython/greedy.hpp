// Greedy additive edge contraction (GAEC): Keuper et al., "Efficient Decomposition of Image and Mesh
// Graphs by Lifted Multicuts", ICCV 2015, here with suppression.
//
// All nodes start alone. The two clusters whose union gains most are joined, parallel edges add up, and
// so on until no union gains. A union gains if the edges between the two are cheaper than what it costs
// to select clusters that would be suppressed if they were left alone:
//     cost(A, B) + max(0, value(A)) + max(0, value(B)) < 0.
// At the end clusters with a positive value are suppressed.
//
// The graphs of crowds are dense, so costs are kept in a matrix: a contraction adds one row to another.

#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "problem.hpp"

namespace multicut {

class GreedyContraction {
public:
    explicit GreedyContraction(const Problem& problem)
        : size_(problem.size()), active_(size_), cost_(size_ * size_), value_(problem.unary), penalty_(size_),
          members_(size_), best_(size_), best_gain_(size_) {
        for (std::size_t v = 0; v < size_; ++v) {
            for (const Neighbour& w : problem.neighbours(v)) row(v)[w.node] += w.cost;
            members_[v].assign(1, static_cast<Node>(v));
            penalty_[v] = std::max(0.0, value_[v]);
        }
        for (std::size_t v = 0; v < active_; ++v) find_best(v);
    }

    std::vector<Label> run() {
        while (active_ > 1) {
            const auto lowest = std::min_element(best_gain_.begin(), best_gain_.begin() + active_);
            if (*lowest >= 0) break;
            const auto a = static_cast<std::size_t>(lowest - best_gain_.begin());
            contract(std::min(a, best_[a]), std::max(a, best_[a]));
        }
        return labels();
    }

private:
    double* row(std::size_t a) { return cost_.data() + a * size_; }

    void find_best(std::size_t a) {
        const double* costs = row(a);
        best_gain_[a] = infinity;
        best_[a] = a;
        for (std::size_t b = 0; b < active_; ++b) {
            const double gain = costs[b] + penalty_[b] + penalty_[a];
            if (gain < best_gain_[a] && a != b) {
                best_gain_[a] = gain;
                best_[a] = b;
            }
        }
    }

    // Joins b into a < b; the last cluster takes the place of b, so that the matrix stays compact.
    void contract(std::size_t a, std::size_t b) {
        double* row_a = row(a);
        const double* row_b = row(b);
        value_[a] += value_[b] + row_a[b];
        penalty_[a] = std::max(0.0, value_[a]);
        members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
        for (std::size_t c = 0; c < active_; ++c) row_a[c] += row_b[c];
        row_a[a] = 0;
        const std::size_t last = --active_;
        if (b != last) replace(b, last);
        for (std::size_t c = 0; c < active_; ++c) row(c)[a] = row_a[c];
        repair(a, b, last);
    }

    // The last cluster gets number b.
    void replace(std::size_t b, std::size_t last) {
        for (std::size_t c = 0; c < last; ++c) row(c)[b] = row(c)[last];
        std::copy_n(row(last), last, row(b));
        row(b)[b] = 0;
        value_[b] = value_[last];
        penalty_[b] = penalty_[last];
        best_[b] = best_[last];
        best_gain_[b] = best_gain_[last];
        members_[b].swap(members_[last]);
    }

    // After a contraction only those whose best partner took part in it can have lost; all may prefer a now.
    void repair(std::size_t a, std::size_t b, std::size_t last) {
        const double* row_a = row(a);
        for (std::size_t c = 0; c < active_; ++c) {
            if (c == a) continue;
            const double gain = row_a[c] + penalty_[c] + penalty_[a];
            if (gain <= best_gain_[c]) {
                best_gain_[c] = gain;
                best_[c] = a;
            } else if (best_[c] == a || best_[c] == b) {
                find_best(c);
            } else if (best_[c] == last) {
                best_[c] = b;
            }
        }
        find_best(a);
    }

    std::vector<Label> labels() const {
        std::vector<Label> result(size_, suppressed);
        for (std::size_t a = 0; a < active_; ++a) {
            if (value_[a] >= 0) continue;
            for (const Node v : members_[a]) result[v] = static_cast<Label>(a);
        }
        return result;
    }

    std::size_t size_, active_;             // nodes; clusters, which are 0 .. active_ - 1
    std::vector<double> cost_;              // of all edges between two clusters
    std::vector<double> value_, penalty_;   // of each cluster; penalty is max(0, value)
    std::vector<std::vector<Node>> members_;
    std::vector<std::size_t> best_;         // best partner of each cluster,
    std::vector<double> best_gain_;         // and what the union with it gains: negative is good
};

}  // namespace multicut
