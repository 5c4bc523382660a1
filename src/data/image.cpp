#include "data/image.h"

#include <array>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.h"
#include "data/image_ops.h"
#include "data/jpeg.h"

namespace hot {
namespace {

[[noreturn]] void ThrowNoPicture(const fs::path& path, size_t bytes) {
  throw Error(Code::kDataLoss, path.string(), bytes == 0 ? "the file is empty" : "truncated, or not a picture",
              "restore the file or leave it out");
}

Image FromBgr(const cv::Mat& bgr) {
  Image image = MakeImage(bgr.cols, bgr.rows);
  cv::cvtColor(bgr, MatOf(image), cv::COLOR_BGR2RGB);
  return image;
}

// EXIF: 2..4 keep the axes, 5..8 swap them (CIPA DC-008, table 6).
Image Rotated(Image stored, int orientation) {
  if (orientation == 1) return stored;
  cv::Mat mat = MatOf(stored).clone();
  if (orientation >= 5) cv::transpose(mat, mat);
  constexpr int kNoFlip = -2;
  // Indexed by orientation: 0 flips rows, 1 columns, -1 both.
  constexpr std::array<int, 9> kFlips{kNoFlip, kNoFlip, 1, -1, 0, kNoFlip, 1, -1, 0};
  const int flip = kFlips[static_cast<size_t>(orientation)];
  if (flip != kNoFlip) cv::flip(mat, mat, flip);
  Image image = MakeImage(mat.cols, mat.rows);
  mat.copyTo(MatOf(image));
  return image;
}

// OpenCV takes pictures of up to 2^30 pixels at their header's word, and asks for the memory before it reads on.
class LimitedAllocator : public cv::MatAllocator {
 public:
  cv::UMatData* allocate(int dims, const int* sizes, int type, void* data, size_t* step, cv::AccessFlag flags,
                         cv::UMatUsageFlags usage) const override {
    int64_t pixels = 1;
    for (int i = 0; i < dims; ++i) pixels *= sizes[i];
    if (pixels > kMaxPixels) CV_Error(cv::Error::StsOutOfRange, "the picture has more than 2^28 pixels");
    return cv::Mat::getStdAllocator()->allocate(dims, sizes, type, data, step, flags, usage);
  }
  bool allocate(cv::UMatData* data, cv::AccessFlag flags, cv::UMatUsageFlags usage) const override {
    return cv::Mat::getStdAllocator()->allocate(data, flags, usage);
  }
  void deallocate(cv::UMatData* data) const override { cv::Mat::getStdAllocator()->deallocate(data); }
};

Image DecodeByOpenCv(const fs::path& path, const std::string& bytes, bool apply_exif_rotation) {
  if (bytes.empty()) ThrowNoPicture(path, 0);
  const cv::Mat encoded(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
  LimitedAllocator allocator;
  cv::Mat bgr;
  bgr.allocator = &allocator;
  try {
    cv::imdecode(encoded, cv::IMREAD_COLOR | (apply_exif_rotation ? 0 : cv::IMREAD_IGNORE_ORIENTATION), &bgr);
  } catch (const cv::Exception& failure) {
    throw Error(Code::kDataLoss, path.string(), "can't be decoded: " + failure.err);
  }
  if (bgr.empty()) ThrowNoPicture(path, bytes.size());
  return FromBgr(bgr);
}

void WriteEncoded(const fs::path& path, const char* extension, const Image& image, const std::vector<int>& parameters) {
  cv::Mat bgr;
  cv::cvtColor(MatOf(image), bgr, cv::COLOR_RGB2BGR);
  std::vector<uchar> bytes;
  if (!cv::imencode(extension, bgr, bytes, parameters)) throw Error(Code::kInternal, path.string(), "can't be encoded");
  WriteFileAtomic(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace

void DisableOpenCvThreads() {
  static const bool done = (cv::setNumThreads(0), true);
  static_cast<void>(done);
}

cv::Mat MatOf(Image& image) { return cv::Mat(image.height, image.width, CV_8UC3, image.rgb.data()); }

const cv::Mat MatOf(const Image& image) {
  return cv::Mat(image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.rgb.data()));
}

Image MakeImage(int width, int height) {
  return {width, height, std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height) * 3)};
}

void ResizeMat(const cv::Mat& from, cv::Mat to) {
  DisableOpenCvThreads();
  // Bilinear sampling skips pixels when it shrinks by more than 2, so such an axis is averaged first.
  const cv::Size averaged(from.cols > 2 * to.cols ? to.cols : from.cols, from.rows > 2 * to.rows ? to.rows : from.rows);
  if (averaged == to.size()) {
    cv::resize(from, to, to.size(), 0, 0, averaged == from.size() ? cv::INTER_NEAREST : cv::INTER_AREA);
  } else if (averaged == from.size()) {
    cv::resize(from, to, to.size(), 0, 0, cv::INTER_LINEAR);
  } else {
    cv::Mat between;
    cv::resize(from, between, averaged, 0, 0, cv::INTER_AREA);
    cv::resize(between, to, to.size(), 0, 0, cv::INTER_LINEAR);
  }
}

Image DecodeImage(const fs::path& path, bool apply_exif_rotation) {
  DisableOpenCvThreads();
  const std::string bytes = ReadFile(path);
  if (!IsJpeg(bytes)) return DecodeByOpenCv(path, bytes, apply_exif_rotation);
  DecodedJpeg decoded = DecodeJpeg(path, bytes);
  return apply_exif_rotation ? Rotated(std::move(decoded.image), decoded.orientation) : std::move(decoded.image);
}

void CheckIsPicture(const fs::path& path) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  if (error) throw Error(Code::kNotFound, path.string(), "can't be read: " + error.message());
  if (bytes == 0 || !cv::haveImageReader(path.string())) ThrowNoPicture(path, bytes);
}

std::pair<int, int> ReadImageSize(const fs::path& path) {
  const std::string bytes = ReadFile(path);
  if (!IsJpeg(bytes)) {
    const Image image = DecodeByOpenCv(path, bytes, true);
    return {image.width, image.height};
  }
  const DecodedJpeg header = ReadJpegHeader(path, bytes);
  if (header.orientation >= 5) return {header.image.height, header.image.width};
  return {header.image.width, header.image.height};
}

Image ResizeImage(const Image& image, int width, int height) {
  HOT_ASSERT(image.width > 0 && image.height > 0 && width > 0 && height > 0);
  Image resized = MakeImage(width, height);
  ResizeMat(MatOf(image), MatOf(resized));
  return resized;
}

void WriteJpeg(const fs::path& path, const Image& image, int quality) {
  WriteEncoded(path, ".jpg", image, {cv::IMWRITE_JPEG_QUALITY, quality});
}

void WritePng(const fs::path& path, const Image& image) { WriteEncoded(path, ".png", image, {}); }

void ToInput(const Image& image, const Preprocessing& preprocessing, float* out) {
  if (image.width != preprocessing.width || image.height != preprocessing.height) {
    return ToInput(ResizeImage(image, preprocessing.width, preprocessing.height), preprocessing, out);
  }
  const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  for (size_t c = 0; c < 3; ++c) {
    std::array<float, 256> value;
    for (size_t v = 0; v < value.size(); ++v) {
      value[v] = (static_cast<float>(v) / 255.0f - preprocessing.mean[c]) / preprocessing.stddev[c];
    }
    const uint8_t* in = image.rgb.data() + c;
    float* plane = out + c * pixels;
    for (size_t i = 0; i < pixels; ++i) plane[i] = value[in[3 * i]];
  }
}

}  // namespace hot
