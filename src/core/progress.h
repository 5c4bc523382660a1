// What a person sees while something takes longer than two seconds: stage, done of total, time left. One display at a
// time; all calls are thread-safe. On a terminal one line is redrawn, elsewhere a line is printed every ten seconds.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/clock.h"

namespace hot {

class Progress {
 public:
  virtual ~Progress() = default;
  // Starts a stage of `total` units; `total` 0 means unknown.
  virtual void Begin(std::string_view stage, double total) = 0;
  // `done` units so far (not an increment); `note` is shown behind the time left.
  virtual void Update(double done, std::string_view note) = 0;
  // Ends the stage with one line that stays.
  virtual void End(std::string_view summary) = 0;
  // A line that stays, above the moving one.
  virtual void Note(std::string_view line) = 0;
};

// Writes to stderr, so that --json on stdout stays clean.
std::unique_ptr<Progress> MakeTerminalProgress(const Clock& clock);
std::unique_ptr<Progress> MakeSilentProgress();

}  // namespace hot
