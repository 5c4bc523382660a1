#include "deploy/onnx_reader/model_file.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/error.h"
#include "graph/element_type.h"

namespace hot {
namespace {

constexpr int kOldestOpset = 11;  // the first whose Clip reads its limits as inputs
constexpr int64_t kMaxElements = 1 << 28;
constexpr int kMaxNodes = 10'000;

std::optional<ElementType> TypeOf(const onnx::TensorProto& tensor) {
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      return ElementType::kF32;
    case onnx::TensorProto::DOUBLE:
      return ElementType::kF64;
    case onnx::TensorProto::FLOAT16:
      return ElementType::kF16;
    case onnx::TensorProto::BFLOAT16:
      return ElementType::kBF16;
    case onnx::TensorProto::INT64:
      return ElementType::kI64;
    case onnx::TensorProto::INT32:
      return ElementType::kI32;
    case onnx::TensorProto::INT8:
      return ElementType::kI8;
    case onnx::TensorProto::UINT8:
      return ElementType::kU8;
    case onnx::TensorProto::BOOL:
      return ElementType::kBool;
    default:
      return std::nullopt;
  }
}

// Elements of a shape, or -1 where there can't be so many.
int64_t CountElements(const std::vector<int64_t>& shape) {
  int64_t elements = 1;
  for (const int64_t side : shape) {
    if (side < 0 || side > kMaxElements) return -1;
    elements *= side;
    if (elements > kMaxElements) return -1;
  }
  return elements;
}

// Numbers that are not in raw_data but in a list of their type, as bytes of that type.
template <typename Number, typename List>
std::string ListBytes(const List& list) {
  std::string bytes;
  bytes.reserve(static_cast<size_t>(list.size()) * sizeof(Number));
  for (const auto value : list) {
    const auto number = static_cast<Number>(value);
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return bytes;
}

std::string TypedBytes(const onnx::TensorProto& tensor, ElementType type) {
  switch (type) {
    case ElementType::kF32:
      return ListBytes<float>(tensor.float_data());
    case ElementType::kF64:
      return ListBytes<double>(tensor.double_data());
    case ElementType::kI64:
      return ListBytes<int64_t>(tensor.int64_data());
    case ElementType::kI32:
      return ListBytes<int32_t>(tensor.int32_data());
    case ElementType::kF16:
    case ElementType::kBF16:
      return ListBytes<uint16_t>(tensor.int32_data());
    default:
      return ListBytes<int8_t>(tensor.int32_data());
  }
}

template <typename Integer>
std::vector<int64_t> ToIntegers(const std::string& bytes) {
  std::vector<int64_t> integers(bytes.size() / sizeof(Integer));
  for (size_t i = 0; i < integers.size(); ++i) {
    Integer value = 0;
    std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    integers[i] = value;
  }
  return integers;
}

uint64_t ParseCount(const std::string& text, const std::string& where) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Code::kDataLoss, where, "its external data has no offset or length that is a number");
  return value;
}

std::string ReadRange(const fs::path& file, uint64_t offset, uint64_t bytes, const std::string& where) {
  std::error_code fault;
  const uint64_t size = fs::file_size(file, fault);
  if (fault) {
    throw Error(Code::kNotFound, where, "its external data is missing: " + file.string(),
                "keep the files that the exporter wrote together");
  }
  if (offset > size || bytes > size - offset)
    throw Error(Code::kDataLoss, where, "its external data " + file.string() + " is too short");
  std::string text(bytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  stream.read(text.data(), static_cast<std::streamsize>(bytes));
  if (!stream) throw Error(Code::kDataLoss, where, "its external data " + file.string() + " can't be read");
  return text;
}

// Of ONNX's own operators; 0: none.
int OpsetOf(const onnx::ModelProto& model) {
  constexpr int64_t kEnd = 1000;  // far beyond all that will be
  int64_t version = 0;
  for (const onnx::OperatorSetIdProto& opset : model.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") version = opset.version();
  }
  return static_cast<int>(std::clamp<int64_t>(version, 0, kEnd));
}

}  // namespace

