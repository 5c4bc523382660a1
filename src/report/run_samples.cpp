#include "report/run_samples.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace hot {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string Base64(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63u] : '=';
  }
  return text;
}

void EmbedPictures(const fs::path& run_folder, nlohmann::ordered_json& samples) {
  if (!samples.is_object() || !samples.contains("pictures")) return;
  size_t bytes = 0;
  for (auto& picture : samples["pictures"]) {
    // Its name alone: a run folder may come from somebody else.
    const fs::path name = fs::path(picture.value("file", "")).filename();
    const fs::path path = run_folder / "samples" / name;
    if (name.extension() != ".jpg" || !fs::is_regular_file(path)) continue;
    const std::string jpeg = ReadFile(path);
    bytes += jpeg.size();
    if (bytes > kMostBytes) return;
    picture["data"] = "data:image/jpeg;base64," + Base64(jpeg);
  }
}

}  // namespace hot
