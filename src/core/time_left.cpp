#include "core/time_left.h"

#include <algorithm>

namespace hot {

void TimeLeft::Begin(double total, int64_t now_ns) {
  total_ = total;
  first_done_ = -1;
  start_ns_ = now_ns;
}

std::optional<double> TimeLeft::Update(double done, int64_t now_ns) {
  if (first_done_ < 0) {
    first_done_ = done;
    start_ns_ = now_ns;
  }
  const double elapsed_s = static_cast<double>(now_ns - start_ns_) * 1e-9, advanced = done - first_done_;
  if (total_ <= 0 || advanced <= 0 || elapsed_s <= 1) return std::nullopt;
  return std::max(0.0, elapsed_s / advanced * (total_ - done));
}

}  // namespace hot
