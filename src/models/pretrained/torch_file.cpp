#include <optional>
#include <utility>

#include "core/error.h"
#include "graph/element_type.h"
#include "models/pretrained/pickle.h"
#include "models/pretrained/tensor_file.h"
#include "models/pretrained/zip.h"

// torch/serialization.py and torch/_utils.py of PyTorch: a tensor is a call of _rebuild_tensor_v2 with a storage, which
// is a persistent id ("storage", type, key, device, elements).
namespace hot {
namespace {

using Kind = PickleValue::Kind;

constexpr const char* kSaveHint = "write the file with torch.save(model.state_dict(), FILE)";

struct StorageType {
  std::string_view global;
  ElementType type;
};
constexpr StorageType kStorageTypes[] = {
    {"torch FloatStorage", ElementType::kF32}, {"torch DoubleStorage", ElementType::kF64},
    {"torch HalfStorage", ElementType::kF16},  {"torch BFloat16Storage", ElementType::kBF16},
    {"torch LongStorage", ElementType::kI64},  {"torch IntStorage", ElementType::kI32},
    {"torch ShortStorage", ElementType::kI16}, {"torch CharStorage", ElementType::kI8},
    {"torch ByteStorage", ElementType::kU8},   {"torch BoolStorage", ElementType::kBool}};

struct Storage {
  std::string key;
  ElementType type = ElementType::kF32;
};

// The tensors of a pickled state dict, once the bytes of each storage are known.
class StateDict {
 public:
  StateDict(const Pickle& pickle, const std::string& where) : pickle_(pickle), where_(where) {}

  std::map<std::string, Tensor> Read(const std::map<std::string, std::string_view>& storages) const {
    const PickleValue& dict = FindDict();
    std::map<std::string, Tensor> tensors;
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue* call = TensorCall(dict.items[i + 1]);
      if (call == nullptr || At(dict.items[i]).kind != Kind::kText) continue;
      const std::string& name = At(dict.items[i]).text;
      tensors[name] = Rebuild(name, *call, storages);
    }
    return tensors;
  }

  // Of all tensors in the pickle, by key; what the format before PyTorch 1.6 has behind it.
  std::map<std::string, ElementType> StorageTypes() const {
    std::map<std::string, ElementType> types;
    for (const PickleValue& value : pickle_.values) {
      if (value.kind != Kind::kPersistent) continue;
      if (const std::optional<Storage> storage = StorageOf(value)) types[storage->key] = storage->type;
    }
    return types;
  }

 private:
  const PickleValue& At(size_t index) const { return pickle_.values[index]; }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(Code::kInvalidArgument, where_, what, kSaveHint);
  }

  size_t CountTensors(const PickleValue& dict) const {
    size_t count = 0;
    for (size_t i = 1; dict.kind == Kind::kDict && i < dict.items.size(); i += 2) {
      count += TensorCall(dict.items[i]) != nullptr ? 1 : 0;
    }
    return count;
  }

  // Of the root and, in a checkpoint, its values, the one with most tensors.
  const PickleValue& FindDict() const {
    const PickleValue& root = At(pickle_.root);
    const PickleValue* best = &root;
    for (size_t i = 1; root.kind == Kind::kDict && i < root.items.size(); i += 2) {
      const PickleValue& value = At(root.items[i]);
      if (CountTensors(value) > CountTensors(*best)) best = &value;
    }
    if (CountTensors(*best) > 0) return *best;
    if (root.kind != Kind::kCall) Refuse("holds no tensors with names");
    Refuse("holds an object of " + At(root.items[0]).text + ", not a state dict");
  }

  // The call that makes the tensor, also inside a Parameter; null when the value is something else.
  const PickleValue* TensorCall(size_t index) const {
    const PickleValue& value = At(index);
    if (value.kind != Kind::kCall) return nullptr;
    const std::string& function = At(value.items[0]).text;
    const PickleValue& arguments = At(value.items[1]);
    if (function == "torch._utils _rebuild_tensor_v2") return &value;
    if (function != "torch._utils _rebuild_parameter" || arguments.items.empty()) return nullptr;
    const PickleValue& inner = At(arguments.items[0]);
    const bool is_tensor = inner.kind == Kind::kCall && At(inner.items[0]).text == "torch._utils _rebuild_tensor_v2";
    return is_tensor ? &inner : nullptr;
  }

  std::optional<Storage> StorageOf(const PickleValue& persistent) const {
    const PickleValue& id = At(persistent.items[0]);
    if (id.items.size() < 5 || At(id.items[0]).text != "storage") return std::nullopt;
    for (const StorageType& known : kStorageTypes) {
      if (known.global == At(id.items[1]).text) return Storage{.key = At(id.items[2]).text, .type = known.type};
    }
    return std::nullopt;
  }

  std::vector<int64_t> Integers(const std::string& name, size_t index) const {
    std::vector<int64_t> values;
    for (size_t item : At(index).items) {
      if (At(item).kind != Kind::kInteger || At(item).integer < 0) Refuse("its tensor " + name + " has a broken shape");
      values.push_back(At(item).integer);
    }
    return values;
  }

