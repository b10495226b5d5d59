// A solution under construction, with a table of the prices of all possible moves.
//
// Clusters live in numbered slots. For every node v and slot k the table holds
//     pull(v)[k] = cost of all edges between v and the members of k,
// so that moving v to k costs unary(v) + pull(v)[k], suppressing it costs 0, and neither needs the graph. A
// move updates one or two columns of the table at the node's neighbours.

#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "problem.hpp"

namespace multicut {

class Clusters {
public:
    Clusters(const Problem& problem, const std::vector<Label>& labels)
        : problem_(problem), label_(problem.size(), suppressed) {
        Label used = 0;
        for (const Label k : labels) used = std::max(used, k + 1);
        resize(static_cast<std::size_t>(used) + spare_slots);
        open_spare();
        for (std::size_t v = 0; v < labels.size(); ++v) {
            if (labels[v] != suppressed) move(v, labels[v]);
        }
    }

    const Problem& problem() const { return problem_; }
    const std::vector<Label>& labels() const { return label_; }
    Label label(std::size_t v) const { return label_[v]; }
    std::size_t members(Label k) const { return count_[k]; }

    // A multiple of 8, so that loops over slots vectorise.
    std::size_t slots() const { return slots_; }
    double* pull(std::size_t v) { return pull_.data() + v * slots_; }
    const double* pull(std::size_t v) const { return pull_.data() + v * slots_; }

    // The one empty slot that new clusters start in.
    Label spare() const { return spare_; }

    // To be added to the pull of a slot: 0, or infinity for empty slots other than the spare one.
    const double* closed() const { return closed_.data(); }

    double price(std::size_t v, Label k) const {
        return k == suppressed ? 0 : problem_.unary[v] + pull(v)[k];
    }

    // A node's contribution to the objective, with half of its edges.
    double share(std::size_t v) const {
        return label_[v] == suppressed ? 0 : problem_.unary[v] + pull(v)[label_[v]] / 2;
    }

    void move(std::size_t v, Label to) {
        const Label from = label_[v];
        if (from == to) return;
        label_[v] = to;
        shift_pull(v, from, to);
        if (from != suppressed && --count_[from] == 0) closed_[from] = infinity;
        if (to != suppressed && count_[to]++ == 0) closed_[to] = 0;
        if (count_[spare_] != 0) open_spare();
    }

private:
    static constexpr std::size_t spare_slots = 4;  // for new clusters, before the table has to grow

    void resize(std::size_t wanted) {
        const std::size_t slots = (wanted + 7) / 8 * 8;
        std::vector<double> pull(problem_.size() * slots, 0.0);
        for (std::size_t v = 0; v < problem_.size(); ++v) {
            std::copy_n(pull_.data() + v * slots_, slots_, pull.data() + v * slots);
        }
        pull_.swap(pull);
        count_.resize(slots, 0);
        closed_.resize(slots, infinity);
        slots_ = slots;
    }

    // Takes the node's edges from the pull of one cluster to that of another, in one pass over its neighbours.
    void shift_pull(std::size_t v, Label from, Label to) {
        if (from == suppressed) {
            for (const Neighbour& w : problem_.neighbours(v)) pull(w.node)[to] += w.cost;
        } else if (to == suppressed) {
            for (const Neighbour& w : problem_.neighbours(v)) pull(w.node)[from] -= w.cost;
        } else {
            for (const Neighbour& w : problem_.neighbours(v)) {
                double* row = pull(w.node);
                row[from] -= w.cost;
                row[to] += w.cost;
            }
        }
    }

    void open_spare() {
        spare_ = static_cast<Label>(std::find(count_.begin(), count_.end(), std::size_t{0}) - count_.begin());
        if (static_cast<std::size_t>(spare_) == slots_) resize(slots_ + slots_ / 2 + spare_slots);
        closed_[spare_] = 0;
    }

    const Problem& problem_;
    std::vector<Label> label_;
    std::size_t slots_ = 0;
    std::vector<double> pull_;
    std::vector<std::size_t> count_;
    std::vector<double> closed_;
    Label spare_ = 0;
};

}  // namespace multicut
