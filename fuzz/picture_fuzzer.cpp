// A picture: JPEG by libjpeg, PNG and the others by OpenCV. What reads the size alone must agree with what decodes.
#include <optional>

#include "data/image.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  const hot::fs::path file = folder.Write("picture", hot::AsText(data, size));
  std::optional<std::pair<int, int>> header;
  hot::MayThrowError([&] { header = hot::ReadImageSize(file); });
  hot::MayThrowError([&] {
    const hot::Image image = hot::DecodeImage(file);
    HOT_ASSERT(image.rgb.size() == static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * 3);
    HOT_ASSERT(header && *header == std::make_pair(image.width, image.height));
    if (image.width > 4096 || image.height > 4096) return;
    const hot::Preprocessing to_input{.width = 4, .height = 4, .mean = {0, 0, 0}, .stddev = {1, 1, 1}};
    float input[3 * 4 * 4];
    hot::ToInput(image, to_input, input);
  });
  return 0;
}
