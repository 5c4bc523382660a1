#include "deploy/toolchains/openvino/openvino_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/error.h"
#include "core/rng.h"

namespace hot {
namespace {

// The CPU plugin's default on CPUs with AMX or AVX512-BF16 is bf16: fp32 must be asked for. int8 networks keep their
// float parts in fp32.
ov::element::Type Hint(Precision precision) {
  switch (precision) {
    case Precision::kBf16:
      return ov::element::bf16;
    case Precision::kFp16:
      return ov::element::f16;
    default:
      return ov::element::f32;
  }
}

std::vector<int64_t> Dims(const ov::Output<const ov::Node>& port) {
  const ov::Shape& shape = port.get_shape();
  return {shape.begin(), shape.end()};
}

// Calls `function` with a null pointer of the tensor's integer type.
template <typename Function>
void WithIntegerType(const ov::Tensor& tensor, const Function& function) {
  if (tensor.get_element_type() == ov::element::u8) return function(static_cast<uint8_t*>(nullptr));
  function(static_cast<int8_t*>(nullptr));
}

void CopyIn(const Tensor& from, ov::Tensor to, const std::string& where) {
  if (static_cast<size_t>(from.size()) != to.get_size()) {
    throw Error(
        Code::kInvalidArgument, where,
        "the input has " + std::to_string(from.size()) + " values, the network wants " + std::to_string(to.get_size()));
  }
  if (to.get_element_type() == ov::element::f32) {
    std::copy(from.data.begin(), from.data.end(), to.data<float>());
    return;
  }
  WithIntegerType(to, [&]<typename Integer>(Integer*) {
    using Limits = std::numeric_limits<Integer>;
    std::transform(from.data.begin(), from.data.end(), to.data<Integer>(), [](float value) {
      return static_cast<Integer>(std::clamp<float>(std::nearbyint(value), Limits::min(), Limits::max()));
    });
  });
}

Tensor CopyOut(const ov::Tensor& from) {
  Tensor to(std::vector<int64_t>(from.get_shape().begin(), from.get_shape().end()));
  if (from.get_element_type() == ov::element::f32) {
    std::copy_n(from.data<const float>(), from.get_size(), to.data.begin());
  } else {
    WithIntegerType(from, [&]<typename Integer>(Integer*) {
      std::copy_n(from.data<const Integer>(), from.get_size(), to.data.begin());
    });
  }
  return to;
}

void FillRandom(ov::Tensor tensor, Rng& rng) {
  if (tensor.get_element_type() == ov::element::f32) {
    std::generate_n(tensor.data<float>(), tensor.get_size(), [&] { return static_cast<float>(rng.Uniform(-1, 1)); });
    return;
  }
  WithIntegerType(tensor, [&]<typename Integer>(Integer*) {
    std::generate_n(tensor.data<Integer>(), tensor.get_size(),
                    [&] { return static_cast<Integer>(rng.Below(256) + std::numeric_limits<Integer>::min()); });
  });
}

std::string RuntimeText(const std::shared_ptr<const ov::Node>& node, const char* key) {
  const auto& info = node->get_rt_info();
  const auto found = info.find(key);
  return found == info.end() ? "" : found->second.as<std::string>();
}

std::string Same(const std::string& text) { return text; }

// Calls OpenVINO and turns what it throws into our error.
template <typename Function>
auto Guarded(const std::string& where, Code code, const std::string& what, const Function& function) {
  try {
    return function();
  } catch (const ov::Exception& error) {
    std::string text = error.what();
    std::replace(text.begin(), text.end(), '\n', ' ');
    for (const char* sign : {"Failed to allocate", "std::bad_alloc"}) {  // all that is left of the exception
      if (text.find(sign) != std::string::npos)
        throw Error(Code::kResourceExhausted, where,
                    what + ": it needs more memory than this process may have: " + text);
    }
    throw Error(code, where, what + ": " + text);
  }
}

}  // namespace

std::string OpenVinoFlags() { return "hint=latency streams=1 pinning=off float=explicit"; }

std::string OpenVinoVersion() { return ov::get_openvino_version().buildNumber; }

std::vector<Precision> OpenVinoPrecisions(const ov::Core& core) {
  const auto capabilities = core.get_property("CPU", ov::device::capabilities);
  const auto has = [&](const char* name) {
    return std::find(capabilities.begin(), capabilities.end(), name) != capabilities.end();
  };
  std::vector<Precision> precisions = {Precision::kFp32};
  if (has(ov::device::capability::BF16)) precisions.push_back(Precision::kBf16);
  if (has(ov::device::capability::FP16)) precisions.push_back(Precision::kFp16);
  if (has(ov::device::capability::INT8)) precisions.push_back(Precision::kInt8);
  return precisions;
}

OpenVinoModel::OpenVinoModel(ov::Core& core, const std::string& onnx, Precision precision, int threads,
                             const std::string& where, bool layer_timers)
    : OpenVinoModel({ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1),
                     ov::inference_num_threads(threads), ov::hint::enable_cpu_pinning(false),
                     ov::hint::inference_precision(Hint(precision)), ov::enable_profiling(layer_timers),
                     ov::cache_encryption_callbacks(ov::EncryptionCallbacks{Same, Same})},
                    where) {
  Guarded(where_, Code::kDataLoss, "OpenVINO can't read or compile it", [&] {
    compiled_ = core.compile_model(core.read_model(onnx, ov::Tensor()), "CPU", properties_);
    request_ = compiled_.create_infer_request();
  });
}

