// Named tensors of files that other programs wrote: safetensors, PyTorch state files (.pt, .pth), and the plain layout
// (weights.bin beside a manifest.json). Used by ReadPretrained. Nothing in a file is executed. Pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/files.h"
#include "graph/tensor.h"

namespace hot {

struct TensorFile {
  std::map<std::string, Tensor> tensors;        // by the file's names; any number type, as float
  std::map<std::string, std::string> metadata;  // safetensors' own; of a plain manifest "bn_eps"
};

// What a file is shows in its first bytes; `path` may be the folder of a plain layout. Throws Error(kDataLoss) on a
// broken file, kInvalidArgument on one of another kind, kNotFound when it is missing.
TensorFile ReadTensorFile(const fs::path& path);

// SHA-256 of everything ReadTensorFile would read.
std::string TensorFileKey(const fs::path& path);

// The formats, one function each.
// torch.save(model.state_dict(), FILE), in the zip format or the one before PyTorch 1.6; also a dict that has the state
// dict as one of its values, as checkpoints have. Whole pickled modules and TorchScript archives are refused.
std::map<std::string, Tensor> ReadTorchFile(std::string_view bytes, const std::string& where);
// {"tensors": [{"name", "shape", "offset", "bytes"}], "bn_eps", "sha256" of weights.bin (both optional)}: little-endian
// float32, convolution weights [out, in / groups, k, k].
TensorFile ReadPlainFile(const fs::path& manifest);

}  // namespace hot
