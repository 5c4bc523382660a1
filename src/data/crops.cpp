#include "data/crops.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "data/warp.h"

namespace hot {

Box CropBox(const Box& box, const CropOptions& options) {
  HOT_ASSERT(options.width > 0 && options.height > 0);
  double width = box.width() * (1 + 2 * options.margin_x), height = box.height() * (1 + 2 * options.margin_y);
  const double aspect = static_cast<double>(options.width) / options.height;
  width = std::max(width, height * aspect);
  height = width / aspect;
  const double x = (box.x0 + box.x1) / 2, y = (box.y0 + box.y1) / 2;
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

Dataset ObjectCrops(const Dataset& pictures, const CropOptions& options) {
  Dataset crops = pictures;
  crops.samples.clear();
  for (const Sample& picture : pictures.samples) {
    for (size_t i = 0; i < picture.objects.size(); ++i) {
      const Object& object = picture.objects[i];
      if (object.crowd || !object.has_labelled_keypoint()) continue;
      Sample crop{.id = static_cast<int64_t>(MixSeed(static_cast<uint64_t>(picture.id), i)),
                  .name = picture.name + ", object " + std::to_string(i + 1),
                  .image = picture.image,
                  .width = picture.width,
                  .height = picture.height,
                  .objects = {object},
                  .crop = Crop{.box = CropBox(object.box, options), .picture = picture.id}};
      crops.samples.push_back(std::move(crop));
    }
  }
  return crops;
}

Box ViewOf(const Sample& sample) { return sample.crop ? sample.crop->box : BoxOfSize(sample.width, sample.height); }

Image RenderView(const Image& picture, const Sample& sample, int width, int height, const uint8_t fill[3]) {
  if (!sample.crop) return ResizeImage(picture, width, height);
  const Shown whole{&picture, BoxOfSize(sample.width, sample.height)};
  return Warp(whole, Affine::Between(ViewOf(sample), BoxOfSize(width, height)), width, height, fill);
}

}  // namespace hot
