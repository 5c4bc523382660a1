// ONNX files of other programs, read into the graph that everything else works with: `hot import`. What the graph has
// no operation for is refused by name, never left out. Nothing in a file is executed. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "graph/fold.h"

namespace hot {

struct OnnxReadOptions {
  std::vector<std::string> outputs;  // tensors to end at; empty: the file's outputs
  std::optional<Shape> input;        // where the file leaves height and width open
};

struct OnnxNetwork {
  Network network;    // one input; batch norm as in the file
  std::string input;  // the file's names of input and outputs; those of the graph in the same order
  std::vector<std::string> outputs;
  std::string producer;  // program that wrote it, with its version
  int opset = 0;
};

// Reads opsets 11 to 18 and newer ones as far as the same operators go; weights in float32, float16, bfloat16 or
// float64, inside or beside the file. A batch of any size is read as one picture. Nodes are named after PyTorch's
// modules where the file tells them.
//
// Throws Error(kNotFound) for a missing file, kDataLoss for one that is broken, kInvalidArgument for what is no ONNX
// file of one picture-like input, kUnimplemented for an operation that the graph lacks: the hint then names the tensors
// up to which the network can be read.
OnnxNetwork ReadOnnx(const fs::path& file, const OnnxReadOptions& options = {});

// The same of bytes; `folder` holds the file's external data, `where` is for messages.
OnnxNetwork ParseOnnx(std::string_view bytes, const fs::path& folder, const std::string& where,
                      const OnnxReadOptions& options = {});

}  // namespace hot
