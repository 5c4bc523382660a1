#include "train/checkpoint.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/hash.h"
#include "core/read_json.h"

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
                                  {"average", &Checkpoint::average}};

std::string Serialize(const Checkpoint& checkpoint) {
  nlohmann::ordered_json header{{"trial", checkpoint.trial},
                                {"epochs", checkpoint.epochs},
                                {"steps", checkpoint.steps},
                                {"loss", checkpoint.loss},
                                {"seconds", checkpoint.seconds}};
  for (const auto& [name, array] : kArrays) header["floats"][name] = (checkpoint.*array).size();
  std::string body = header.dump() + "\n";
  for (const auto& [name, array] : kArrays) {
    const std::vector<float>& values = checkpoint.*array;
    body.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  return body;
}

[[noreturn]] void Broken() { throw Error(Code::kDataLoss, "", "the checkpoint's header does not fit its arrays"); }

Checkpoint Parse(std::string_view body) {
  const size_t line = body.find('\n');
  if (line == std::string_view::npos) Broken();
  const auto header = nlohmann::json::parse(body.substr(0, line));
  Checkpoint checkpoint{.trial = header.at("trial"),
                        .epochs = WholeNumber<int>(header.at("epochs")),
                        .steps = WholeNumber<int64_t>(header.at("steps")),
                        .loss = header.at("loss"),
                        .seconds = header.at("seconds")};
  const auto& floats = header.at("floats");
  std::string_view rest = body.substr(line + 1);
  for (const auto& [name, array] : kArrays) {
    const auto count = floats.contains(name) ? WholeNumber<size_t>(floats.at(name)) : 0;  // older files lack the last
    if (count > rest.size() / sizeof(float)) Broken();
    std::vector<float>& values = checkpoint.*array;
    values.resize(count);
    if (count > 0) std::memcpy(values.data(), rest.data(), count * sizeof(float));
    rest.remove_prefix(count * sizeof(float));
  }
  if (!rest.empty()) Broken();
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
  try {
    return WithPlace(path.string(), [&] { return Parse(std::string_view(bytes).substr(kBody)); });
  } catch (const nlohmann::json::exception& error) {  // the digest is right, so another version wrote it
    throw Error(Code::kDataLoss, path.string(), std::string("the checkpoint has a broken header: ") + error.what());
  }
}

}  // namespace hot
