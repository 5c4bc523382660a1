#include "report/curve.h"

#include <algorithm>

#include "core/error.h"
#include "core/read_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;        // of a JSON file; ours have less than 10
constexpr size_t kMostPoints = 200;  // of a curve: more than a chart's pixels show, few enough for a small file
constexpr const char* kTrainAgain = "run hot train again";

std::vector<Json> ReadRecords(const fs::path& path) {
  std::vector<Json> records;
  const std::string text = ReadFile(path);
  for (size_t begin = 0, end = text.find('\n'); end != std::string::npos;
       begin = end + 1, end = text.find('\n', begin)) {
    const Json record = ParseFileText(path, std::string_view(text).substr(begin, end - begin), kTrainAgain,
                                      /*allow_exceptions=*/false);
    if (!record.is_object() || !record.contains("epoch")) {
      throw Error(Code::kDataLoss, path.string() + ":" + std::to_string(records.size() + 1), "is no record of an epoch",
                  kTrainAgain);
    }
    records.push_back(record);
  }
  return records;
}

}  // namespace

Json ParseFileText(const fs::path& path, std::string_view text, const char* hint, bool allow_exceptions) {
  const auto refuse = [&] { throw Error(Code::kDataLoss, path.string(), "is nested too deep", hint); };
  return ParseShallow<Json>(text, kMaxDepth, refuse, allow_exceptions);
}

Json ReadCurve(const fs::path& path) {
  const std::vector<Json> records = ReadRecords(path);
  Json curve{{"epoch", Json::array()}, {"loss", Json::array()}, {"val", Json::array()}};
  const size_t step = std::max<size_t>(1, (records.size() + kMostPoints - 1) / kMostPoints);
  for (size_t i = 0; i < records.size(); ++i) {
    // Validation is rarer than epochs, so its points are never thinned out.
    if (i % step != 0 && i + 1 != records.size() && !records[i].contains("val")) continue;
    for (const char* key : {"epoch", "loss", "val"}) curve[key].push_back(records[i].value(key, Json()));
  }
  return curve;
}

std::string FileStamp(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) return "";
  const auto size = fs::file_size(path, error);
  return std::to_string(time.time_since_epoch().count()) + " " + std::to_string(error ? 0 : size) + ";";
}

}  // namespace hot
