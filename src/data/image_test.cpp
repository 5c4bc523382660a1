#include "data/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jpeglib.h>

#include <cstdio>
#include <cstdlib>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "data/test_data.h"

namespace hot {
namespace {

using testing::HasSubstr;

struct JpegOptions {
  int quality = 95;
  bool is_progressive = false;
  bool is_grey = false;
  bool is_cmyk = false;
  int orientation = 0;  // 0: no EXIF
};

int Components(const JpegOptions& options) { return options.is_cmyk ? 4 : options.is_grey ? 1 : 3; }

// Left half red, right half blue (grey: dark and light). CMYK is inverted as Adobe has it: 255 is no ink.
std::vector<unsigned char> MakeRow(const JpegOptions& options) {
  using Pixel = std::vector<unsigned char>;
  const Pixel left = options.is_cmyk ? Pixel{255, 0, 0, 255} : options.is_grey ? Pixel{50} : Pixel{255, 0, 0};
  const Pixel right = options.is_cmyk ? Pixel{0, 0, 255, 255} : options.is_grey ? Pixel{200} : Pixel{0, 0, 255};
  std::vector<unsigned char> row;
  for (int x = 0; x < 40; ++x) {
    const Pixel& pixel = x < 20 ? left : right;
    row.insert(row.end(), pixel.begin(), pixel.end());
  }
  return row;
}

void WriteExif(int orientation, jpeg_compress_struct* info) {
  const unsigned char exif[] = {
      'E', 'x', 'i', 'f', 0,    0, 'M', 'M', 0, 42, 0, 0, 0,
      8,   0,   1,   1,   0x12, 0, 3,   0,   0, 0,  1, 0, static_cast<unsigned char>(orientation),
      0,   0,   0,   0,   0,    0};
  jpeg_write_marker(info, JPEG_APP0 + 1, exif, sizeof(exif));
}

// A JPEG of 40 x 20 pixels by libjpeg, with what OpenCV can't write.
std::string MakeJpeg(const JpegOptions& options) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = 40;
  info.image_height = 20;
  info.input_components = Components(options);
  info.in_color_space = options.is_cmyk ? JCS_CMYK : options.is_grey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (options.is_progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (options.orientation > 0) WriteExif(options.orientation, &info);
  std::vector<unsigned char> row = MakeRow(options);
  for (int y = 0; y < 20; ++y) {
    JSAMPROW rows = row.data();
    jpeg_write_scanlines(&info, &rows, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<char*>(memory), size);
  std::free(memory);
  return bytes;
}

void ExpectPixel(const Image& image, int x, int y, int red, int green, int blue) {
  const size_t at = (static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x)) * 3;
  EXPECT_NEAR(image.rgb[at], red, 6) << x << ", " << y;
  EXPECT_NEAR(image.rgb[at + 1], green, 6) << x << ", " << y;
  EXPECT_NEAR(image.rgb[at + 2], blue, 6) << x << ", " << y;
}

class ImageTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& bytes) {
    WriteText(folder_.path() / name, bytes);
    return folder_.path() / name;
  }
  Image Decode(const std::string& bytes) { return DecodeImage(Write("picture.jpg", bytes)); }

  TempFolder folder_;
};

TEST_F(ImageTest, ColourJpegsBaselineAndProgressive) {
  for (const bool is_progressive : {false, true}) {
    const Image image = Decode(MakeJpeg({.is_progressive = is_progressive}));
    ASSERT_EQ(image.width, 40);
    ASSERT_EQ(image.height, 20);
    ExpectPixel(image, 3, 3, 255, 0, 0);
    ExpectPixel(image, 36, 16, 0, 0, 255);
  }
}

TEST_F(ImageTest, GreyAndCmykJpegsBecomeRgb) {
  const Image grey = Decode(MakeJpeg({.is_grey = true}));
  ExpectPixel(grey, 3, 3, 50, 50, 50);
  ExpectPixel(grey, 36, 16, 200, 200, 200);
  const Image cmyk = Decode(MakeJpeg({.is_cmyk = true}));
  ExpectPixel(cmyk, 3, 3, 255, 0, 0);
  ExpectPixel(cmyk, 36, 16, 0, 0, 255);
}

