// Named tensors on disk in the safetensors format (float32 only): the weights of a checkpoint.
#pragma once

#include "core/files.h"
#include "graph/tensor.h"

namespace hot {

// Throws Error(kDataLoss) on a broken file, kInvalidArgument on a dtype other than F32.
Weights ReadSafetensors(const fs::path& path);
void WriteSafetensors(const fs::path& path, const Weights& weights);

}  // namespace hot
