// Private to data/: JPEG decoding by libjpeg itself, because OpenCV fills what a damaged file lacks with grey and says
// nothing. Thread-safe.
#pragma once

#include <string_view>
#include <utility>

#include "data/image.h"

namespace hot {

bool IsJpeg(std::string_view bytes);

struct DecodedJpeg {
  Image image;          // as stored, not rotated
  int orientation = 1;  // EXIF, 1..8
};

// Throws Error(kDataLoss) at `path` for data that ends early, is corrupt, or has no end marker. Bytes behind the end
// marker are fine.
DecodedJpeg DecodeJpeg(const fs::path& path, std::string_view bytes);

// Width and height as stored, and the orientation; reads the header only.
DecodedJpeg ReadJpegHeader(const fs::path& path, std::string_view bytes);

}  // namespace hot
