// Annealing: random moves, among them ever fewer bad ones as the temperature falls (Kirkpatrick et al., Science 1983).
//
// At temperature T a node moves to state k (a cluster, a new cluster, suppression) with probability
// proportional to exp(-price(k) / T). That is drawn without exponentials: subtract T times Gumbel noise
// from every price and take the lowest (the Gumbel-max trick; Maddison et al., "A* Sampling", NIPS 2014).

#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "clusters.hpp"
#include "random.hpp"

namespace multicut {

// Quantiles of the Gumbel distribution in random order, twice, so that a run may start anywhere in the first copy.
class GumbelNoise {
public:
    static constexpr std::size_t period = 1024;

    static const GumbelNoise& table() {
        static const GumbelNoise instance;
        return instance;
    }

    // Noise of slot k of a run that starts at `start` < period.
    const double* run(std::size_t start, std::size_t k) const { return values_.data() + start + k % period; }

private:
    GumbelNoise() {
        for (std::size_t i = 0; i < period; ++i) {
            values_.push_back(-std::log(-std::log((static_cast<double>(i) + 0.5) / period)));
        }
        Random random(1);
        for (std::size_t i = period - 1; i > 0; --i) std::swap(values_[i], values_[random.next() % (i + 1)]);
        for (std::size_t i = 0; i < period; ++i) values_.push_back(values_[i]);
    }

    std::vector<double> values_;
};

struct Schedule {
    std::size_t sweeps;  // at least 2
    double hot, cold;    // temperatures of the first and the last
};

class Annealing {
public:
    Annealing(Clusters& clusters, Random& random) : clusters_(clusters), random_(random) {}

    // Visits every node `sweeps` times while the temperature falls, by the same factor each time.
    void run(const Schedule& schedule, const Clock& clock) {
        assert(schedule.sweeps > 1 && schedule.cold > 0);
        const double factor = std::pow(schedule.cold / schedule.hot, 1 / static_cast<double>(schedule.sweeps - 1));
        temperature_ = schedule.hot;
        for (std::size_t sweep = 0; sweep < schedule.sweeps && clock.time_left(); ++sweep, temperature_ *= factor) {
            for (std::size_t v = 0; v < clusters_.problem().size(); ++v) visit(v);
        }
    }

private:
    void visit(std::size_t v) {
        const std::size_t start = random_.next() % GumbelNoise::period;
        const double lowest = lowest_noisy_price(v, start);
        // Prices are relative to the node's own cost. Suppression takes the noise after that of the last slot.
        const double suppression =
            -clusters_.problem().unary[v] - temperature_ * *noise_.run(start, clusters_.slots());
        const Label here = clusters_.label(v);
        if (suppression < lowest) return clusters_.move(v, suppressed);
        if (here != suppressed && noisy_[here] == lowest) return;
        const auto to = static_cast<Label>(std::find(noisy_.begin(), noisy_.end(), lowest) - noisy_.begin());
        const bool renames = to == clusters_.spare() && here != suppressed && clusters_.members(here) == 1;
        if (!renames) clusters_.move(v, to);
    }

    // The pragma lets the compiler compare in any order, hence with vector instructions.
    double lowest_noisy_price(std::size_t v, std::size_t start) {
        const double* pull = clusters_.pull(v);
        const double* closed = clusters_.closed();
        const double temperature = temperature_;
        noisy_.resize(clusters_.slots());
        double* noisy = noisy_.data();
        double lowest = infinity;
        for (std::size_t first = 0; first < noisy_.size(); first += GumbelNoise::period) {
            const std::size_t last = std::min(first + GumbelNoise::period, noisy_.size());
            const double* noise = noise_.run(start, first);
#pragma omp simd reduction(min : lowest)
            for (std::size_t k = first; k < last; ++k) {
                noisy[k] = pull[k] + closed[k] - temperature * noise[k - first];
                lowest = noisy[k] < lowest ? noisy[k] : lowest;
            }
        }
        return lowest;
    }

    Clusters& clusters_;
    Random& random_;
    const GumbelNoise& noise_ = GumbelNoise::table();
    double temperature_ = 0;
    std::vector<double> noisy_;
};

}  // namespace multicut
