#include "deploy/toolchains/tvm/tvm_model.h"

#include <elf.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/rng.h"

namespace hot {
namespace {

namespace ffi = tvm::ffi;
using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr size_t kAlignment = 64;

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
bool Executes(const std::string& isa) {
  if (isa == "x86-64-avx2")
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  return isa == "x86-64-avx512-vnni" && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}
#elif defined(__aarch64__)
#include <sys/auxv.h>
constexpr uint16_t kMachine = EM_AARCH64;
bool Executes(const std::string& isa) {
  constexpr unsigned long kDotProduct = 1UL << 20;  // HWCAP_ASIMDDP
  return isa == "aarch64-neon" || (isa == "aarch64-dotprod" && (getauxval(AT_HWCAP) & kDotProduct) != 0);
}
#endif

// The loader maps what the headers say, and reading behind the end of a truncated file is a bus error.
void CheckElf(const std::string& library, const std::string& where) {
  Elf64_Ehdr header;
  if (library.size() < sizeof header || std::memcmp(library.data(), ELFMAG, SELFMAG) != 0)
    throw Error(Code::kDataLoss, where, "it is no shared object", "compile it again");
  std::memcpy(&header, library.data(), sizeof header);
  const uint64_t end = header.e_shoff + uint64_t{header.e_shnum} * header.e_shentsize;
  if (header.e_shoff > library.size() || end > library.size())
    throw Error(Code::kDataLoss, where, "it is truncated", "compile it again");
  if (header.e_machine != kMachine)
    throw Error(Code::kFailedPrecondition, where, "it was compiled for another kind of processor",
                "compile it for this device");
}

template <typename Act>
auto Guarded(const std::string& where, Code code, const std::string& what, const Act& act) {
  try {
    return act();
  } catch (const std::exception& error) {
    if (const auto* ours = dynamic_cast<const Error*>(&error)) throw *ours;
    const std::string text = error.what();
    throw Error(code, where, what + ": " + text.substr(0, text.find('\n')));
  }
}

std::vector<TvmDescription::Port> ParsePorts(const Json& rows) {
  std::vector<TvmDescription::Port> ports;
  for (const Json& row : rows) ports.push_back({row.at("name"), row.at("dtype"), row.at("shape")});
  return ports;
}

TvmDescription ParseDescription(const char* text) {
  const Json json = Json::parse(text);
  if (json.at("version") != kVersion) {
    throw Error(Code::kFailedPrecondition, "", "version " + json.at("version").dump() + " of the library's description",
                "use the program that wrote it");
  }
  TvmDescription description{.compiler = json.at("compiler"),
                             .isa = json.at("isa"),
                             .arena_bytes = json.at("arena_bytes"),
                             .live_bytes = json.at("live_bytes"),
                             .constant_bytes = json.at("constant_bytes"),
                             .kernels = json.at("kernels"),
                             .first_timed = json.at("timed").at(0),
                             .last_timed = json.at("timed").at(1),
                             .inputs = ParsePorts(json.at("inputs")),
                             .outputs = ParsePorts(json.at("outputs"))};
  for (const Json& step : json.at("steps"))
    description.steps.push_back({step.at("layer"), step.at("op"), step.at("precision")});
  return description;
}

DLDataType ParseType(const std::string& dtype) {
  if (dtype == "float32") return {kDLFloat, 32, 1};
  return {static_cast<uint8_t>(dtype == "int8" ? kDLInt : kDLUInt), 8, 1};
}

int64_t Elements(const DLTensor& tensor) {
  int64_t count = 1;
  for (int i = 0; i < tensor.ndim; ++i) count *= tensor.shape[i];
  return count;
}

void CopyIn(const Tensor& from, const DLTensor& to, const std::string& where) {
  if (from.size() != Elements(to)) {
    throw Error(
        Code::kInvalidArgument, where,
        "the input has " + std::to_string(from.size()) + " values, the network wants " + std::to_string(Elements(to)));
  }
  if (to.dtype.code == kDLFloat) {
    std::copy(from.data.begin(), from.data.end(), static_cast<float*>(to.data));
  } else {
    std::transform(from.data.begin(), from.data.end(), static_cast<int8_t*>(to.data),
                   [](float value) { return static_cast<int8_t>(std::clamp(std::nearbyint(value), -128.0f, 127.0f)); });
  }
}

Tensor CopyOut(const DLTensor& from) {
  Tensor to(std::vector<int64_t>(from.shape, from.shape + from.ndim));
  if (from.dtype.code == kDLFloat) {
    std::copy_n(static_cast<const float*>(from.data), to.data.size(), to.data.begin());
  } else {
    std::copy_n(static_cast<const int8_t*>(from.data), to.data.size(), to.data.begin());
  }
  return to;
}

// "Convolution" is what session.h looks for; steps that only move data have no name.
std::string TypeName(const std::string& op) {
  static constexpr const char* kNoWork[] = {"pack", "unpack", "convert", "concat", "flatten", "upsample"};
  if (std::find(std::begin(kNoWork), std::end(kNoWork), op) != std::end(kNoWork)) return "";
  return op == "conv" || op == "depthwise" ? "Convolution" : op;
}

}  // namespace

void TvmModel::Free::operator()(void* memory) const { std::free(memory); }

TvmModel::Memory TvmModel::Allocate(int64_t bytes) {
  const size_t whole = (static_cast<size_t>(std::max<int64_t>(bytes, 1)) + kAlignment - 1) / kAlignment * kAlignment;
  Memory memory(std::aligned_alloc(kAlignment, whole));
  if (memory == nullptr) {
    throw Error(Code::kResourceExhausted, "tvm", "no memory for " + std::to_string(whole) + " bytes");
  }
  std::memset(memory.get(), 0, whole);
  return memory;
}

TvmModel::Buffer TvmModel::MakeBuffer(const std::vector<int64_t>& shape, const std::string& dtype) {
  Buffer buffer{.memory = nullptr, .shape = shape, .tensor = {}};
  buffer.tensor.ndim = static_cast<int32_t>(shape.size());
  buffer.tensor.device = {kDLCPU, 0};
  buffer.tensor.dtype = ParseType(dtype);
  int64_t bytes = buffer.tensor.dtype.bits / 8;
  for (const int64_t side : shape) bytes *= side;
  buffer.memory = Allocate(bytes);
  return buffer;
}

TvmModel::TvmModel(const std::string& library, const std::string& where) : where_(where) {
  CheckElf(library, where_);
  const TempFolder folder;  // the loader keeps what it has mapped when the file is gone
  const fs::path file = folder.path() / "network.so";
  WriteFileAtomic(file, library);
  Guarded(where_, Code::kDataLoss, "it can't be loaded", [&] {
    library_ = ffi::Module::LoadFromFile(file.string());
    const auto describe = (*library_)->GetFunction("description");
    const auto main = (*library_)->GetFunction("main");
    if (!describe || !main) throw Error(Code::kDataLoss, where_, "it holds no network", "compile it again");
    description_ = ParseDescription(static_cast<const char*>(describe.value()().cast<void*>()));
    main_ = main.value();
  });
  if (!Executes(description_.isa)) {
    throw Error(Code::kFailedPrecondition, where_, "it was compiled for " + description_.isa + ", which is not here",
                "compile it for this device");
  }
  for (const auto& port : description_.inputs) inputs_.push_back(MakeBuffer(port.shape, port.dtype));
  for (const auto& port : description_.outputs) outputs_.push_back(MakeBuffer(port.shape, port.dtype));
  arena_ = MakeBuffer({std::max<int64_t>(description_.arena_bytes, 1)}, "uint8");
  Bind();
}

void TvmModel::Bind() {
  arguments_.resize(2);
  const auto bind = [&](Buffer& buffer) {
    buffer.tensor.data = buffer.memory.get();
    buffer.tensor.shape = buffer.shape.data();
    arguments_.emplace_back(&buffer.tensor);
  };
  for (Buffer& buffer : inputs_) bind(buffer);
  for (Buffer& buffer : outputs_) bind(buffer);
  bind(arena_);
}

void TvmModel::Execute(int first, int last) {
  arguments_[0] = first;
  arguments_[1] = last;
  ffi::Any nothing;
  main_.CallPacked(arguments_.data(), static_cast<int32_t>(arguments_.size()), &nothing);
}

std::vector<Tensor> TvmModel::Run(std::span<const Tensor> inputs) {
  if (inputs.size() != inputs_.size()) {
    throw Error(Code::kInvalidArgument, where_,
                std::to_string(inputs.size()) + " inputs given, the network has " + std::to_string(inputs_.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) CopyIn(inputs[i], inputs_[i].tensor, where_);
  Guarded(where_, Code::kInternal, "the TVM library failed",
          [&] { Execute(0, static_cast<int>(description_.steps.size())); });
  std::vector<Tensor> outputs;
  for (const Buffer& buffer : outputs_) outputs.push_back(CopyOut(buffer.tensor));
  return outputs;
}

std::map<std::string, std::string> TvmModel::LayerPrecisions() const {
  std::map<std::string, std::string> layers;
  for (const TvmDescription::Step& step : description_.steps) {
    const std::string type = TypeName(step.op);
    if (!type.empty()) layers[type + " " + step.layer] = step.precision;
  }
  return layers;
}

void TvmModel::FillInputs(uint64_t seed) {
  Rng rng(MixSeed(seed, "inputs"));
  for (const Buffer& buffer : inputs_) {
    const int64_t count = Elements(buffer.tensor);
    if (buffer.tensor.dtype.code == kDLFloat) {
      std::generate_n(static_cast<float*>(buffer.tensor.data), count,
                      [&] { return static_cast<float>(rng.Uniform(-1, 1)); });
    } else {
      std::generate_n(static_cast<int8_t*>(buffer.tensor.data), count,
                      [&] { return static_cast<int8_t>(rng.Below(256) - 128); });
    }
  }
  Execute(0, static_cast<int>(description_.steps.size()));
}

void TvmModel::Infer() { Execute(description_.first_timed, description_.last_timed); }

}  // namespace hot
