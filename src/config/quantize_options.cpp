// Options of post-training quantization, in the order of study.h.
#include "config/option_rows.h"

namespace hot {
namespace {

void AddPromiseOptions(std::vector<Option>& out) {
  out.push_back({.name = "quantize.max_drop",
                 .field = HOT_FIELD(quantize.max_drop),
                 .help = "Points (hundredths) of `train.metric` that an integer network may lose against fp32 on "
                         "`data.val`; while it loses more, its worst layers fall back to fp32.",
                 .fallback = "none",
                 .range = Between(0, 100)});
  out.push_back({.name = "quantize.finetune_epochs",
                 .field = HOT_FIELD(quantize.finetune_epochs),
                 .help =
                     "A network that breaks `quantize.max_drop` is trained on for so many epochs with its roundings "
                     "in it before any layer falls back; what that gives is kept if it is better. 0: never.",
                 .fallback = "",
                 .range = Between(0, 1000)});
}

}  // namespace

void AddQuantizeOptions(std::vector<Option>& out) {
  out.push_back({.name = "quantize.ranges",
                 .field = HOT_FIELD(quantize.ranges),
                 .help = "Which range of an activation is kept: all that the calibration pictures show (`minmax`, the "
                         "fastest), all but one value in 100,000 (`percentile`), that of the least squared error "
                         "(`mse`) or of the least divergence (`kl`), or (`auto`) for each tensor that of the four with "
                         "which the network's outputs err least.",
                 .fallback = "",
                 .allowed = {"percentile", "minmax", "mse", "kl", "auto"}});
  out.push_back({.name = "quantize.pictures",
                 .field = HOT_FIELD(quantize.pictures),
                 .help = "Training pictures for calibration.",
                 .fallback = "",
                 .range = Between(1, 100000)});
  out.push_back({.name = "quantize.scheme",
                 .field = HOT_FIELD(quantize.scheme),
                 .help = "8-bit activations with a sign (`s8s8`) or without (`u8s8`); weights have one.",
                 .fallback = "",
                 .allowed = {"s8s8", "u8s8"}});
  out.push_back({.name = "quantize.equalize",
                 .field = HOT_FIELD(quantize.equalize),
                 .help = "Scales channels between two convolutions so that all make use of their tensor's range.",
                 .fallback = ""});
  out.push_back({.name = "quantize.correct_bias",
                 .field = HOT_FIELD(quantize.correct_bias),
                 .help = "Adds to biases what rounding takes from the mean of a layer's output.",
                 .fallback = ""});
  out.push_back({.name = "quantize.rounding",
                 .field = HOT_FIELD(quantize.rounding),
                 .help =
                     "Weights are rounded to the `nearest` integer, or (`adaptive`) up or down, whichever makes "
                     "their layer's output err less on the calibration pictures. `auto`: adaptive for int16x8, where "
                     "weights are all that is rounded coarsely, nearest for int8.",
                 .fallback = "",
                 .allowed = {"auto", "nearest", "adaptive"}});
  AddPromiseOptions(out);
}

}  // namespace hot
