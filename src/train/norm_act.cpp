#include "train/norm_act.h"

#include <cmath>

#include "train/norm_kernels.h"
#include "train/torch_pch.h"

namespace hot {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

Tensor ChannelsLast(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

Rows RowsOf(const Tensor& x) { return {.rows = x.size(0) * x.size(2) * x.size(3), .channels = x.size(1)}; }

// Calls `work` with a value of the type that the map holds.
template <typename Work>
auto WithType(const Tensor& map, const Work& work) {
  return map.scalar_type() == at::kBFloat16 ? work(c10::BFloat16()) : work(float());
}

std::vector<float> Values(const Tensor& tensor) {
  const float* data = tensor.const_data_ptr<float>();
  return {data, data + tensor.numel()};
}

Tensor Tensors(const std::vector<float>& values) {
  Tensor tensor = at::empty({static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
  return tensor;
}

std::vector<float> InverseDeviation(const Moments& moments, double rows, double eps) {
  std::vector<float> inverse;
  for (double squares : moments.squared_deviation)
    inverse.push_back(static_cast<float>(1.0 / std::sqrt(squares / rows + eps)));
  return inverse;
}

void UpdateRunning(const Moments& moments, double rows, double momentum, Tensor running_mean, Tensor running_var) {
  float* mean = running_mean.mutable_data_ptr<float>();
  float* variance = running_var.mutable_data_ptr<float>();
  for (size_t c = 0; c < moments.mean.size(); ++c) {
    const double unbiased = moments.squared_deviation[c] / std::max(1.0, rows - 1.0);
    mean[c] = static_cast<float>((1 - momentum) * mean[c] + momentum * moments.mean[c]);
    variance[c] = static_cast<float>((1 - momentum) * variance[c] + momentum * unbiased);
  }
}

AffineClamp MakeAffine(const Tensor& weight, const Tensor& bias, const std::vector<float>& mean,
                       const std::vector<float>& inverse) {
  AffineClamp affine{.scale = Values(weight), .shift = Values(bias), .low = 0, .high = 0};
  for (size_t c = 0; c < mean.size(); ++c) {
    affine.scale[c] *= inverse[c];
    affine.shift[c] -= mean[c] * affine.scale[c];
  }
  return affine;
}

class BatchNormActFunction : public torch::autograd::Function<BatchNormActFunction> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& input, const Tensor& weight, const Tensor& bias,
                        const Tensor& running_mean, const Tensor& running_var, double momentum, double eps, double low,
                        double high) {
    const Tensor x = ChannelsLast(input);
    const Rows shape = RowsOf(x);
    const auto rows = static_cast<double>(shape.rows);
    const Moments moments =
        WithType(x, [&](auto type) { return ChannelMoments(x.const_data_ptr<decltype(type)>(), shape); });
    UpdateRunning(moments, rows, momentum, running_mean, running_var);
    const std::vector<float> inverse = InverseDeviation(moments, rows, eps);
    AffineClamp affine = MakeAffine(weight, bias, moments.mean, inverse);
    affine.low = static_cast<float>(low);
    affine.high = static_cast<float>(high);
    Tensor y = at::empty_like(x);
    WithType(x, [&](auto type) {
      ApplyAffineClamp(x.const_data_ptr<decltype(type)>(), shape, affine, y.mutable_data_ptr<decltype(type)>());
    });
    context->save_for_backward({x, weight, bias, Tensors(moments.mean), Tensors(inverse)});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    return y;
  }

  // Ioffe and Szegedy, section 3: with g the gradient behind the clamp, n rows and d = x - mean,
  // dx = scale * (g - mean(g) - d * inverse^2 * mean(g * d)).
  static torch::autograd::variable_list backward(AutogradContext* context, torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], dy = ChannelsLast(gradients[0]);
    const std::vector<float> mean = Values(saved[3]), inverse = Values(saved[4]);
    AffineClamp affine = MakeAffine(saved[1], saved[2], mean, inverse);
    affine.low = static_cast<float>(context->saved_data["low"].toDouble());
    affine.high = static_cast<float>(context->saved_data["high"].toDouble());
    const Rows shape = RowsOf(x);
    const GradientSums sums = WithType(x, [&](auto type) {
      using T = decltype(type);
      return SumGradients(x.const_data_ptr<T>(), dy.const_data_ptr<T>(), shape, affine, mean);
    });

    const auto rows = static_cast<double>(shape.rows);
    std::vector<float> weight_gradient, bias_gradient;
    InputGradient input;
    for (size_t c = 0; c < mean.size(); ++c) {
      const double slope =
          -static_cast<double>(affine.scale[c]) * inverse[c] * inverse[c] * sums.gradient_deviation[c] / rows;
      input.slope.push_back(static_cast<float>(slope));
      input.offset.push_back(static_cast<float>(-affine.scale[c] * sums.gradient[c] / rows - slope * mean[c]));
      weight_gradient.push_back(static_cast<float>(sums.gradient_deviation[c] * inverse[c]));
      bias_gradient.push_back(static_cast<float>(sums.gradient[c]));
    }
    Tensor dx = at::empty_like(x);
    WithType(x, [&](auto type) {
      using T = decltype(type);
      ApplyInputGradient(x.const_data_ptr<T>(), dy.const_data_ptr<T>(), shape, affine, input, dx.mutable_data_ptr<T>());
    });
    return {dx, Tensors(weight_gradient), Tensors(bias_gradient), {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor BatchNormActByOperations(const at::Tensor& x, const NormParameters& parameters,
                                    const NormActOptions& options) {
  const at::Tensor y =
      at::batch_norm(x, parameters.weight, parameters.bias, parameters.running_mean, parameters.running_var,
                     /*training=*/true, options.momentum, options.eps, /*cudnn_enabled=*/true);
  return std::isinf(options.low) && std::isinf(options.high) ? y : at::hardtanh(y, options.low, options.high);
}

at::Tensor BatchNormAct(const at::Tensor& x, const NormParameters& parameters, const NormActOptions& options) {
  if (!x.is_cpu()) return BatchNormActByOperations(x, parameters, options);
  return BatchNormActFunction::apply(x, parameters.weight, parameters.bias, parameters.running_mean,
                                     parameters.running_var, options.momentum, options.eps,
                                     static_cast<double>(options.low), static_cast<double>(options.high));
}

}  // namespace hot
