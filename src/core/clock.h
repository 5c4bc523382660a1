// Time as a seam: tests inject a fake. Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace hot {

class Clock {
 public:
  virtual ~Clock() = default;
  // CLOCK_MONOTONIC_RAW, nanoseconds: for measuring.
  virtual int64_t NowNs() const = 0;
  // Seconds since the Unix epoch: for records only.
  virtual int64_t WallSeconds() const = 0;
};

const Clock& SystemClock();

// "2026-11-24T01:47:00Z".
std::string FormatUtc(int64_t wall_seconds);

// "12 s", "3 min 20 s", "2 h 5 min".
std::string FormatDuration(double seconds);

}  // namespace hot
