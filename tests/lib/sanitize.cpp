// Feeds the headers of lib/ with random input, odd cases included; built and run by sanitize.sh.
//
// Besides what the sanitizers look for, it checks that labels are numbered from 0, that the objective is never above
// 0 (selecting nothing), that a time limit of 0 ends, and that peaks and costs are in range.

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "multicut_cython/solver.hpp"
#include "nms_cython/nms.hpp"
#include "pairwise_cython/pairwise.hpp"
#include "people_cython/people.hpp"

namespace {

std::mt19937_64 generator;

std::size_t below(std::size_t limit) { return generator() % limit; }
double normal(double spread) { return std::normal_distribution<double>(0, spread)(generator); }

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
}

// Up to 40 nodes, now and then 700, which is more than one piece; edges may be parallel or from a node to itself;
// one in a hundred has a number that must be refused.
void try_multicut() {
    const std::size_t nodes = below(2000) == 0 ? 700 : below(41);
    const std::size_t edges = nodes == 0 ? 0 : below(nodes * 5 + 1);
    std::vector<double> unary(nodes), cost(edges);
    std::vector<std::int64_t> ends(2 * edges);
    for (double& value : unary) value = below(10) == 0 ? 0 : normal(1);
    for (double& value : cost) value = below(10) == 0 ? 0 : normal(3);
    for (std::int64_t& end : ends) end = static_cast<std::int64_t>(below(nodes));
    const bool spoilt = edges > 0 && below(100) == 0;
    if (spoilt) {
        switch (below(4)) {
            case 0: cost[below(edges)] = std::numeric_limits<double>::quiet_NaN(); break;
            case 1: unary[below(nodes)] = std::numeric_limits<double>::infinity(); break;
            case 2: ends[below(2 * edges)] = -1; break;
            default: ends[below(2 * edges)] = static_cast<std::int64_t>(nodes);
        }
    }
    const multicut::Clock clock(below(20) == 0 ? 0 : multicut::infinity);
    try {
        const multicut::Graph graph = multicut::make_graph(unary.data(), nodes, ends.data(), cost.data(), edges, clock);
        require(!spoilt, "a wrong number was accepted");
        const std::vector<multicut::Label> labels = multicut::solve(graph, {static_cast<int>(below(3)), 0}, clock);
        multicut::Label next = 0;
        for (const multicut::Label label : labels) {
            require(label >= multicut::suppressed && label <= next, "labels are numbered by first appearance");
            next = std::max(next, label + 1);
        }
        require(multicut::objective(graph, labels) <= 1e-9, "nothing is better than the solution");
    } catch (const std::invalid_argument&) {
        require(spoilt, "a right graph was refused");
    }
}

void try_nms() {
    const nms::Shape shape{static_cast<std::int32_t>(below(20)), static_cast<std::int32_t>(below(20)),
                           static_cast<std::int32_t>(below(5))};
    std::vector<float> scores(shape.cells() * static_cast<std::size_t>(shape.parts));
    for (float& score : scores) score = static_cast<float>(below(50)) / 50;
    const double radius = static_cast<double>(below(80)) / 10;
    const nms::Peaks peaks = nms::find_peaks(scores.data(), shape, nms::disc(radius, shape), 0.3);
    require(peaks.offsets.size() == static_cast<std::size_t>(shape.parts) + 1, "one run of peaks per part");
    for (const std::int32_t cell : peaks.cells) {
        require(cell >= 0 && static_cast<std::size_t>(cell) < shape.cells(), "a peak lies in the map");
    }
    const auto rows = static_cast<std::int32_t>(2 * below(5) + 1), columns = static_cast<std::int32_t>(2 * below(5) + 1);
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    for (std::uint8_t& inside : mask) inside = below(2) == 0;
    nms::find_peaks(scores.data(), shape, nms::from_mask(mask.data(), rows, columns), 0.3);
}

void try_pairs_and_people() {
    const std::size_t parts = 1 + below(5);
    std::vector<std::ptrdiff_t> offsets{0};
    for (std::size_t p = 0; p < parts; ++p) offsets.push_back(offsets.back() + static_cast<std::ptrdiff_t>(below(6)));
    const auto count = static_cast<std::size_t>(offsets.back());
    std::vector<double> coord(2 * count), grid(2 * count), outgoing(2 * count * (parts - 1)), conf(count),
        unit(count);
    for (auto* values : {&coord, &grid, &outgoing}) {
        for (double& value : *values) value = below(8) == 0 ? 0 : normal(30);
    }
    for (double& value : conf) value = static_cast<double>(below(4)) / 3;
    for (double& value : unit) value = static_cast<double>(1 + below(20));
    std::vector<std::uint8_t> joined(parts * parts);
    for (std::uint8_t& flag : joined) flag = below(2) == 0;
    std::vector<double> weights(parts * parts * (pairwise::num_features + 1));
    for (double& weight : weights) weight = normal(1);
    const Detections found{parts, offsets.data(), coord.data(), conf.data()};
    const pairwise::Predictions predicted{grid.data(), outgoing.data(), unit.data()};
    const pairwise::Model model{joined.data(), weights.data(), 7.5, -0.2, 16};
    const std::size_t total = pairwise::count_edges(found, model);
    std::vector<std::int64_t> edges(2 * total);
    std::vector<double> cost(total);
    pairwise::fill_edges(found, predicted, model, edges.data(), cost.data());
    for (const double value : cost) require(value >= -16 && value <= 16, "costs are clipped");

    std::vector<std::int32_t> labels(count);
    const std::size_t people = 1 + below(4);
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(below(people + 1)) - 1;
    people::drop_strays(found, {total, edges.data(), cost.data()}, people, labels.data());
    std::vector<double> keypoints(people * parts * 3);
    people::average(found, labels.data(), people, keypoints.data());
}

}  // namespace

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::atol(argv[1]) : 100000;
    for (long round = 0; round < rounds; ++round) {
        generator.seed(static_cast<std::uint64_t>(round));
        try_multicut();
        try_nms();
        try_pairs_and_people();
    }
    std::printf("%ld rounds: nothing found\n", rounds);
}
