// Private to data/: finds the picture file an annotation means, although names in the wild differ in the extension or
// its case. Lists each folder once. One thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/files.h"

namespace hot {

// .jpg, .jpeg, .png, .bmp, .webp, .tif, .tiff; case does not matter.
bool IsPictureName(const fs::path& name);

class PictureFinder {
 public:
  // `name` (may have folders in front) exactly, else with another or no picture extension. Folders are searched in this
  // order; those that don't exist are empty.
  std::optional<fs::path> Find(std::span<const fs::path> folders, const fs::path& name);

 private:
  using Listing = std::unordered_map<std::string, std::vector<std::string>>;  // stem -> file names, sorted

  const Listing& ListingOf(const fs::path& folder);

  std::unordered_map<std::string, Listing> listings_;
};

}  // namespace hot
