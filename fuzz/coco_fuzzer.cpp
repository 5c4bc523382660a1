// A file of COCO: JSON with boxes and keypoints.
#include "dataset_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::InputFolder folder;
  static const bool written = (hot::WriteSmallPicture(folder, "images/a.jpg"), true);
  HOT_ASSERT(written);
  folder.Write("annotations/train.json", hot::AsText(data, size));
  const hot::DataSource source{
      .format = hot::DataFormat::kCoco, .root = folder.path(), .split = "train", .classes = {}};
  hot::MayThrowError([&] { hot::CheckDataset(hot::ReadDataset(source)); });
  return 0;
}
