// A part of a longer task as its own progress: what the part says is done comes, times its share, on top of what was
// done before it.
#pragma once

#include "core/progress.h"

namespace hot {

class PartProgress : public Progress {
 public:
  PartProgress(Progress& inner, double offset, double share = 1) : inner_(inner), offset_(offset), share_(share) {}
  void Begin(std::string_view, double) override {}
  void Update(double done, std::string_view note) override { inner_.Update(offset_ + done * share_, note); }
  void End(std::string_view) override {}
  void Note(std::string_view line) override { inner_.Note(line); }

 private:
  Progress& inner_;
  double offset_, share_;
};

}  // namespace hot
