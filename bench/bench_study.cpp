#include "bench_study.h"

#include "data/shapes.h"

namespace hot {

BenchStudy::BenchStudy()
    : progress_(MakeTerminalProgress(SystemClock())), context_{SystemClock(), *progress_, cancelled_} {
  WriteShapes(folder_.path() / "data", {.train_pictures = 8, .test_pictures = 4}, context_);
}

Study BenchStudy::Fresh(double width, int side, const std::vector<std::string>& precisions) {
  Study study;
  study.name = "bench";
  study.model.width = {width};
  study.model.input = {side, side};
  study.data.root = study.data.test_root = (folder_.path() / "data").string();
  study.data.test_format = study.data.format;
  study.target.precision = precisions;
  study.run.folder = (folder_.path() / std::to_string(studies_++) / "run").string();
  return study;
}

}  // namespace hot
