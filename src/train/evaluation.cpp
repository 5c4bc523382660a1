#include "train/evaluation.h"

#include <algorithm>

#include "tasks/predictions.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

std::vector<at::Tensor> OnHost(std::vector<at::Tensor> outputs) {
  for (at::Tensor& output : outputs) output = output.cpu();
  return outputs;
}

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

}  // namespace

std::vector<ScoredPicture> Predict(GraphModule& module, const Task& task, const Dataset& pictures, const Dataset& views,
                                   Loader& loader) {
  const at::NoGradGuard no_grad;
  module.Evaluate();
  const Shape input = task.options().input;
  PicturePredictions predictions(pictures, input);
  loader.BeginEpoch(0);
  for (Batch batch; loader.Next(&batch);) {
    const at::Tensor images = at::from_blob(batch.images.data(), {batch.size, input.c, input.h, input.w});
    const std::vector<at::Tensor> outputs = OnHost(module.Forward(images));
    std::vector<at::Tensor> of_mirrored;
    if (task.options().flip_test) of_mirrored = OnHost(module.Forward(images.flip({3})));
    for (int i = 0; i < batch.size; ++i) {
      const Sample& view = views.samples[static_cast<size_t>(batch.indices[static_cast<size_t>(i)])];
      std::vector<Tensor> of_picture = OfPicture(outputs, i);
      if (task.options().flip_test) of_picture = task.Unite(std::move(of_picture), OfPicture(of_mirrored, i));
      predictions.Add(view, task.Decode(of_picture));
    }
  }
  return std::move(predictions).Take();
}

}  // namespace hot