TEST_F(ImageTest, ExifRotationIsApplied) {
  struct Case {
    int orientation, width, red_x, red_y, blue_x, blue_y;
  };
  // Stored: red on the left, blue on the right.
  for (const Case& c : {Case{1, 40, 3, 10, 36, 10}, Case{2, 40, 36, 10, 3, 10}, Case{3, 40, 36, 10, 3, 10},
                        Case{4, 40, 3, 10, 36, 10}, Case{5, 20, 10, 3, 10, 36}, Case{6, 20, 10, 3, 10, 36},
                        Case{7, 20, 10, 36, 10, 3}, Case{8, 20, 10, 36, 10, 3}, Case{9, 40, 3, 10, 36, 10}}) {
    SCOPED_TRACE(c.orientation);
    const fs::path path = Write("turned.jpg", MakeJpeg({.orientation = c.orientation}));
    const Image image = DecodeImage(path);
    ASSERT_EQ(image.width, c.width);
    ExpectPixel(image, c.red_x, c.red_y, 255, 0, 0);
    ExpectPixel(image, c.blue_x, c.blue_y, 0, 0, 255);
    EXPECT_EQ(ReadImageSize(path), std::make_pair(image.width, image.height));
    EXPECT_EQ(DecodeImage(path, false).width, 40);
    const cv::Mat peer = cv::imread(path.string());  // OpenCV as the oracle of all eight
    cv::Mat ours(image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.rgb.data()));
    ASSERT_EQ(peer.size(), ours.size());
    cv::cvtColor(ours, ours, cv::COLOR_RGB2BGR);
    EXPECT_EQ(cv::norm(peer, ours, cv::NORM_INF), 0);
  }
}

TEST_F(ImageTest, PngsOfAnyDepthBecomeRgb) {
  cv::Mat grey16(4, 6, CV_16UC1, cv::Scalar(200 * 257)),
      colour16(4, 6, CV_16UC3, cv::Scalar(10 * 257, 20 * 257, 30 * 257));
  cv::Mat with_alpha(4, 6, CV_8UC4, cv::Scalar(1, 2, 3, 128));
  cv::imwrite((folder_.path() / "grey16.png").string(), grey16);
  cv::imwrite((folder_.path() / "colour16.png").string(), colour16);
  cv::imwrite((folder_.path() / "alpha.png").string(), with_alpha);
  ExpectPixel(DecodeImage(folder_.path() / "grey16.png"), 2, 2, 200, 200, 200);
  ExpectPixel(DecodeImage(folder_.path() / "colour16.png"), 2, 2, 30, 20, 10);
  EXPECT_EQ(DecodeImage(folder_.path() / "alpha.png").rgb[0], 3);
  EXPECT_EQ(ReadImageSize(folder_.path() / "alpha.png"), std::make_pair(6, 4));
}

