// Pictures in memory and their decoding and resizing (OpenCV behind it). Values; functions are thread-safe.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/files.h"

namespace hot {

// OpenCV's own threads would compete with the loader's and with training, and run where a measurement does not look:
// switched off for the process, once.
void DisableOpenCvThreads();

struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;  // height x width x 3
};

inline constexpr int64_t kMaxPixels = int64_t{1} << 28;  // larger pictures are refused

// JPEG or PNG to RGB; grayscale, 16-bit and CMYK are converted, EXIF rotation is applied (unless told not to). Throws
// Error(kDataLoss) with the path for a file that is truncated or no picture, kNotFound when it is missing.
Image DecodeImage(const fs::path& path, bool apply_exif_rotation = true);

// Looks at the first bytes only: throws Error(kDataLoss) for a file that is empty or no picture, kNotFound when it is
// missing. What is damaged further behind only decoding tells.
void CheckIsPicture(const fs::path& path);

// Width and height as DecodeImage would give them, from the header alone where the format allows. Same errors.
std::pair<int, int> ReadImageSize(const fs::path& path);

// Bilinear with half-pixel centres (area-averaged when shrinking by more than 2).
Image ResizeImage(const Image& image, int width, int height);

void WriteJpeg(const fs::path& path, const Image& image, int quality = 92);
void WritePng(const fs::path& path, const Image& image);

// How a picture becomes the network's input; stored in every artifact. value = (rgb/255 - mean) / stddev, CHW, RGB,
// resized to exactly width x height (aspect ratio not kept, as in SSD).
struct Preprocessing {
  int width = 0, height = 0;
  float mean[3] = {0.5f, 0.5f, 0.5f};
  float stddev[3] = {0.5f, 0.5f, 0.5f};
};

// Fills out[3*height*width]; resizes when the sizes differ.
void ToInput(const Image& image, const Preprocessing& preprocessing, float* out);

}  // namespace hot
