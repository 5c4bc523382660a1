#include "measure/resident_memory.h"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace hot {
namespace {

constexpr const char* kResetPeak = "5";  // proc(5), /proc/PID/clear_refs

}  // namespace

uint64_t ProcessMemoryBytes(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(std::string(field) + ":")) continue;
    std::istringstream rest(line.substr(field.size() + 1));
    uint64_t kib = 0;
    rest >> kib;
    return kib * 1024;
  }
  return 0;
}

ResidentPeak::ResidentPeak() {
  malloc_trim(0);
  std::ofstream reset("/proc/self/clear_refs");
  marked_ = (reset << kResetPeak).flush().good();
  begin_bytes_ = static_cast<int64_t>(ProcessMemoryBytes("VmRSS"));
}

int64_t ResidentPeak::Bytes() const {
  if (!marked_) return 0;
  return std::max<int64_t>(0, static_cast<int64_t>(ProcessMemoryBytes("VmHWM")) - begin_bytes_);
}

}  // namespace hot
