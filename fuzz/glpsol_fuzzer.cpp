// What `glpsol --write` writes: a pick must have a choice of each slot, or be refused.
#include "fuzz_target.h"
#include "search/solvers/glpk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const hot::Program program = [] {
    hot::Program made;
    made.slots = {{{"a", 1, {}}, {"b", 2, {}}}, {{"a", 1, {}}}, {{"a", 1, {}}, {"b", 2, {}}, {"c", 3, {}}}};
    return made;
  }();
  hot::MayThrowError([&] {
    const auto choices = hot::ParseGlpsolSolution(std::string(hot::AsText(data, size)), program);
    if (choices) static_cast<void>(hot::EvaluatePick(program, *choices));
  });
  return 0;
}
