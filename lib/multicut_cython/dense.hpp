// A small problem with all its costs in one matrix: what the search works on.

#pragma once

#include <cstddef>
#include <vector>

#include "graph.hpp"

namespace multicut {

// cost(v, w) is symmetric with a zero diagonal; no edge costs zero.
class Dense {
public:
    std::vector<double> unary;

    void reset(std::size_t size) {
        unary.assign(size, 0);
        cost_.assign(size * size, 0);
    }

    std::size_t size() const { return unary.size(); }
    double* row(std::size_t v) { return cost_.data() + v * size(); }
    const double* row(std::size_t v) const { return cost_.data() + v * size(); }

    void add(std::size_t v, std::size_t w, double cost) {
        row(v)[w] += cost;
        row(w)[v] += cost;
    }

private:
    std::vector<double> cost_;
};

inline double objective(const Dense& problem, const std::vector<Label>& labels) {
    double sum = 0;
    for (std::size_t v = 0; v < problem.size(); ++v) {
        if (labels[v] == suppressed) continue;
        sum += problem.unary[v];
        const double* row = problem.row(v);
        for (std::size_t w = 0; w < v; ++w) {
            if (labels[w] == labels[v]) sum += row[w];
        }
    }
    return sum;
}

}  // namespace multicut
