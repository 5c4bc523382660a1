#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/hash.h"
#include "measure/emulation.h"
#include "measure/measure.h"
#include "measure/system_file.h"

namespace hot {
namespace {

using nlohmann::json;

constexpr int kHighestNice = -20;

// "key : value" lines of a file, the first of each key.
std::map<std::string, std::string> Fields(const std::string& path) {
  std::ifstream file(path);
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t key_end = line.find_last_not_of(" \t", colon == 0 ? 0 : colon - 1);
    const size_t value = line.find_first_not_of(" \t", colon + 1);
    if (key_end == std::string::npos || value == std::string::npos) continue;
    fields.emplace(line.substr(0, key_end + 1), line.substr(value));
  }
  return fields;
}

// x86 has a model name; Arm kernels give implementer, part and revision, which name the core as exactly.
std::string CpuModel() {
  const auto fields = Fields("/proc/cpuinfo");
  std::ostringstream text;
  const char* separator = "";
  for (const char* key :
       {"model name", "Hardware", "CPU implementer", "CPU part", "CPU revision", "cpu family", "model", "stepping"}) {
    const auto found = fields.find(key);
    if (found == fields.end()) continue;
    text << separator << (key == std::string("model name") ? "" : std::string(key) + " ") << found->second;
    separator = ", ";
  }
  return text.str();
}

std::string Board() {
  for (const char* path : {"/sys/firmware/devicetree/base/model", "/sys/class/dmi/id/product_name"}) {
    const std::string name = FirstLine(path);
    if (!name.empty()) return name;
  }
  return "";
}

// In quarters of a GiB: the kernel's own share differs by some KiB from boot to boot.
double MemoryGib() {
  const double bytes = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  return std::round(bytes / (1 << 28)) / 4;
}

std::vector<int> Allowed(pid_t thread) {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(thread, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// What the cores we may use can do, not which they are: equal cores give equal numbers. Capacity tells big from little
// cores of Arm, the highest clock those of others; "" where the kernel says neither.
std::map<std::string, int> CoreKinds(const std::vector<int>& cpus) {
  std::map<std::string, int> kinds;
  for (const int cpu : cpus) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
    std::string kind = FirstLine(folder + "/cpu_capacity");
    if (kind.empty()) kind = FirstLine(folder + "/cpufreq/cpuinfo_max_freq");
    ++kinds[kind];
  }
  return kinds;
}

}  // namespace

Environment DescribeEnvironment() {
  utsname kernel{};
  uname(&kernel);
  json description;
  description["board"] = Board();
  description["cpu"] = CpuModel();
  description["machine"] = kernel.machine;
  description["kernel"] = kernel.release;
  description["governor"] = FirstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  description["smt"] = FirstLine("/sys/devices/system/cpu/smt/active");
  description["logical_cpus"] = sysconf(_SC_NPROCESSORS_CONF);
  description["cores"] = CoreKinds(Allowed(getpid()));  // the main thread's, so that a pinned caller does not change it
  description["memory_gib"] = MemoryGib();
  description["measuring_method"] = kMeasuringMethod;
  if (const fs::path emulator = Emulator(); !emulator.empty()) description["emulated"] = emulator.filename().string();
  Environment environment;
  environment.json = description.dump();
  environment.fingerprint = Sha256Hex(environment.json).substr(0, 16);
  return environment;
}

std::vector<int> PinThread(int cpus) {
  std::vector<int> allowed = Allowed(0);
  if (cpus < 1 || allowed.empty()) return {};
  const size_t count = std::min(allowed.size(), static_cast<size_t>(cpus));
  std::vector<int> chosen(allowed.end() - static_cast<std::ptrdiff_t>(count), allowed.end());
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : chosen) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) return {};
  return chosen;
}

ScopedPin::ScopedPin(int cpus)
    : before_(Allowed(0)),
      cpus_(PinThread(cpus)),
      policy_before_(sched_getscheduler(0)),
      nice_before_(getpriority(PRIO_PROCESS, 0)) {
  // All three are the calling thread's own on Linux. Niceness alone counts only among jobs of one session.
  setpriority(PRIO_PROCESS, 0, kHighestNice);
  sched_param parameters{};
  parameters.sched_priority = sched_get_priority_min(SCHED_RR);
  raised_ = sched_setscheduler(0, SCHED_RR, &parameters) == 0;
}

ScopedPin::~ScopedPin() {
  const sched_param parameters{};
  if (raised_) sched_setscheduler(0, policy_before_, &parameters);
  setpriority(PRIO_PROCESS, 0, nice_before_);
  if (cpus_.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : before_) CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace hot