ModelFile::ModelFile(std::string_view bytes, fs::path folder, std::string where)
    : folder_(std::move(folder)), where_(std::move(where)) {
  const bool parsed =
      std::in_range<int>(bytes.size()) && model_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!parsed || model_.ir_version() < 1 || !model_.has_graph())
    throw Error(Code::kInvalidArgument, where_, "is no ONNX file, or its end is missing");
  opset_ = OpsetOf(model_);
  if (opset_ < kOldestOpset) {
    throw Error(Code::kUnimplemented, where_,
                "is written in opset " + std::to_string(opset_) + ", older than " + std::to_string(kOldestOpset),
                "export it with opset_version=17");
  }
  const int nodes = graph().node_size();
  if (nodes == 0 || nodes > kMaxNodes) {
    throw Error(Code::kInvalidArgument, where_,
                "has " + std::to_string(nodes) + " nodes; a network has 1 to " + std::to_string(kMaxNodes));
  }
  for (const onnx::TensorProto& tensor : graph().initializer()) initializers_[tensor.name()] = &tensor;
}

std::string ModelFile::Producer() const {
  return model_.producer_name() + (model_.producer_version().empty() ? "" : " " + model_.producer_version());
}

const OnnxConstant* ModelFile::FindConstant(const std::string& name) {
  if (const auto known = constants_.find(name); known != constants_.end()) return &known->second;
  const auto initializer = initializers_.find(name);
  if (initializer == initializers_.end()) return nullptr;
  return &(constants_[name] = Decode(*initializer->second));
}

OnnxConstant ModelFile::Decode(const onnx::TensorProto& tensor) const {
  OnnxConstant constant{.shape = {tensor.dims().begin(), tensor.dims().end()}};
  const std::string name = "tensor " + tensor.name();
  const int64_t elements = CountElements(constant.shape);
  if (elements < 0) throw Error(Code::kDataLoss, where_, name + " has a shape that can't be");
  const std::optional<ElementType> type = TypeOf(tensor);
  if (!type) {
    throw Error(Code::kUnimplemented, where_, name + " is of type " + std::to_string(tensor.data_type()),
                "weights are read in float32, float16, bfloat16 and float64");
  }
  const size_t expected = static_cast<size_t>(elements) * ElementBytes(*type);
  const std::string bytes = RawBytes(tensor, expected);
  if (bytes.size() != expected) {
    throw Error(Code::kDataLoss, where_,
                name + " holds " + std::to_string(bytes.size()) + " bytes instead of " + std::to_string(expected));
  }
  constant.is_integer = *type == ElementType::kI64 || *type == ElementType::kI32;
  if (*type == ElementType::kI64) constant.integers = ToIntegers<int64_t>(bytes);
  if (*type == ElementType::kI32) constant.integers = ToIntegers<int32_t>(bytes);
  if (!constant.is_integer) {
    constant.values.resize(static_cast<size_t>(elements));
    ToFloats(*type, bytes.data(), constant.values);
  }
  return constant;
}

std::string ModelFile::RawBytes(const onnx::TensorProto& tensor, size_t expected) const {
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) return ExternalBytes(tensor, expected);
  if (tensor.has_raw_data()) return tensor.raw_data();
  return TypedBytes(tensor, *TypeOf(tensor));
}

// The location is a path below the model's own folder, or it is refused.
std::string ModelFile::ExternalBytes(const onnx::TensorProto& tensor, size_t expected) const {
  const std::string where = where_ + ": tensor " + tensor.name();
  std::string location;
  uint64_t offset = 0, length = expected;
  for (const onnx::StringStringEntryProto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = ParseCount(entry.value(), where);
    if (entry.key() == "length") length = ParseCount(entry.value(), where);
  }
  const fs::path path = fs::path(location).lexically_normal();
  if (location.empty() || path.is_absolute() || path.begin()->string() == "..")
    throw Error(Code::kInvalidArgument, where, "its external data lies outside the model's folder");
  if (length != expected) {
    throw Error(Code::kDataLoss, where,
                "its external data has " + std::to_string(length) + " bytes instead of " + std::to_string(expected));
  }
  return ReadRange(folder_ / path, offset, length, where);
}

const onnx::AttributeProto* FindAttribute(const onnx::NodeProto& node, std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

int64_t IntAttribute(const onnx::NodeProto& node, std::string_view name, int64_t fallback) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  return attribute == nullptr ? fallback : attribute->i();
}

float FloatAttribute(const onnx::NodeProto& node, std::string_view name, float fallback) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  return attribute == nullptr ? fallback : attribute->f();
}

std::string TextAttribute(const onnx::NodeProto& node, std::string_view name, const std::string& fallback) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  return attribute == nullptr ? fallback : attribute->s();
}

std::vector<int64_t> IntsAttribute(const onnx::NodeProto& node, std::string_view name) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

}  // namespace hot
