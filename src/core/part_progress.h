// A part of a longer task as its own progress: what the part says is done comes, times its share, on top of what was
// done before it. Where it says no more than that, `note` tells what it is.
#pragma once

#include <string>
#include <utility>

#include "core/progress.h"

namespace hot {

class PartProgress : public Progress {
 public:
  PartProgress(Progress& inner, double offset, double share = 1, std::string note = "")
      : inner_(inner), offset_(offset), share_(share), note_(std::move(note)) {}
  void Begin(std::string_view, double) override {}
  void Update(double done, std::string_view note) override {
    inner_.Update(offset_ + done * share_, note.empty() ? note_ : note);
  }
  void End(std::string_view) override {}
  void Note(std::string_view line) override { inner_.Note(line); }

 private:
  Progress& inner_;
  double offset_, share_;
  std::string note_;
};

}  // namespace hot
