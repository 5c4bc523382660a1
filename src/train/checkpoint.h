// The state of a training between two epochs, on disk: bytes in, the same bytes out. Called by the trainer. A file is
// one line "hot-checkpoint 1 <sha256 of the rest>", one line of JSON, then the arrays as raw little-endian floats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"

namespace hot {

struct Checkpoint {
  std::string trial;   // identifies the trial; a checkpoint of another one is not used
  int epochs = 0;      // finished
  int64_t steps = 0;   // of the optimizer
  double loss = 0;     // mean of the last epoch
  double seconds = 0;  // training time so far
  std::vector<float> values, statistics, first_moment, second_moment;
  std::vector<float> average;  // of the values; empty without one
  // Early stopping: the best validated weights, and how many validations since were no better.
  std::optional<double> best_score;
  int best_epoch = 0, validations_since = 0;
  std::vector<float> best_values, best_statistics;
};

// Keeps the file that was there as `path` with ".prev" before its extension. Throws kResourceExhausted on a full disk;
// the kept one then stays usable.
void WriteCheckpoint(const fs::path& path, const Checkpoint& checkpoint);

// Throws Error(kDataLoss) when the file is cut off or changed, kNotFound when there is none.
Checkpoint ReadCheckpoint(const fs::path& path);

fs::path PreviousCheckpoint(const fs::path& path);

}  // namespace hot
