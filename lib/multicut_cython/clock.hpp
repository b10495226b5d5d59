// A time limit: seconds of wall-clock time, may be infinite.

#pragma once

#include <chrono>

#include <limits>

namespace multicut {

constexpr double infinity = std::numeric_limits<double>::infinity();

class Clock {
public:
    explicit Clock(double seconds = infinity) : limit_(seconds), start_(std::chrono::steady_clock::now()) {}

    bool time_left() const {
        if (limit_ == infinity) return true;
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() < limit_;
    }

private:
    double limit_;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace multicut
