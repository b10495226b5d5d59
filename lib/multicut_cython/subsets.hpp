// The exact optimum of a tiny problem, by dynamic programming over sets of nodes.
//
// The lowest node of a set is either suppressed, or forms a cluster with any of the others; what remains
// is a smaller set. With n nodes that takes 3^n steps.

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "problem.hpp"

namespace multicut {

class SubsetSolver {
public:
    // Up to this many nodes it is faster than a greedy start, and than the search in a frustrated problem
    // (tools/benchmark.py multicut).
    static constexpr std::size_t instant = 8, affordable = 11;

    explicit SubsetSolver(const Problem& problem)
        : size_(problem.size()), value_(sets()), best_(sets()), cluster_(sets()) {
        assert(size_ <= affordable);
        std::vector<double> cost(size_ * size_, 0.0);
        for (std::size_t v = 0; v < size_; ++v) {
            for (const Neighbour& w : problem.neighbours(v)) cost[v * size_ + w.node] += w.cost;
        }
        for (std::uint32_t set = 1; set < sets(); ++set) {
            const std::size_t v = lowest(set);
            value_[set] = value_[set & (set - 1)] + problem.unary[v];
            for (std::size_t w = v + 1; w < size_; ++w) {
                if (set >> w & 1) value_[set] += cost[v * size_ + w];
            }
        }
    }

    std::vector<Label> run() {
        for (std::uint32_t set = 1; set < sets(); ++set) find_best(set);
        std::vector<Label> labels(size_, suppressed);
        Label next = 0;
        for (std::uint32_t set = static_cast<std::uint32_t>(sets() - 1); set != 0;) {
            const std::uint32_t cluster = cluster_[set];
            for (std::size_t v = 0; v < size_; ++v) {
                if (cluster >> v & 1) labels[v] = next;
            }
            next += cluster != 0;
            set = cluster == 0 ? set & (set - 1) : set & ~cluster;
        }
        return labels;
    }

private:
    std::size_t sets() const { return std::size_t{1} << size_; }

    static std::size_t lowest(std::uint32_t set) {
        std::size_t v = 0;
        while (!(set >> v & 1)) ++v;
        return v;
    }

    // Runs through all subsets of the other nodes, from all of them to none.
    void find_best(std::uint32_t set) {
        const std::uint32_t others = set & (set - 1), first = set ^ others;
        best_[set] = best_[others];
        cluster_[set] = 0;
        for (std::uint32_t rest = others;; rest = (rest - 1) & others) {
            const double value = value_[first | rest] + best_[others ^ rest];
            if (value < best_[set]) {
                best_[set] = value;
                cluster_[set] = first | rest;
            }
            if (rest == 0) return;
        }
    }

    std::size_t size_;
    std::vector<double> value_;           // of each set as one cluster
    std::vector<double> best_;            // optimum of each set
    std::vector<std::uint32_t> cluster_;  // the lowest node's cluster in that optimum; 0: it is suppressed
};

}  // namespace multicut
