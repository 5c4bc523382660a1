// How warm and how fast the CPU is, from the kernel's files below /sys, where there are any; what a measurement notes
// about the time it was made in, and the governor for as long as an agent runs. Called by MeasureInterleaved and the
// agent.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/files.h"

namespace hot {

struct Conditions {
  std::optional<double> celsius;  // the warmest sensor's
  std::optional<double> mhz;      // the fastest core's
  int64_t throttle_events = 0;    // of all cores since the machine started (x86)
  int64_t cooling_steps = 0;      // by which the CPU's clock is held down right now (Arm)
};
Conditions ReadConditions(const fs::path& sys = "/sys");

// Whether the CPU was held down between two readings.
bool Throttled(const Conditions& before, const Conditions& after);

// "54.0 °C, 1800 MHz"; "" where the kernel says nothing.
std::string ToText(const Conditions& conditions);

// All cores at the governor `name` for the life of the object, where permitted; then as they were.
class ScopedGovernor {
 public:
  explicit ScopedGovernor(const std::string& name, const fs::path& sys = "/sys");
  ~ScopedGovernor();
  ScopedGovernor(const ScopedGovernor&) = delete;
  ScopedGovernor& operator=(const ScopedGovernor&) = delete;
  // How many cores have it now.
  int cores() const { return cores_; }

 private:
  std::map<fs::path, std::string> before_;
  int cores_ = 0;
};

}  // namespace hot
