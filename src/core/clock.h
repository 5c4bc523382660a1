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

// CPU time, user and system, that all threads of this process have used so far. Unlike the clock on the wall it does
// not count waiting for other jobs of the machine.
int64_t ProcessCpuNs();

// What a piece of work costs since this was made: on the wall, and in CPU time of the process.
class Stopwatch {
 public:
  double Seconds() const { return static_cast<double>(SystemClock().NowNs() - start_ns_) * 1e-9; }
  double CpuSeconds() const { return static_cast<double>(ProcessCpuNs() - cpu_start_ns_) * 1e-9; }

 private:
  int64_t start_ns_ = SystemClock().NowNs(), cpu_start_ns_ = ProcessCpuNs();
};

// "2026-11-24T01:47:00Z".
std::string FormatUtc(int64_t wall_seconds);

// "12 s", "3 min 20 s", "2 h 5 min".
std::string FormatDuration(double seconds);

}  // namespace hot
