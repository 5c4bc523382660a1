#include "deploy/toolchains/vela/litert_session.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "deploy/toolchains/vela/worker_file.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kModel = "model.tflite";

std::string_view Bytes(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size() * sizeof(float)};
}

Tensor ReadTensor(const fs::path& file, const std::vector<int64_t>& shape) {
  const std::string bytes = ReadFile(file);
  Tensor tensor(shape);
  HOT_ASSERT(bytes.size() == tensor.data.size() * sizeof(float));
  std::memcpy(tensor.data.data(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

LiteRtSession::LiteRtSession(std::shared_ptr<Bridge> worker, const std::string& tflite, const std::string& where)
    : worker_(std::move(worker)), where_(where) {
  const fs::path model = folder_.path() / kModel;
  WriteForWorker(model, tflite);
  Json described;
  try {
    described = Json::parse(worker_->Call("litert.load", Json{{"tflite", model.string()}}.dump()));
  } catch (const Error& error) {
    throw Error(error.code(), where_, error.message(), error.hint());
  }
  const auto read = [&](const char* key, std::vector<Port>& ports) {
    for (const Json& port : described.at(key)) {
      ports.push_back({.name = port.at("name"),
                       .shape = port.at("shape"),
                       .file = folder_.path() / (key + std::to_string(ports.size()))});
    }
  };
  read("inputs", inputs_);
  read("outputs", outputs_);
  layers_ = described.at("layers");
}

std::vector<Tensor> LiteRtSession::Run(std::span<const Tensor> inputs) {
  if (inputs.size() != inputs_.size()) {
    throw Error(Code::kInvalidArgument, where_,
                std::to_string(inputs.size()) + " inputs given, the network has " + std::to_string(inputs_.size()));
  }
  Json request{{"tflite", (folder_.path() / kModel).string()}, {"inputs", Json::array()}, {"outputs", Json::array()}};
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor expected(inputs_[i].shape);
    if (inputs[i].size() != expected.size()) {
      throw Error(Code::kInvalidArgument, where_,
                  "the input has " + std::to_string(inputs[i].size()) + " values, the network wants " +
                      std::to_string(expected.size()));
    }
    WriteForWorker(inputs_[i].file, Bytes(inputs[i]));
    request["inputs"].push_back(inputs_[i].file.string());
  }
  for (const Port& port : outputs_) request["outputs"].push_back(port.file.string());
  worker_->Call("litert.run", request.dump());
  std::vector<Tensor> outputs;
  for (const Port& port : outputs_) outputs.push_back(ReadTensor(port.file, port.shape));
  return outputs;
}

std::vector<std::string> LiteRtSession::Names(const std::vector<Port>& ports) {
  std::vector<std::string> names;
  for (const Port& port : ports) names.push_back(port.name);
  return names;
}

std::vector<std::vector<int64_t>> LiteRtSession::Shapes(const std::vector<Port>& ports) {
  std::vector<std::vector<int64_t>> shapes;
  for (const Port& port : ports) shapes.push_back(port.shape);
  return shapes;
}

}  // namespace hot
