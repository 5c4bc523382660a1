// Options of what trainings compute with.
#include "config/option_rows.h"

namespace hot {

void AddComputeOptions(std::vector<Option>& out) {
  out.push_back({.name = "train.device",
                 .field = HOT_FIELD(train.device),
                 .help =
                     "What a training computes on: `cpu`, `cuda` (an NVIDIA GPU, with the whole PyTorch in `.venv`), "
                     "or `auto`: a GPU where one can be used.",
                 .fallback = "",
                 .allowed = {"auto", "cpu", "cuda"}});
  out.push_back(
      {.name = "train.precision",
       .field = HOT_FIELD(train.precision),
       .help = "Number format of the maps in training; weights, their gradients and statistics are always fp32.",
       .fallback = "",
       .allowed = {"fp32", "bf16"}});
}

}  // namespace hot
