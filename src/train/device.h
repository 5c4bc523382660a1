// Where a training computes: on the CPU or, when a full PyTorch is installed and there is one, on an NVIDIA GPU. CUDA's
// part of LibTorch is loaded at run time, so that one program does for both. Needs no LibTorch header. Called by
// hot-train. Thread rule: one thread, before LibTorch is used otherwise.
#pragma once

#include <string>

namespace hot {

struct Gpus {
  int count = 0;      // that LibTorch can use; CUDA_VISIBLE_DEVICES chooses among the machine's
  std::string fault;  // why there are none
};
Gpus FindGpus();

struct ChosenDevice {
  bool gpu = false;   // the first of FindGpus()
  std::string about;  // for the log: "cpu", or why
};
// What train.device means on this machine: "cpu", "cuda", or "auto": a GPU if there is one. Throws
// Error(kFailedPrecondition) for "cuda" without one, kInvalidArgument for other names.
ChosenDevice ChooseDevice(const std::string& device);

}  // namespace hot
