#include "measure/conditions.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>

#include "measure/system_file.h"

namespace hot {
namespace {

std::optional<double> Number(const fs::path& file) {
  std::ifstream in(file);
  double value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

// Entries of `folder` whose names are `prefix` and a number.
std::vector<fs::path> Numbered(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder, missing)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > prefix.size() && name.starts_with(prefix) &&
        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(prefix.size()), name.end(),
                    [](unsigned char c) { return std::isdigit(c) != 0; }))
      found.push_back(entry.path());
  }
  return found;
}

void KeepLargest(std::optional<double>& largest, std::optional<double> value) {
  if (value && (!largest || *value > *largest)) largest = value;
}

// The CPU's, by the names that kernels give: "Processor", "thermal-cpufreq-0", "cpufreq-cpu0".
bool CoolsCpu(const std::string& type) { return type == "Processor" || type.find("cpufreq") != std::string::npos; }

std::string Rounded(double value, int digits) {
  std::string text = std::to_string(value);
  return text.substr(0, text.find('.') + static_cast<size_t>(digits == 0 ? 0 : digits + 1));
}

}  // namespace

Conditions ReadConditions(const fs::path& sys) {
  Conditions conditions;
  for (const fs::path& zone : Numbered(sys / "class/thermal", "thermal_zone")) {
    const std::optional<double> milli = Number(zone / "temp");
    if (milli) KeepLargest(conditions.celsius, *milli / 1000);
  }
  for (const fs::path& cpu : Numbered(sys / "devices/system/cpu", "cpu")) {
    const std::optional<double> khz = Number(cpu / "cpufreq/scaling_cur_freq");
    if (khz) KeepLargest(conditions.mhz, *khz / 1000);
    for (const char* count : {"core_throttle_count", "package_throttle_count"})
      conditions.throttle_events += static_cast<int64_t>(Number(cpu / "thermal_throttle" / count).value_or(0));
  }
  for (const fs::path& device : Numbered(sys / "class/thermal", "cooling_device")) {
    if (!CoolsCpu(FirstLine(device / "type"))) continue;
    conditions.cooling_steps =
        std::max(conditions.cooling_steps, static_cast<int64_t>(Number(device / "cur_state").value_or(0)));
  }
  return conditions;
}

bool Throttled(const Conditions& before, const Conditions& after) {
  return after.throttle_events > before.throttle_events || before.cooling_steps > 0 || after.cooling_steps > 0;
}

std::string ToText(const Conditions& conditions) {
  std::string text;
  if (conditions.celsius) text = Rounded(*conditions.celsius, 1) + " °C";
  if (conditions.mhz) text += (text.empty() ? "" : ", ") + Rounded(*conditions.mhz, 0) + " MHz";
  return text;
}

ScopedGovernor::ScopedGovernor(const std::string& name, const fs::path& sys) {
  for (const fs::path& cpu : Numbered(sys / "devices/system/cpu", "cpu")) {
    const fs::path file = cpu / "cpufreq/scaling_governor";
    const std::string before = FirstLine(file);
    if (before.empty()) continue;
    if (before != name) {
      std::ofstream(file) << name;
      if (FirstLine(file) != name) continue;
      before_.emplace(file, before);
    }
    ++cores_;
  }
}

ScopedGovernor::~ScopedGovernor() {
  for (const auto& [file, name] : before_) std::ofstream(file) << name;
}

}  // namespace hot
