#include "train/device.h"

#include <dlfcn.h>

#include <cstdlib>

#include "core/error.h"
#include "train/torch_pch.h"

namespace hot {

Gpus FindGpus() {
  // cuBLAS reads it when it starts; without it LibTorch refuses the deterministic algorithms that trainings ask for.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  // Found by hot-train's run path, and its own libraries by its own. Loading it registers CUDA with LibTorch.
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* why = ::dlerror();
    return {.count = 0, .fault = std::string("no CUDA in this LibTorch: ") + (why != nullptr ? why : "unknown")};
  }
  const at::CUDAHooksInterface& cuda = at::detail::getCUDAHooks();
  const int count = cuda.hasCUDA() ? cuda.getNumGPUs() : 0;
  return {.count = count, .fault = count > 0 ? "" : "CUDA finds no GPU"};
}

ChosenDevice ChooseDevice(const std::string& device) {
  if (device == "cpu") return {.gpu = false, .about = "cpu"};
  if (device != "cuda" && device != "auto") {
    throw Error(Code::kInvalidArgument, "train.device", "unknown device \"" + device + "\"", "known: auto, cpu, cuda");
  }
  const Gpus gpus = FindGpus();
  if (gpus.count > 0) return {.gpu = true, .about = "cuda"};
  if (device == "cuda") {
    throw Error(Code::kFailedPrecondition, "train.device", "cuda: " + gpus.fault,
                "install the whole PyTorch into .venv, or train.device: auto");
  }
  return {.gpu = false, .about = "cpu (" + gpus.fault + ")"};
}

}  // namespace hot
