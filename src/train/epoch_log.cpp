#include "train/epoch_log.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace hot {
namespace {

// Number of the line's epoch; 0 when it is no record.
int EpochOf(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("epoch") && json["epoch"].is_number_integer() ? json["epoch"].get<int>() : 0;
}

}  // namespace

void AppendEpoch(const fs::path& path, const EpochRecord& record) {
  nlohmann::ordered_json line{
      {"epoch", record.epoch}, {"loss", record.loss}, {"lr", record.lr}, {"seconds", record.seconds}};
  if (record.val) line["val"] = *record.val;
  AppendLine(path, line.dump());
}

void KeepEpochs(const fs::path& path, int epochs) {
  if (!fs::exists(path)) return;
  const std::string text = ReadFile(path);
  std::istringstream lines(text);
  std::string kept;
  int next = 1;
  for (std::string line; std::getline(lines, line);) {
    if (EpochOf(line) != next || next > epochs) continue;
    kept += line + "\n";
    ++next;
  }
  if (kept != text) WriteFileAtomic(path, kept);
}

}  // namespace hot
