#include "data/picture_finder.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace hot {
namespace {

// The name without its extension, if that is one of a picture: "a.v2.JPG" -> "a.v2", "a.v2" -> "a.v2".
std::string PictureStem(const fs::path& name) {
  return IsPictureName(name) ? name.stem().string() : name.filename().string();
}

}  // namespace

bool IsPictureName(const fs::path& name) {
  constexpr std::array<std::string_view, 7> kExtensions{".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"};
  std::string extension = name.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

const PictureFinder::Listing& PictureFinder::ListingOf(const fs::path& folder) {
  const auto [entry, is_new] = listings_.try_emplace(folder.string());
  if (!is_new) return entry->second;
  std::error_code error;
  for (const fs::path& file : fs::is_directory(folder, error) ? ListFiles(folder) : std::vector<fs::path>{}) {
    if (IsPictureName(file)) entry->second[PictureStem(file)].push_back(file.filename().string());
  }
  return entry->second;
}

std::optional<fs::path> PictureFinder::Find(std::span<const fs::path> folders, const fs::path& name) {
  const std::string wanted = name.filename().string();
  for (const fs::path& folder : folders) {
    const fs::path place = (folder / name).parent_path();
    const Listing& listing = ListingOf(place);
    const auto same_stem = listing.find(PictureStem(wanted));
    if (same_stem == listing.end()) continue;
    const std::vector<std::string>& files = same_stem->second;
    const bool exact = std::find(files.begin(), files.end(), wanted) != files.end();
    return place / (exact ? wanted : files.front());
  }
  return std::nullopt;
}

}  // namespace hot