  Tensor Rebuild(const std::string& name, const PickleValue& call,
                 const std::map<std::string, std::string_view>& storages) const {
    const std::vector<size_t>& arguments = At(call.items[1]).items;
    if (arguments.size() < 4 || At(arguments[0]).kind != Kind::kPersistent) Refuse("its tensor " + name + " is broken");
    const std::optional<Storage> storage = StorageOf(At(arguments[0]));
    if (!storage) Refuse("its tensor " + name + " has a number type that is not read");
    const auto bytes = storages.find(storage->key);
    if (bytes == storages.end()) Refuse("lacks the numbers of its tensor " + name);
    const std::vector<int64_t> shape = Integers(name, arguments[2]), strides = Integers(name, arguments[3]);
    if (shape.size() != strides.size()) Refuse("its tensor " + name + " has a broken shape");
    const int64_t elements = static_cast<int64_t>(bytes->second.size() / ElementBytes(storage->type));
    const int64_t offset = At(arguments[1]).integer, span = Span(shape, strides, elements);
    if (span < 0 || offset < 0 || offset > elements - span)
      Refuse("its tensor " + name + " reaches behind its storage");
    std::vector<float> numbers(static_cast<size_t>(span));
    ToFloats(storage->type, bytes->second.data() + static_cast<size_t>(offset) * ElementBytes(storage->type), numbers);
    return Gather(shape, strides, numbers);
  }

  // Elements from a view's first to its last; -1 when they, or the view's own, are more than `most`.
  static int64_t Span(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides, int64_t most) {
    int64_t count = 1, last = 0;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 0) return 0;
      if (count > most / shape[i] || (shape[i] > 1 && strides[i] > most / (shape[i] - 1))) return -1;
      count *= shape[i];
      last += (shape[i] - 1) * strides[i];
      if (last > most) return -1;
    }
    return last + 1;
  }

  // A contiguous copy of a view.
  static Tensor Gather(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides,
                       const std::vector<float>& numbers) {
    Tensor tensor(shape);
    std::vector<int64_t> place(shape.size(), 0);
    int64_t at = 0;
    for (float& value : tensor.data) {
      value = numbers[static_cast<size_t>(at)];
      for (size_t i = shape.size(); i-- > 0;) {
        at += strides[i];
        if (++place[i] < shape[i]) break;
        at -= strides[i] * shape[i];
        place[i] = 0;
      }
    }
    return tensor;
  }

  const Pickle& pickle_;
  const std::string& where_;
};

// One folder: data.pkl, data/KEY for each storage, since PyTorch 2.1 also byteorder.
std::map<std::string, Tensor> ReadZipFormat(std::string_view bytes, const std::string& where) {
  const auto entries = ReadZip(bytes, where);
  std::string folder;
  std::map<std::string, std::string_view> storages;
  for (const auto& [name, data] : entries) {
    if (name.ends_with("/data.pkl")) folder = name.substr(0, name.size() - 8);
  }
  if (folder.empty()) throw Error(Code::kInvalidArgument, where, "is a zip file but none of PyTorch's", kSaveHint);
  if (entries.contains(folder + "constants.pkl")) {
    throw Error(Code::kInvalidArgument, where, "is a TorchScript archive, not a state dict", kSaveHint);
  }
  const auto order = entries.find(folder + "byteorder");
  if (order != entries.end() && order->second != "little") {
    throw Error(Code::kInvalidArgument, where, "was written on a big-endian machine", kSaveHint);
  }
  const std::string prefix = folder + "data/";
  for (const auto& [name, data] : entries) {
    if (name.starts_with(prefix)) storages[name.substr(prefix.size())] = data;
  }
  const Pickle pickle = ReadPickle(entries.at(folder + "data.pkl"), where);
  return StateDict(pickle, where).Read(storages);
}

// Five pickles (magic number, protocol version, machine, the object, keys of its storages), then each storage: the
// number of elements as int64, and the elements.
std::map<std::string, Tensor> ReadOldFormat(std::string_view bytes, const std::string& where) {
  constexpr std::string_view kMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
  Pickle pickles[5];
  for (Pickle& pickle : pickles) {
    pickle = ReadPickle(bytes, where);
    bytes.remove_prefix(pickle.bytes);
    if (pickles[0].values[pickles[0].root].text != kMagic) {
      throw Error(Code::kInvalidArgument, where, "is a pickle but none of PyTorch's", kSaveHint);
    }
  }
  const StateDict state(pickles[3], where);
  const auto types = state.StorageTypes();
  std::map<std::string, std::string_view> storages;
  for (size_t item : pickles[4].values[pickles[4].root].items) {
    const std::string& key = pickles[4].values[item].text;
    const auto type = types.find(key);
    uint64_t count = 0;
    const bool known = type != types.end() && bytes.copy(reinterpret_cast<char*>(&count), sizeof count) == sizeof count;
    if (!known || count > (bytes.size() - sizeof count) / ElementBytes(type->second)) {
      throw Error(Code::kDataLoss, where, "is cut off in its numbers");
    }
    const size_t size = count * ElementBytes(type->second);
    storages[key] = bytes.substr(sizeof count, size);
    bytes.remove_prefix(sizeof count + size);
  }
  return state.Read(storages);
}

}  // namespace

std::map<std::string, Tensor> ReadTorchFile(std::string_view bytes, const std::string& where) {
  return bytes.starts_with("PK") ? ReadZipFormat(bytes, where) : ReadOldFormat(bytes, where);
}

}  // namespace hot