std::unique_ptr<OpenVinoModel> OpenVinoModel::Again(ov::Core& core) const {
  std::unique_ptr<OpenVinoModel> again(new OpenVinoModel(properties_, where_));
  Guarded(where_, Code::kInternal, "OpenVINO can't load again what it compiled", [&] {
    again->exported_ = exported_;
    if (exported_ == nullptr) {
      std::ostringstream exported;
      ov::CompiledModel(compiled_).export_model(exported);
      again->exported_ = std::make_shared<const std::string>(std::move(exported).str());
    }
    std::istringstream exported(*again->exported_);
    again->compiled_ = core.import_model(exported, "CPU", properties_);
    again->request_ = again->compiled_.create_infer_request();
  });
  return again;
}

std::vector<Tensor> OpenVinoModel::Run(std::span<const Tensor> inputs) {
  if (inputs.size() != compiled_.inputs().size()) {
    throw Error(
        Code::kInvalidArgument, where_,
        std::to_string(inputs.size()) + " inputs given, the network has " + std::to_string(compiled_.inputs().size()));
  }
  return Guarded(where_, Code::kInternal, "OpenVINO failed", [&] {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const ov::Tensor tensor(compiled_.input(i).get_element_type(), compiled_.input(i).get_shape());
      CopyIn(inputs[i], tensor, where_);
      request_.set_input_tensor(i, tensor);
    }
    request_.infer();
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < compiled_.outputs().size(); ++i) outputs.push_back(CopyOut(request_.get_output_tensor(i)));
    return outputs;
  });
}

std::map<std::string, std::string> OpenVinoModel::LayerPrecisions() const {
  // Reorders only move data, and some bear numbers that differ from one compilation to the next.
  static constexpr const char* kNoWork[] = {"Input", "Output", "Const", "Reshape", "Result", "Parameter", "Reorder"};
  std::map<std::string, std::string> layers;
  for (const auto& node : compiled_.get_runtime_model()->get_ordered_ops()) {
    const std::string type = RuntimeText(node, "layerType");
    if (std::find(std::begin(kNoWork), std::end(kNoWork), type) != std::end(kNoWork)) continue;
    std::string precision = RuntimeText(node, "runtimePrecision");
    if (precision == "u8") precision = "i8";  // which of the two 8-bit integers is OpenVINO's own business
    layers[type + " " + node->get_friendly_name()] = precision;
  }
  return layers;
}

void OpenVinoModel::FillInputs(uint64_t seed) {
  Rng rng(MixSeed(seed, "inputs"));
  for (size_t i = 0; i < compiled_.inputs().size(); ++i) {
    const ov::Tensor tensor(compiled_.input(i).get_element_type(), compiled_.input(i).get_shape());
    FillRandom(tensor, rng);
    request_.set_input_tensor(i, tensor);
  }
}

void OpenVinoModel::Infer() { request_.infer(); }

std::vector<LayerTime> OpenVinoModel::LayerTimes() const {
  if (!compiled_.get_property(ov::enable_profiling)) return {};
  std::vector<LayerTime> times;
  for (const ov::ProfilingInfo& info : request_.get_profiling_info()) {
    if (info.status != ov::ProfilingInfo::Status::EXECUTED) continue;
    times.push_back({info.node_name, info.node_type, info.exec_type, static_cast<double>(info.real_time.count())});
  }
  return times;
}

std::vector<std::string> OpenVinoModel::InputNames() const {
  std::vector<std::string> names;
  for (const auto& port : compiled_.inputs()) names.push_back(port.get_any_name());
  return names;
}

std::vector<std::string> OpenVinoModel::OutputNames() const {
  std::vector<std::string> names;
  for (const auto& port : compiled_.outputs()) names.push_back(port.get_any_name());
  return names;
}

std::vector<std::vector<int64_t>> OpenVinoModel::InputShapes() const {
  std::vector<std::vector<int64_t>> shapes;
  for (const auto& port : compiled_.inputs()) shapes.push_back(Dims(port));
  return shapes;
}

std::vector<std::vector<int64_t>> OpenVinoModel::OutputShapes() const {
  std::vector<std::vector<int64_t>> shapes;
  for (const auto& port : compiled_.outputs()) shapes.push_back(Dims(port));
  return shapes;
}

}  // namespace hot
