// The best of two solutions, part by part.
//
// Where two solutions differ they usually do so in several places that have nothing to do with each other.
// Take the smallest sets of nodes that split neither a cluster of the one nor a cluster of the other: within
// each set either solution can be chosen freely. (The same idea for tours: Whitley, Hains, Howe, "Tunneling
// between Optima: Partition Crossover for the Traveling Salesman Problem", GECCO 2009.)

#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "clusters.hpp"
#include "graph.hpp"

namespace multicut {

struct Recombination {
    std::vector<Label> labels;
    bool better;  // than the old solution
};

inline void join_clusters_of(const Clusters& clusters, DisjointSets& sets) {
    std::vector<Node> first(clusters.slots(), -1);
    for (std::size_t v = 0; v < clusters.labels().size(); ++v) {
        if (clusters.label(v) == suppressed) continue;
        Node& node = first[clusters.label(v)];
        if (node < 0) node = static_cast<Node>(v);
        sets.join(node, static_cast<Node>(v));
    }
}

inline Recombination recombine(const Clusters& old_solution, const Clusters& new_solution, double tolerance) {
    const std::size_t size = old_solution.labels().size();
    DisjointSets sets(size);
    join_clusters_of(old_solution, sets);
    join_clusters_of(new_solution, sets);
    std::vector<double> gain(size, 0.0);  // of the new over the old solution, at the root of each set
    for (std::size_t v = 0; v < size; ++v) {
        gain[sets.find(static_cast<Node>(v))] += new_solution.share(v) - old_solution.share(v);
    }
    Recombination result{old_solution.labels(), false};
    for (std::size_t v = 0; v < size; ++v) {
        if (gain[sets.find(static_cast<Node>(v))] >= -tolerance) continue;
        const Label k = new_solution.label(v);
        result.labels[v] = k == suppressed ? suppressed : k + static_cast<Label>(old_solution.slots());
        result.better = true;
    }
    result.labels = compact_labels(std::move(result.labels));
    return result;
}

}  // namespace multicut
