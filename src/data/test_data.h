// For the tests of data/: small data sets on disk, and where the real ones lie.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/rng.h"
#include "data/dataset.h"
#include "data/image.h"

namespace hot {

// A real data set's folder, or nothing when it is not on this machine.
inline std::optional<fs::path> RealData(const std::string& name) {
  const char* given = std::getenv("HOT_TEST_DATA");
  const fs::path root = given != nullptr ? fs::path(given) : fs::path(HOT_SOURCE_DIR "/../shared/data");
  if (!fs::is_directory(root / name)) return std::nullopt;
  return root / name;
}

inline Image NoisePicture(int width, int height, uint64_t seed = 1) {
  Image image{width, height, std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * 3)};
  Rng rng(seed);
  for (uint8_t& value : image.rgb) value = static_cast<uint8_t>(rng.Below(256));
  return image;
}

inline Image PlainPicture(int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
  Image image = NoisePicture(width, height);
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    image.rgb[i] = red;
    image.rgb[i + 1] = green;
    image.rgb[i + 2] = blue;
  }
  return image;
}

inline void WriteText(const fs::path& path, const std::string& text) {
  EnsureFolder(path.parent_path());
  WriteFileAtomic(path, text);
}

inline void WritePicture(const fs::path& path, int width = 40, int height = 30) {
  EnsureFolder(path.parent_path());
  const Image image = NoisePicture(width, height);
  path.extension() == ".png" ? WritePng(path, image) : WriteJpeg(path, image);
}

// Runs `action` and returns the error it must throw.
inline Error ThrownBy(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Code::kOk, "", "");
}

}  // namespace hot
