// Greedy additive edge contraction (GAEC): Keuper et al., "Efficient Decomposition of Image and Mesh
// Graphs by Lifted Multicuts", ICCV 2015, here with suppression.
//
// All nodes start alone. The two clusters whose union gains most are joined, parallel edges add up, and
// so on until no union gains. A union gains if the edges between the two are cheaper than what it costs
// to select a cluster that would be suppressed if it were left alone:
//     cost(A, B) + max(0, value(A)) + max(0, value(B)) < 0.
// At the end clusters with a positive value are suppressed.

#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "dense.hpp"

namespace multicut {

class GreedyContraction {
public:
    // Consumes the problem: its matrix is contracted in place.
    std::vector<Label> run(Dense& problem) {
        start(problem);
        while (active_ > 1) {
            const auto lowest = std::min_element(best_cost_.begin(), best_cost_.begin() + active_);
            if (*lowest >= 0) break;
            const std::size_t a = lowest - best_cost_.begin();
            contract(problem, std::min(a, best_[a]), std::max(a, best_[a]));
        }
        return labels(problem);
    }

private:
    void start(const Dense& problem) {
        active_ = problem.size();
        members_.resize(active_);
        best_.resize(active_);
        best_cost_.resize(active_);
        penalty_.resize(active_);
        for (std::size_t v = 0; v < active_; ++v) {
            members_[v].assign(1, static_cast<Node>(v));
            penalty_[v] = std::max(0.0, problem.unary[v]);
        }
        for (std::size_t v = 0; v < active_; ++v) rescan(problem, v);
    }

    // Finds the best partner of a cluster.
    void rescan(const Dense& problem, std::size_t v) {
        const double* row = problem.row(v);
        best_cost_[v] = std::numeric_limits<double>::infinity();
        best_[v] = v;
        for (std::size_t w = 0; w < active_; ++w) {
            const double gain = row[w] + penalty_[w] + penalty_[v];
            if (gain < best_cost_[v] && w != v) {
                best_cost_[v] = gain;
                best_[v] = w;
            }
        }
    }

    // Joins b into a < b; the last cluster takes the place of b, so that the matrix stays compact.
    void contract(Dense& problem, std::size_t a, std::size_t b) {
        double* row_a = problem.row(a);
        const double* row_b = problem.row(b);
        problem.unary[a] += problem.unary[b] + row_a[b];
        penalty_[a] = std::max(0.0, problem.unary[a]);
        members_[a].insert(members_[a].end(), members_[b].begin(), members_[b].end());
        for (std::size_t w = 0; w < active_; ++w) row_a[w] += row_b[w];
        row_a[a] = 0;
        for (std::size_t w = 0; w < active_; ++w) problem.row(w)[a] = row_a[w];
        const std::size_t last = --active_;
        if (b != last) replace(problem, b, last);
        repair(problem, a, b, last);
    }

    // The last cluster gets number b.
    void replace(Dense& problem, std::size_t b, std::size_t last) {
        for (std::size_t w = 0; w < last; ++w) problem.row(w)[b] = problem.row(w)[last];
        std::copy_n(problem.row(last), last, problem.row(b));
        problem.row(b)[b] = 0;
        problem.unary[b] = problem.unary[last];
        penalty_[b] = penalty_[last];
        best_[b] = best_[last];
        best_cost_[b] = best_cost_[last];
        members_[b].swap(members_[last]);
    }

    // After a contraction only partners of a and b can have changed for the worse.
    void repair(const Dense& problem, std::size_t a, std::size_t b, std::size_t last) {
        const double* row_a = problem.row(a);
        for (std::size_t w = 0; w < active_; ++w) {
            if (w == a) continue;
            const double gain = row_a[w] + penalty_[w] + penalty_[a];
            if (gain <= best_cost_[w]) {
                best_cost_[w] = gain;
                best_[w] = a;
            } else if (best_[w] == a || best_[w] == b) {
                rescan(problem, w);
            } else if (best_[w] == last) {
                best_[w] = b;
            }
        }
        rescan(problem, a);
    }

    std::vector<Label> labels(const Dense& problem) const {
        std::vector<Label> result(problem.size(), suppressed);
        for (std::size_t k = 0; k < active_; ++k) {
            if (problem.unary[k] >= 0) continue;
            for (const Node v : members_[k]) result[v] = static_cast<Label>(k);
        }
        return result;
    }

    std::size_t active_ = 0;
    std::vector<std::vector<Node>> members_;
    std::vector<std::size_t> best_;    // best partner of each cluster
    std::vector<double> best_cost_;    // and what the union with it gains, negative is good
    std::vector<double> penalty_;      // max(0, value): what it costs to select the cluster
};

}  // namespace multicut
