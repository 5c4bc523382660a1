// A network to compile, as a client of an agent sends it, or that of an import's folder: JSON. What was read is written
// and read again: the same graph.
#include "fuzz_target.h"
#include "graph/costs.h"
#include "graph/graph_file.h"
#include "graph/key.h"
#include "models/imported/imported_backbone.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hot::MayThrowError([&] {
    const hot::Graph graph = hot::ParseGraph(hot::AsText(data, size), "graph.json");
    const hot::Graph again = hot::ParseGraph(hot::ToJson(graph), "again.json");
    HOT_ASSERT(hot::ToJson(again) == hot::ToJson(graph));
    HOT_ASSERT(hot::GraphKey(again, hot::Precision::kInt8) == hot::GraphKey(graph, hot::Precision::kInt8));
    hot::ComputeCosts(graph, hot::Precision::kFp32);  // no size overflows
    hot::ImportedBackbone(graph, "import:folder").Slots(1, hot::Precision::kInt8);
  });
  return 0;
}
