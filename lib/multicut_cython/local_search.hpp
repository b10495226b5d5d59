// Local search with suppression: single moves, joins, and Kernighan-Lin chains.
//
// A Kernighan-Lin chain (Kernighan and Lin 1970; for multicuts Keuper et al., ICCV 2015; with node
// labels Levinkov et al., CVPR 2017) works on two clusters, the second of which may be empty: it keeps
// making the best move between the two, even if that move costs something, never moves a node twice, and
// in the end keeps the cheapest state it passed through. Here a move may also suppress a node of the two
// clusters or select a suppressed one.

#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "dense.hpp"

namespace multicut {

class LocalSearch {
public:
    // Improves labels until no move, join or chain does; returns the objective.
    double run(const Dense& problem, std::vector<Label>& labels) {
        start(problem, labels);
        do {
            improve_by_moves();
            improve_by_joins();
        } while (improve_by_chains());
        labels = label_;
        return objective(problem, labels);
    }

private:
    struct Move {
        Node node;
        Label to;
        double gain;  // change of the objective: negative is good
    };

    // pull_[k * n + v]: cost of all edges between node v and cluster k.
    double& pull(Label k, std::size_t v) { return pull_[static_cast<std::size_t>(k) * n_ + v]; }
    double pull(Label k, std::size_t v) const { return pull_[static_cast<std::size_t>(k) * n_ + v]; }

    void start(const Dense& problem, const std::vector<Label>& labels) {
        problem_ = &problem;
        n_ = problem.size();
        tolerance_ = 0;
        for (std::size_t v = 0; v < n_; ++v) {
            tolerance_ = std::max(tolerance_, std::abs(problem.unary[v]));
            for (std::size_t w = 0; w < v; ++w) tolerance_ = std::max(tolerance_, std::abs(problem.row(v)[w]));
        }
        tolerance_ *= 1e-10;  // rounding of sums must not look like a gain
        label_.assign(n_, suppressed);
        members_.clear();
        pull_.clear();
        for (std::size_t v = 0; v < n_; ++v) {
            if (labels[v] == suppressed) continue;
            while (static_cast<std::size_t>(labels[v]) >= members_.size()) add_cluster();
            move(static_cast<Node>(v), labels[v]);
        }
        empty_cluster();
    }

    void add_cluster() {
        members_.emplace_back();
        pull_.resize(pull_.size() + n_, 0.0);
    }

    // A cluster without members.
    Label empty_cluster() {
        for (std::size_t k = 0; k < members_.size(); ++k) {
            if (members_[k].empty()) return static_cast<Label>(k);
        }
        add_cluster();
        return static_cast<Label>(members_.size()) - 1;
    }

    void move(Node v, Label to) {
        const Label from = label_[v];
        const double* row = problem_->row(v);
        if (from != suppressed) {
            auto& list = members_[from];
            list.erase(std::find(list.begin(), list.end(), v));
            double* sums = &pull(from, 0);
            for (std::size_t w = 0; w < n_; ++w) sums[w] -= row[w];
            if (list.empty()) std::fill_n(sums, n_, 0.0);  // forget rounding
        }
        label_[v] = to;
        if (to != suppressed) {
            members_[to].push_back(v);
            double* sums = &pull(to, 0);
            for (std::size_t w = 0; w < n_; ++w) sums[w] += row[w];
        }
    }

    // What node v pays in a cluster.
    double price(Node v, Label k) const { return k == suppressed ? 0 : problem_->unary[v] + pull(k, v); }

    Move best_move(Node v) const {
        const Label here = label_[v];
        Move best{v, here, 0};
        const double now = price(v, here);
        const auto consider = [&](Label k) {
            const double gain = price(v, k) - now;
            if (k != here && gain < best.gain) best = {v, k, gain};
        };
        consider(suppressed);
        for (std::size_t k = 0; k < members_.size(); ++k) consider(static_cast<Label>(k));
        return best;
    }

    void improve_by_moves() {
        for (bool moved = true; moved;) {
            moved = false;
            for (std::size_t v = 0; v < n_; ++v) {
                const Move best = best_move(static_cast<Node>(v));
                if (best.gain >= -tolerance_) continue;
                move(best.node, best.to);
                empty_cluster();
                moved = true;
            }
        }
    }

    void improve_by_joins() {
        for (std::size_t a = 0; a < members_.size(); ++a) {
            for (std::size_t b = 0; b < members_.size(); ++b) {
                if (a == b || members_[a].empty() || members_[b].empty()) continue;
                double cost = 0;
                for (const Node v : members_[b]) cost += pull(static_cast<Label>(a), v);
                if (cost >= -tolerance_) continue;
                while (!members_[b].empty()) move(members_[b].back(), static_cast<Label>(a));
            }
        }
    }

    bool improve_by_chains() {
        bool improved = false;
        for (std::size_t a = 0; a < members_.size(); ++a) {
            for (std::size_t b = a + 1; b < members_.size(); ++b) {
                improved |= chain(static_cast<Label>(a), static_cast<Label>(b));
            }
        }
        return improved;
    }

    bool chain(Label a, Label b) {
        if (members_[a].empty() && members_[b].empty()) return false;
        std::vector<Node> open;
        for (std::size_t v = 0; v < n_; ++v) {
            if (label_[v] == a || label_[v] == b || label_[v] == suppressed) open.push_back(static_cast<Node>(v));
        }
        std::vector<Move> done;  // to: where the node came from
        double total = 0, lowest = -tolerance_;
        std::size_t keep = 0;
        while (!open.empty()) {
            const std::size_t pick = cheapest(open, a, b);
            const Move next = cheapest_move(open[pick], a, b);
            open[pick] = open.back();
            open.pop_back();
            done.push_back({next.node, label_[next.node], next.gain});
            move(next.node, next.to);
            total += next.gain;
            if (total < lowest) {
                lowest = total;
                keep = done.size();
            }
        }
        while (done.size() > keep) {
            move(done.back().node, done.back().to);
            done.pop_back();
        }
        if (keep > 0) empty_cluster();
        return keep > 0;
    }

    // The best state of a node of a chain other than the one it is in.
    Move cheapest_move(Node v, Label a, Label b) const {
        const double now = price(v, label_[v]);
        Move best{v, suppressed, std::numeric_limits<double>::infinity()};
        for (const Label k : {suppressed, a, b}) {
            const double gain = price(v, k) - now;
            if (k != label_[v] && gain < best.gain) best = {v, k, gain};
        }
        return best;
    }

    std::size_t cheapest(const std::vector<Node>& open, Label a, Label b) const {
        std::size_t pick = 0;
        double lowest = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < open.size(); ++i) {
            const double gain = cheapest_move(open[i], a, b).gain;
            if (gain < lowest) {
                lowest = gain;
                pick = i;
            }
        }
        return pick;
    }

    const Dense* problem_ = nullptr;
    std::size_t n_ = 0;
    double tolerance_ = 0;
    std::vector<Label> label_;
    std::vector<std::vector<Node>> members_;
    std::vector<double> pull_;
};

}  // namespace multicut
