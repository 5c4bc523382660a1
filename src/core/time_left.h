// How long a stage still takes, by its speed since its first update: work of an earlier process must not make the rest
// look faster than it is. For who shows progress. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

namespace hot {

class TimeLeft {
 public:
  // `total` units, 0 means unknown.
  void Begin(double total, int64_t now_ns);
  // Seconds; none for an unknown total, and before there is a second to go by.
  std::optional<double> Update(double done, int64_t now_ns);

 private:
  double total_ = 0, first_done_ = -1;
  int64_t start_ns_ = 0;
};

}  // namespace hot
