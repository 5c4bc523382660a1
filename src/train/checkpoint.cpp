#include "train/checkpoint.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/hash.h"

namespace hot {
namespace {

constexpr std::string_view kMagic = "hot-checkpoint 1 ";

using Array = std::vector<float> Checkpoint::*;
struct NamedArray {
  const char* name;
  Array array;
};
constexpr NamedArray kArrays[] = {{"values", &Checkpoint::values},
                                  {"statistics", &Checkpoint::statistics},
                                  {"first_moment", &Checkpoint::first_moment},
                                  {"second_moment", &Checkpoint::second_moment},
                                  {"average", &Checkpoint::average},
                                  {"best_values", &Checkpoint::best_values},
                                  {"best_statistics", &Checkpoint::best_statistics}};

std::string Serialize(const Checkpoint& checkpoint) {
  nlohmann::ordered_json header{{"trial", checkpoint.trial},
                                {"epochs", checkpoint.epochs},
                                {"steps", checkpoint.steps},
                                {"loss", checkpoint.loss},
                                {"seconds", checkpoint.seconds}};
  if (checkpoint.best_score) {
    header["best"] = {{"score", *checkpoint.best_score},
                      {"epoch", checkpoint.best_epoch},
                      {"validations_since", checkpoint.validations_since}};
  }
  for (const auto& [name, array] : kArrays) header["floats"][name] = (checkpoint.*array).size();
  std::string body = header.dump() + "\n";
  for (const auto& [name, array] : kArrays) {
    const std::vector<float>& values = checkpoint.*array;
    body.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  return body;
}

Checkpoint Parse(std::string_view body) {
  const size_t line = body.find('\n');
  const auto header = nlohmann::json::parse(body.substr(0, line));
  Checkpoint checkpoint{.trial = header.at("trial"),
                        .epochs = header.at("epochs"),
                        .steps = header.at("steps"),
                        .loss = header.at("loss"),
                        .seconds = header.at("seconds")};
  if (header.contains("best")) {
    checkpoint.best_score = header["best"].at("score");
    checkpoint.best_epoch = header["best"].at("epoch");
    checkpoint.validations_since = header["best"].at("validations_since");
  }
  size_t at = line + 1;
  for (const auto& [name, array] : kArrays) {
    std::vector<float>& values = checkpoint.*array;
    values.resize(header.at("floats").value(name, size_t{0}));  // files of older versions lack the later arrays
    if (!values.empty()) std::memcpy(values.data(), body.data() + at, values.size() * sizeof(float));
    at += values.size() * sizeof(float);
  }
  return checkpoint;
}

}  // namespace

fs::path PreviousCheckpoint(const fs::path& path) {
  return path.parent_path() / (path.stem().string() + ".prev" + path.extension().string());
}

void WriteCheckpoint(const fs::path& path, const Checkpoint& checkpoint) {
  const std::string body = Serialize(checkpoint);
  std::error_code none_yet;
  fs::rename(path, PreviousCheckpoint(path), none_yet);
  WriteFileAtomic(path, std::string(kMagic) + Sha256Hex(body) + "\n" + body);
}

Checkpoint ReadCheckpoint(const fs::path& path) {
  const std::string bytes = ReadFile(path);
  constexpr size_t kDigest = 64, kBody = kMagic.size() + kDigest + 1;
  const bool intact = bytes.size() > kBody && bytes.starts_with(kMagic) &&
                      Sha256Hex(std::string_view(bytes).substr(kBody)) == bytes.substr(kMagic.size(), kDigest);
  if (!intact) throw Error(Code::kDataLoss, path.string(), "the checkpoint is cut off or was changed");
  return Parse(std::string_view(bytes).substr(kBody));  // its digest is right, so we wrote it
}

}  // namespace hot
