// Options of the hyper-parameter search, in the order of study.h.
#include "config/option_rows.h"

namespace hot {

void AddHpoOptions(std::vector<Option>& out) {
  out.push_back({.name = "train.hpo.method",
                 .field = HOT_FIELD(train.hpo.method),
                 .help = "How hyper-parameters are searched for each network: all combinations (`grid`), `random`, or "
                         "`bayes`, which learns from the trials of all networks.",
                 .fallback = "",
                 .allowed = {"grid", "random", "bayes"}});
  out.push_back({.name = "train.hpo.sampler",
                 .field = HOT_FIELD(train.hpo.sampler),
                 .help = "What `bayes` goes by: tree-structured Parzen estimator, or a Gaussian process (`botorch`, "
                         "which needs a full PyTorch with botorch and optuna-integration).",
                 .fallback = "",
                 .allowed = {"tpe", "botorch"}});
  out.push_back({.name = "train.hpo.trials",
                 .field = HOT_FIELD(train.hpo.trials),
                 .help = "Combinations to try for each network in `random` and `bayes`.",
                 .fallback = "",
                 .range = Between(1, 1000)});
  out.push_back({.name = "train.hpo.budget_minutes",
                 .field = HOT_FIELD(train.hpo.budget_minutes),
                 .help = "Minutes for all trainings together. Before they are over, what is begun is brought to an end "
                         "so that the baseline and every group of candidates have a full training.",
                 .fallback = "none",
                 .range = kPositive});
  out.push_back({.name = "train.hpo.budget_epochs",
                 .field = HOT_FIELD(train.hpo.budget_epochs),
                 .help = "The same in epochs, summed over all trainings.",
                 .fallback = "none",
                 .range = kPositive});
  out.push_back({.name = "train.hpo.pruning",
                 .field = HOT_FIELD(train.hpo.pruning),
                 .help = "`halving`: trainings are compared on the way, and only the best of each group of candidates "
                         "(same objective and width) go on; the baseline's best always does.",
                 .fallback = "",
                 .allowed = {"none", "halving"}});
  out.push_back({.name = "train.hpo.reduction",
                 .field = HOT_FIELD(train.hpo.reduction),
                 .help = "One of so many trainings goes on at each comparison, to so many times the epochs.",
                 .fallback = "",
                 .range = Between(2, 10)});
  out.push_back({.name = "train.hpo.min_epochs",
                 .field = HOT_FIELD(train.hpo.min_epochs),
                 .help = "Fewest epochs before the first comparison; `auto`: `train.epochs` / `reduction`^2.",
                 .fallback = "auto",
                 .range = Between(0, 10000),
                 .zero_word = "auto"});
  out.push_back({.name = "train.hpo.lr",
                 .field = HOT_FIELD(train.hpo.lr),
                 .help = "Learning rates to try; a range is logarithmic unless it says `log: false`.",
                 .fallback = "",
                 .range = UpTo(1),
                 .max_count = 32,
                 .log = true});
  out.push_back({.name = "train.hpo.gamma",
                 .field = HOT_FIELD(train.hpo.gamma),
                 .help = "Factors to try in `train.schedule: step`.",
                 .fallback = "",
                 .range = UpTo(1),
                 .max_count = 32});
  out.push_back({.name = "train.hpo.weight_decay",
                 .field = HOT_FIELD(train.hpo.weight_decay),
                 .help = "Weight decays to try; a range is logarithmic unless it says `log: false`.",
                 .fallback = "`train.weight_decay`",
                 .range = Between(0, 1),
                 .min_count = 0,
                 .max_count = 32,
                 .log = true});
  out.push_back({.name = "train.hpo.batch",
                 .field = HOT_FIELD(train.hpo.batch),
                 .help = "Batch sizes to try.",
                 .fallback = "`train.batch`",
                 .range = Between(1, 1024),
                 .min_count = 0,
                 .max_count = 32,
                 .whole = true});
  out.push_back({.name = "train.hpo.optimizer",
                 .field = HOT_FIELD(train.hpo.optimizer),
                 .help = "Optimizers to try.",
                 .fallback = "`train.optimizer`",
                 .allowed = {"adam", "adamw", "sgd", "nesterov"},
                 .min_count = 0});
}

}  // namespace hot
