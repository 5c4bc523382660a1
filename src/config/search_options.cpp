// search.*: what is asked of the search.
#include "config/option_rows.h"

namespace hot {

void AddSearchOptions(std::vector<Option>& out) {
  out.push_back({.name = "search.objective",
                 .field = HOT_FIELD(search.objective),
                 .help = "`accuracy`: best quality within the budgets; `latency`: fastest within them.",
                 .fallback = "",
                 .allowed = {"accuracy", "latency"},
                 .max_count = 2});
  out.push_back({.name = "search.quality",
                 .field = HOT_FIELD(search.quality),
                 .help =
                     "Stand-in for accuracy during the search. `distill`: how well each choice learns to imitate the "
                     "trained baseline; candidates and baseline then start from what was learned.",
                 .fallback = "",
                 .allowed = {"macs", "distill"}});
  out.push_back({.name = "search.distill_epochs",
                 .field = HOT_FIELD(search.distill_epochs),
                 .help = "How long the choices learn, with `quality: distill`.",
                 .fallback = "",
                 .range = Between(1, 1000)});
  out.push_back({.name = "search.precision",
                 .field = HOT_FIELD(search.precision),
                 .help =
                     "What has a number format of its own: the whole `network`, the first of `target.precision`; or "
                     "each `slot`, int8 or fp32 (docs/adr/0012).",
                 .fallback = "",
                 .allowed = {"network", "slot"}});
  out.push_back({.name = "search.solver",
                 .field = HOT_FIELD(search.solver),
                 .help = "`exact`: own branch and bound; `glpk`: GNU Linear Programming Kit (`glpsol`).",
                 .fallback = "",
                 .allowed = {"exact", "glpk"}});
  out.push_back({.name = "search.latency_ms",
                 .field = HOT_FIELD(search.latency_ms),
                 .help = "Budget for the latency of the whole network in milliseconds; not with `latency_ratio`.",
                 .fallback = "none",
                 .range = kPositive});
  out.push_back(
      {.name = "search.latency_ratio",
       .field = HOT_FIELD(search.latency_ratio),
       .help =
           "The same as a multiple of the baseline's latency: as predicted in the search, as measured in the verdict.",
       .fallback = "none",
       .range = UpTo(10)});
  out.push_back({.name = "search.latency_scope",
                 .field = HOT_FIELD(search.latency_scope),
                 .help =
                     "What a latency is of: the `network`, or `end_to_end` what an application does with a picture: "
                     "decode it, resize it, run the network, decode its outputs. The device is then this machine.",
                 .fallback = "",
                 .allowed = {"network", "end_to_end"}});
  out.push_back({.name = "search.latency_statistic",
                 .field = HOT_FIELD(search.latency_statistic),
                 .help =
                     "Which statistic of the measured times a latency budget is about: the `median`, the `mean`, or "
                     "`p90`, which nine inferences of ten keep. A sample is an inference, or the mean of several "
                     "that last a millisecond together.",
                 .fallback = "",
                 .allowed = {"median", "mean", "p90"}});
  out.push_back({.name = "search.flash_kib",
                 .field = HOT_FIELD(search.flash_kib),
                 .help = "Budget for weights and biases, in KiB (1024 bytes).",
                 .fallback = "none",
                 .range = kPositive});
  out.push_back({.name = "search.ram_kib",
                 .field = HOT_FIELD(search.ram_kib),
                 .help = "Budget for the peak of live activations, in KiB.",
                 .fallback = "none",
                 .range = kPositive});
  out.push_back(
      {.name = "search.memory_kib",
       .field = HOT_FIELD(search.memory_kib),
       .help = "Budget for weights plus peak activations summed over slots (the source paper's Eq. 4), in KiB.",
       .fallback = "none",
       .range = kPositive});
  out.push_back(
      {.name = "search.quality_min",
       .field = HOT_FIELD(search.quality_min),
       .help = "Least quality of a candidate: millions of MACs or, with `quality: distill`, percent of what the slots "
               "of the trained baseline give that the candidate's explain (mean over slots).",
       .fallback = "none",
       .range = kPositive});
  out.push_back({.name = "search.candidates",
                 .field = HOT_FIELD(search.candidates),
                 .help = "Candidates per objective and width (k).",
                 .fallback = "",
                 .range = Between(1, 64)});
  out.push_back({.name = "search.train_candidates",
                 .field = HOT_FIELD(search.train_candidates),
                 .help = "How many of them are trained; 0 means all.",
                 .fallback = "",
                 .range = Between(0, 64)});
  out.push_back({.name = "search.min_distance",
                 .field = HOT_FIELD(search.min_distance),
                 .help = "Slots in which candidates of one objective and width differ from each other at least: each "
                         "is the best that is so far from every better one.",
                 .fallback = "",
                 .range = Between(1, 64)});
  out.push_back({.name = "search.front",
                 .field = HOT_FIELD(search.front),
                 .help = "Points of the Pareto front of quality against latency, at most, for each width.",
                 .fallback = "",
                 .range = Between(2, 1000)});
}

}  // namespace hot