// 6 x 4 pixels of one bit each, left half colour 0, right half colour 1 of the palette.
TEST_F(ImageTest, PalettePngsBecomeRgb) {
  constexpr unsigned char kPng[] = {
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
      0x06, 0x00, 0x00, 0x00, 0x04, 0x01, 0x03, 0x00, 0x00, 0x00, 0x97, 0xca, 0xdc, 0x00, 0x00, 0x00, 0x00, 0x06, 0x50,
      0x4c, 0x54, 0x45, 0x0a, 0x14, 0x1e, 0xc8, 0x64, 0x32, 0x77, 0xa0, 0xb3, 0x9c, 0x00, 0x00, 0x00, 0x10, 0x49, 0x44,
      0x41, 0x54, 0x78, 0x9c, 0x63, 0x90, 0x61, 0x62, 0x60, 0x62, 0x60, 0x62, 0x00, 0x00, 0x00, 0xe4, 0x00, 0x23, 0xd5,
      0xf6, 0xbf, 0xae, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
  const Image image = DecodeImage(Write("palette.png", {reinterpret_cast<const char*>(kPng), sizeof(kPng)}));
  ASSERT_EQ(image.width, 6);
  ASSERT_EQ(image.height, 4);
  ExpectPixel(image, 1, 2, 10, 20, 30);
  ExpectPixel(image, 4, 2, 200, 100, 50);
}

TEST_F(ImageTest, PngRoundTripIsExactAndJpegClose) {
  const Image image = NoisePicture(31, 17);
  WritePng(folder_.path() / "a.png", image);
  EXPECT_EQ(DecodeImage(folder_.path() / "a.png").rgb, image.rgb);
  WriteJpeg(folder_.path() / "a.jpg", PlainPicture(31, 17, 10, 120, 240));
  ExpectPixel(DecodeImage(folder_.path() / "a.jpg"), 15, 8, 10, 120, 240);
}

TEST_F(ImageTest, BytesBehindTheEndAreFine) {
  const std::string good = MakeJpeg({});
  EXPECT_EQ(Decode(good + std::string(1000, 'x')).rgb, Decode(good).rgb);
  EXPECT_EQ(Decode(good + good).rgb, Decode(good).rgb);
}

std::string NoiseJpeg(bool is_progressive) {
  TempFolder folder;
  cv::Mat noise(64, 64, CV_8UC3);
  const Image image = NoisePicture(64, 64);
  std::copy(image.rgb.begin(), image.rgb.end(), noise.data);
  const fs::path path = folder.path() / "a.jpg";
  cv::imwrite(path.string(), noise, {cv::IMWRITE_JPEG_PROGRESSIVE, is_progressive ? 1 : 0});
  return ReadFile(path);
}

TEST_F(ImageTest, DamagedFilesAreDataLoss) {
  const std::string baseline = NoiseJpeg(false), progressive = NoiseJpeg(true);
  WritePng(folder_.path() / "a.png", NoisePicture(64, 64));
  const std::string png = ReadFile(folder_.path() / "a.png");
  const auto cut = [](const std::string& bytes, double share) {
    return bytes.substr(0, static_cast<size_t>(share * static_cast<double>(bytes.size())));
  };
  const std::pair<const char*, std::string> cases[] = {
      {"empty", ""},
      {"text", "this is no picture"},
      {"only the first marker", "\xff\xd8"},
      {"header only", baseline.substr(0, 200)},
      {"half", cut(baseline, 0.5)},
      {"nine tenths", cut(baseline, 0.9)},
      {"half, progressive", cut(progressive, 0.5)},
      {"no end marker", baseline.substr(0, baseline.size() - 2)},
      {"half with an end marker", cut(baseline, 0.5) + "\xff\xd9"},
      {"half, then zeros", cut(baseline, 0.5) + std::string(baseline.size() / 2, '\0')},
      {"half a PNG", cut(png, 0.5)},
      {"a PNG's signature", png.substr(0, 8)},
  };
  for (const auto& [name, bytes] : cases) {
    SCOPED_TRACE(name);
    const Error error = ThrownBy([&] { Decode(bytes); });
    EXPECT_EQ(error.code(), Code::kDataLoss) << error.what();
    EXPECT_THAT(error.where(), testing::EndsWith("picture.jpg"));
  }
}

TEST_F(ImageTest, MissingFileIsNotFound) {
  EXPECT_EQ(ThrownBy([&] { DecodeImage(folder_.path() / "none.jpg"); }).code(), Code::kNotFound);
  EXPECT_EQ(ThrownBy([&] { ReadImageSize(folder_.path() / "none.jpg"); }).code(), Code::kNotFound);
}

TEST_F(ImageTest, FirstBytesTellWhatIsNoPicture) {
  WritePng(folder_.path() / "a.png", NoisePicture(8, 8));
  EXPECT_NO_THROW(CheckIsPicture(folder_.path() / "a.png"));
  const fs::path half = Write("half.jpg", NoiseJpeg(false).substr(0, 200));
  EXPECT_NO_THROW(CheckIsPicture(half)) << "only decoding tells";
  const auto code = [&](const fs::path& path) { return ThrownBy([&] { CheckIsPicture(path); }).code(); };
  EXPECT_EQ(code(Write("empty.jpg", "")), Code::kDataLoss);
  EXPECT_EQ(code(Write("text.jpg", "this is no picture, but long enough for any signature")), Code::kDataLoss);
  EXPECT_EQ(code(folder_.path() / "none.jpg"), Code::kNotFound);
}

TEST_F(ImageTest, UnwritablePlaceIsAnError) {
  EXPECT_THROW(WriteJpeg(folder_.path() / "no" / "a.jpg", NoisePicture(4, 4)), Error);
}

TEST(ResizeTest, HalfPixelCentresAndAveraging) {
  Image ramp = PlainPicture(4, 1, 0, 0, 0);
  for (size_t x = 0; x < 4; ++x) ramp.rgb[3 * x] = static_cast<uint8_t>(40 * x);  // 0 40 80 120
  const Image twice = ResizeImage(ramp, 8, 1);
  const int expected[] = {0, 10, 30, 50, 70, 90, 110, 120};
  for (size_t x = 0; x < 8; ++x) EXPECT_EQ(twice.rgb[3 * x], expected[x]) << x;
  EXPECT_EQ(ResizeImage(ramp, 1, 1).rgb[0], 60) << "averaged, not picked";
  EXPECT_EQ(ResizeImage(ramp, 4, 1).rgb, ramp.rgb);
  const Image mixed = ResizeImage(ramp, 1, 3);  // averaged across, repeated down
  EXPECT_EQ(mixed.rgb[0], 60);
  EXPECT_EQ(mixed.rgb[6], 60);
}

TEST(ToInputTest, NormalizesPlanesAndResizes) {
  Preprocessing preprocessing{2, 1, {0.5f, 0.25f, 0}, {0.5f, 1, 2}};
  const Image image{2, 1, {0, 255, 51, 255, 0, 102}};
  float out[6];
  ToInput(image, preprocessing, out);
  const float expected[] = {-1, 1, 0.75f, -0.25f, 0.1f, 0.2f};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(out[i], expected[i], 1e-6) << i;
  ToInput(ResizeImage(image, 6, 3), preprocessing, out);  // comes back to its size by averaging
  EXPECT_NEAR(out[0], -1, 0.25);
  EXPECT_NEAR(out[1], 1, 0.25);
}

}  // namespace
}  // namespace hot
