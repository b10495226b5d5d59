// A time limit: seconds of wall-clock time, may be infinite.

#pragma once

#include <chrono>

#include "graph.hpp"

namespace multicut {

class Clock {
public:
    explicit Clock(double seconds) : limit_(seconds), start_(std::chrono::steady_clock::now()) {}

    double seconds_left() const {
        if (limit_ == infinity) return infinity;
        return limit_ - std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    bool time_left() const { return seconds_left() > 0; }

private:
    double limit_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace multicut
