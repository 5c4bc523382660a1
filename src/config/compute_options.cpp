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
}

}  // namespace hot
