// A file of COCO: JSON with boxes and keypoints.
#include "data/image.h"
#include "dataset_checks.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const hot::fs::path picture = folder.Write("images/a.jpg", "");
  static const bool written = (hot::WriteJpeg(picture, hot::MakeImage(8, 8), 90), true);
  HOT_ASSERT(written);
  folder.Write("annotations/train.json", hot::AsText(data, size));
  const hot::DataSource source{
      .format = hot::DataFormat::kCoco, .root = folder.path(), .split = "train", .classes = {}};
  hot::MayThrowError([&] { hot::CheckDataset(hot::ReadDataset(source)); });
  return 0;
}
