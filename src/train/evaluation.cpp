#include "train/evaluation.h"

#include <algorithm>

#include "train/torch_pch.h"

namespace hot {
namespace {

std::vector<Tensor> OfPicture(const std::vector<at::Tensor>& outputs, int64_t index) {
  std::vector<Tensor> of_picture;
  for (const at::Tensor& output : outputs) {
    const at::Tensor one = output.narrow(0, index, 1).contiguous(at::MemoryFormat::Contiguous);
    Tensor tensor(one.sizes().vec());
    std::copy_n(one.const_data_ptr<float>(), tensor.data.size(), tensor.data.begin());
    of_picture.push_back(std::move(tensor));
  }
  return of_picture;
}

void Rescale(std::vector<Detection>& detections, float x_factor, float y_factor) {
  for (Detection& detection : detections) {
    Box& box = detection.box;
    box = {.x0 = box.x0 * x_factor, .y0 = box.y0 * y_factor, .x1 = box.x1 * x_factor, .y1 = box.y1 * y_factor};
  }
}

}  // namespace

std::vector<ScoredPicture> Predict(GraphModule& module, const Task& task, const Dataset& dataset, Loader& loader) {
  const at::NoGradGuard no_grad;
  module.Evaluate();
  const Shape input = task.options().input;
  std::vector<ScoredPicture> pictures;
  loader.BeginEpoch(0);
  for (Batch batch; loader.Next(&batch);) {
    const at::Tensor images = at::from_blob(batch.images.data(), {batch.size, input.c, input.h, input.w});
    const std::vector<at::Tensor> outputs = module.Forward(images);
    for (int i = 0; i < batch.size; ++i) {
      const Sample& sample = dataset.samples[static_cast<size_t>(batch.indices[static_cast<size_t>(i)])];
      ScoredPicture picture{.id = sample.id, .truth = sample.objects, .detections = task.Decode(OfPicture(outputs, i))};
      Rescale(picture.detections, static_cast<float>(sample.width) / static_cast<float>(input.w),
              static_cast<float>(sample.height) / static_cast<float>(input.h));
      pictures.push_back(std::move(picture));
    }
  }
  return pictures;
}

}  // namespace hot
