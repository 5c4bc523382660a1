// Options of the weights that networks start from, and of what these expect of networks and pictures.
#include "config/option_rows.h"

namespace hot {

void AddPretrainedOptions(std::vector<Option>& out) {
  out.push_back({.name = "model.pretrained",
                 .field = HOT_FIELD(model.pretrained),
                 .help = "File of weights that every network starts from, slot by slot where it has the same slot: see "
                         "docs/pretrained.md.",
                 .fallback = "none: random weights"});
  out.push_back({.name = "model.padding",
                 .field = HOT_FIELD(model.padding),
                 .help = "What a stride of 2 leaves over: `symmetric` as in PyTorch, `same` (bottom and right) as in "
                         "TensorFlow; `auto`: what `model.pretrained` needs, else `symmetric`.",
                 .fallback = "",
                 .allowed = {"auto", "symmetric", "same"}});
  out.push_back({.name = "model.bn_eps",
                 .field = HOT_FIELD(model.bn_eps),
                 .help = "Added to a variance by batch norm.",
                 .fallback = "what `model.pretrained` needs, else 1e-5",
                 .range = {.min = 0, .max = 0.1, .above_min = true}});
  out.push_back({.name = "model.mean",
                 .field = HOT_FIELD(model.mean),
                 .help = "Red, green and blue that become 0 (1 is white); one number for all three.",
                 .fallback = "what `model.pretrained` needs, else 0.5",
                 .range = Between(0, 1),
                 .min_count = 0,
                 .max_count = 3,
                 .repeat_single = true});
  out.push_back({.name = "model.stddev",
                 .field = HOT_FIELD(model.stddev),
                 .help = "What red, green and blue less their mean are divided by.",
                 .fallback = "what `model.pretrained` needs, else 0.5",
                 .range = UpTo(1),
                 .min_count = 0,
                 .max_count = 3,
                 .repeat_single = true});
}

}  // namespace hot
