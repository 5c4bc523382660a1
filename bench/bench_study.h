// What benchmarks of a study's stages run on: a few synthetic pictures in a temporary folder, and any number of studies
// that each begin with an empty journal. Made once a program; not thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "config/study.h"
#include "core/context.h"
#include "core/files.h"

namespace hot {

class BenchStudy {
 public:
  BenchStudy();
  const Context& context() const { return context_; }

  // An SSD for the pictures' three classes: MobileNetV2 of that width, side x side pixels, on the host with OpenVINO
  // and one thread. Its run folder and journal are new.
  Study Fresh(double width, int side, const std::vector<std::string>& precisions);

 private:
  TempFolder folder_;
  std::unique_ptr<Progress> progress_;
  std::atomic<bool> cancelled_ = false;
  Context context_;
  int studies_ = 0;
};

}  // namespace hot
