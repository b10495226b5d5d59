// The same problem in the form the search works on: for each node its neighbours and what they cost.

#pragma once

#include <cstddef>
#include <vector>

#include "graph.hpp"

namespace multicut {

struct Neighbour {
    Node node;
    double cost;
};

struct Neighbours {
    const Neighbour *first, *last;
    const Neighbour* begin() const { return first; }
    const Neighbour* end() const { return last; }
};

class Problem {
public:
    std::vector<double> unary;

    explicit Problem(std::size_t size) : unary(size), first_(size + 2) {}

    // Edges are counted first and filled in second, so that each node's neighbours lie side by side.
    void count(Node a, Node b) {
        ++first_[static_cast<std::size_t>(a) + 2];
        ++first_[static_cast<std::size_t>(b) + 2];
    }
    void start_filling() {
        for (std::size_t v = 2; v < first_.size(); ++v) first_[v] += first_[v - 1];
        neighbours_.resize(first_.back());
    }
    void fill(Node a, Node b, double cost) {
        neighbours_[first_[static_cast<std::size_t>(a) + 1]++] = {b, cost};
        neighbours_[first_[static_cast<std::size_t>(b) + 1]++] = {a, cost};
    }


    // Or they are appended node after node, every edge at both its ends.
    void append(Node w, double cost) { neighbours_.push_back({w, cost}); }
    void end_node(std::size_t v) { first_[v + 1] = neighbours_.size(); }

    std::size_t size() const { return unary.size(); }
    Neighbours neighbours(std::size_t v) const {
        return {neighbours_.data() + first_[v], neighbours_.data() + first_[v + 1]};
    }

private:
    std::vector<std::size_t> first_;  // neighbours of v: first_[v] .. first_[v + 1], once filled
    std::vector<Neighbour> neighbours_;
};

}  // namespace multicut
