// What the side-by-side programs share: running a Python peer of .venv-bench and medians.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/subprocess.h"

namespace hot {

// bench/SCRIPT in .venv-bench/ENVIRONMENT, which scripts/bench installs; the JSON object it prints last. Throws
// Error(kInternal) with its output when it fails.
inline nlohmann::json RunPeer(const std::string& environment, const std::string& script,
                              const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{HOT_SOURCE_DIR "/.venv-bench/" + environment + "/bin/python",
                                HOT_SOURCE_DIR "/bench/" + script};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const ProcessResult ran = RunProcess(argv);
  const size_t begin = ran.output.rfind("\n{");
  const std::string last = begin == std::string::npos ? ran.output : ran.output.substr(begin + 1);
  if (!ran.status.ok() || !nlohmann::json::accept(last))
    throw Error(Code::kInternal, script, "did not run: " + ran.output, "run it through scripts/bench");
  return nlohmann::json::parse(last);
}

inline double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

}  // namespace hot
