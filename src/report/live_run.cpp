#include "report/live_run.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "pipeline/run_status.h"
#include "report/curve.h"
#include "report/run_data.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostCurves = 48;  // more lines can't be told apart

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// What can't be read now is an empty object: a study that begins from scratch removes its files first.
Json ReadStudyJson(const fs::path& folder) try {
  Json study = Json::parse(ReadFile(folder / "study.json"), nullptr, /*allow_exceptions=*/false);
  return study.is_object() ? study : Json::object();
} catch (const Error&) {
  return Json::object();
}

std::string Text(const Json& object, const char* key) {
  const Json value = object.is_object() ? object.value(key, Json()) : Json();
  return value.is_string() ? value.get<std::string>() : "";
}

struct CurveFile {
  std::string trial;
  fs::path path;
};

std::vector<CurveFile> CurveFiles(const fs::path& folder, const Json& train) {
  std::vector<std::pair<bool, CurveFile>> found;
  for (const char* list : {"trials", "fine_tunings"}) {
    for (const Json& trial : train.is_object() ? train.value(list, Json::array()) : Json::array()) {
      const std::string name = Text(trial, "trial");
      // Its name alone: a run folder may come from somebody else.
      const fs::path path = folder / "trials" / fs::path(name).filename() / "epochs.jsonl";
      if (!name.empty()) found.push_back({Text(trial, "state") == "running", {name, path}});
    }
  }
  std::ranges::stable_sort(found, std::greater(), &std::pair<bool, CurveFile>::first);
  std::vector<CurveFile> files;
  for (auto& [running, file] : found) {
    if (files.size() < kMostCurves) files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

LiveRun::LiveRun(fs::path run_folder) : folder_(std::move(run_folder)) {
  if (fs::exists(folder_ / "study.json")) return;
  throw Error(Code::kNotFound, folder_.string(), "is no run folder: it has no study.json",
              "hot optimize STUDY makes one, runs/NAME");
}

std::string LiveRun::name() const {
  const std::string name = Text(ReadStudyJson(folder_), "name");
  return name.empty() ? fs::absolute(folder_).lexically_normal().filename().string() : name;
}

Json LiveRun::Queue(const Json& target) {
  const std::lock_guard lock(mutex_);
  if (!queue_ || target_ != Dump(target)) {  // also a study that begins again with another device
    target_ = Dump(target);
    const AgentAccess access{
        .token_file = Text(target, "token_file"), .ca_file = Text(target, "ca_file"), .client = ""};
    queue_ = std::make_unique<DeviceQueue>(Text(target, "device"), access);
  }
  return queue_->Jobs();
}

std::string LiveRun::StatusJson() {
  Json status = RunStatus(folder_);
  const Json target = ReadStudyJson(folder_).value("target", Json());
  status["device"] = Text(target, "device");
  status["queue"] = Queue(target);
  std::string curves;
  for (const CurveFile& file : CurveFiles(folder_, status["train"])) curves += file.trial + FileStamp(file.path);
  status["stamps"] = {{"data", RunDataStamp(folder_)}, {"curves", Sha256Hex(curves)}};
  return Dump(status);
}

std::string LiveRun::DataJson() const {
  try {
    return ReadRunData(folder_).json;
  } catch (const Error& error) {
    return Dump({{"error", error.what()}});
  }
}

std::string LiveRun::CurvesJson() {
  Json curves = Json::object();
  const std::lock_guard lock(mutex_);
  for (const CurveFile& file : CurveFiles(folder_, RunStatus(folder_)["train"])) {
    Curve& known = curves_[file.path];
    const std::string stamp = FileStamp(file.path);
    if (known.stamp != stamp) {
      known = {stamp, Json()};
      try {
        if (!stamp.empty()) known.json = ReadCurve(file.path);
      } catch (const Error&) {  // a broken curve is no reason to show none; the report will name the line
      }
    }
    if (!known.json.is_null()) curves[file.trial] = known.json;
  }
  return Dump(curves);
}

}  // namespace hot
