// epochs.jsonl, the learning curve of a trial: a JSON line an epoch (docs/formats/run.md). Called by the trainer.
#pragma once

#include <optional>
#include <string>

#include "core/files.h"

namespace hot {

struct EpochRecord {
  int epoch = 0;  // from 1
  double loss = 0, lr = 0, seconds = 0;
  std::optional<double> val;
};

void AppendEpoch(const fs::path& path, const EpochRecord& record);

// Drops lines of epochs after `epochs`, and anything that is no record (a line cut off by a kill). No file: nothing to
// do.
void KeepEpochs(const fs::path& path, int epochs);

}  // namespace hot
