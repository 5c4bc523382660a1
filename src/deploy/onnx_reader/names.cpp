#include "deploy/onnx_reader/names.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

namespace hot {
namespace {

constexpr size_t kMaxName = 200;

// Nodes with parameters bear their module's name alone.
bool IsModule(const std::string& op) { return op == "Conv" || op == "Gemm" || op == "BatchNormalization"; }

// "/layer1/layer1.0/conv1/Conv" -> "layer1.0.conv1.Conv": a child of a list repeats the list's name.
std::string JoinScopes(std::string_view scopes) {
  std::string joined, last;
  while (!scopes.empty()) {
    const size_t end = std::min(scopes.find('/'), scopes.size());
    const std::string scope(scopes.substr(0, end));
    scopes.remove_prefix(std::min(end + 1, scopes.size()));
    if (scope.empty()) continue;
    if (!last.empty() && scope.starts_with(last + "."))
      joined.resize(joined.size() - last.size());
    else if (!joined.empty())
      joined += '.';
    joined += scope;
    last = scope;
  }
  return joined;
}

std::string Usual(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.') c = '_';
  }
  const size_t first = std::min(name.find_first_not_of('.'), name.size());
  name = name.substr(first, kMaxName);
  name.resize(name.find_last_not_of('.') + 1);
  return name;
}

}  // namespace

std::string ReadableName(const onnx::NodeProto& node) {
  constexpr std::string_view kWeight = ".weight";
  const bool module = IsModule(node.op_type());
  std::string name;
  if (module && node.input_size() > 1 && node.input(1).ends_with(kWeight)) {
    name = node.input(1).substr(0, node.input(1).size() - kWeight.size());
  } else {
    const bool scoped = node.name().starts_with('/') || node.output_size() == 0;
    name = JoinScopes(scoped ? node.name() : node.output(0));
    const std::string op = "." + node.op_type();
    if (module && name.ends_with(op)) name.resize(name.size() - op.size());
  }
  name = Usual(std::move(name));
  return name.empty() ? node.op_type().empty() ? "node" : Usual(node.op_type()) : name;
}

}  // namespace hot
