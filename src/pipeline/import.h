// A network of the user's own becomes the backbone of studies: `hot import`. Reads the ONNX file, finds what can be
// searched and writes a folder (docs/formats/import.md). Called by the CLI. Not thread-safe on one folder.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "graph/costs.h"
#include "models/backbone.h"
#include "models/imported/find_slots.h"

namespace hot {

struct ImportRequest {
  fs::path model, out;
  std::vector<std::string> outputs;  // tensors to end at; empty: the file's outputs
  std::optional<Shape> input;        // where the file leaves its size open
  // What the network expects of pictures, which no ONNX file tells; torchvision's unless given.
  std::array<double, 3> mean{0.485, 0.456, 0.406}, stddev{0.229, 0.224, 0.225};
};

struct ImportedSlot {
  FoundSection section;
  int choices = 1;  // that differ; 1: only what is there
};

struct Imported {
  std::vector<fs::path> files;
  std::string producer;
  int opset = 0;
  Shape input;
  std::vector<std::string> outputs;  // the file's names
  int nodes = 0;
  Costs costs;
  bool batch_norm = false;             // false: it is folded, so that a training has none to adapt
  std::vector<ImportedSlot> sections;  // stem, slots, tail, head
};

// Throws what ReadOnnx() and FindSlots() throw, and what the file system does.
Imported ImportNetwork(const ImportRequest& request);

// What a user reads: sizes, then a line a section: what is offered, or why it is kept.
std::string ImportText(const Imported& imported, const fs::path& out);
std::string ImportJson(const Imported& imported);

}  // namespace hot
