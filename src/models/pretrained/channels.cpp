#include "models/pretrained/channels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace hot {
namespace {

constexpr int kNew = -1;  // a channel that `theirs` lacks

// Of every channel of a node the one in `theirs`, or kNew; they have so many.
struct Channels {
  std::vector<int> theirs;
  int count = 0;

  static Channels Same(int count) {
    Channels channels{.theirs = std::vector<int>(static_cast<size_t>(count)), .count = count};
    std::iota(channels.theirs.begin(), channels.theirs.end(), 0);
    return channels;
  }
  bool same() const { return *this == Same(count); }
  bool operator==(const Channels&) const = default;
};

// One convolution's weights, [out, in / groups, k, k].
float At(const Tensor& w, int64_t out, int64_t in, int64_t y, int64_t x) {
  return w.data[static_cast<size_t>(((out * w.shape[1] + in) * w.shape[2] + y) * w.shape[3] + x)];
}

double NormOfInput(const Tensor& w, int64_t in) {
  double sum = 0;
  for (int64_t out = 0; out < w.shape[0]; ++out) {
    for (int64_t at = 0; at < w.shape[2] * w.shape[3]; ++at) {
      const double value = At(w, out, in, at / w.shape[3], at % w.shape[3]);
      sum += value * value;
    }
  }
  return std::sqrt(sum);
}

double NormOfOutput(const Tensor& w, int64_t out) {
  const auto size = static_cast<ptrdiff_t>(w.size() / w.shape[0]);
  const auto first = w.data.begin() + static_cast<ptrdiff_t>(out) * size;
  return std::sqrt(std::inner_product(first, first + size, first, 0.0));
}

bool IsDepthwise(const Node& node) { return node.op == Op::kConv && node.attrs.groups > 1; }

bool Multiplies(const Node& node) { return node.op == Op::kBatchNorm || node.op == Op::kConv; }

bool KeepsChannels(const Node& node) {
  return node.op == Op::kBatchNorm || node.op == Op::kRelu || node.op == Op::kRelu6 || node.op == Op::kHardSwish ||
         node.op == Op::kSigmoid || node.op == Op::kHardSigmoid;
}

class SlotHeir {
 public:
  SlotHeir(const Graph& graph, const std::string& section, const Weights& theirs, Weights weights)
      : graph_(graph), prefix_(section + "."), theirs_(theirs), weights_(std::move(weights)) {}

  // The weights with what was taken; nothing where the layers differ.
  std::optional<Weights> Run() {
    if (!SameParameters()) return std::nullopt;
    for (const Node& node : graph_.nodes()) {
      std::optional<Channels> channels = Channels::Same(node.shape.c);
      if (node.name.starts_with(prefix_)) channels = Take(node);
      if (!channels) return std::nullopt;
      channels_.push_back(*std::move(channels));
    }
    return std::move(weights_);
  }

 private:
  bool SameParameters() const {
    size_t ours = 0;
    for (const Parameter& parameter : Parameters(graph_)) {
      if (!parameter.name.starts_with(prefix_)) continue;
      const auto found = theirs_.find(parameter.name);
      if (found == theirs_.end() || found->second.shape.size() != parameter.shape.size()) return false;
      ++ours;
    }
    const auto begin_with = [&](const auto& pair) { return pair.first.starts_with(prefix_); };
    return ours > 0 && static_cast<size_t>(std::ranges::count_if(theirs_, begin_with)) == ours;
  }

  const Channels& Of(NodeId id) const { return channels_[static_cast<size_t>(id)]; }

  std::optional<Channels> Take(const Node& node) {
    const Channels& input = Of(node.inputs.at(0));
    if (node.op == Op::kConv) return TakeConv(node, input);
    if (node.op == Op::kBatchNorm && !TakeValues(node, input, {"weight", "bias", "running_mean", "running_var"}))
      return std::nullopt;
    if (KeepsChannels(node)) return input;
    const bool all_same = std::ranges::all_of(node.inputs, [&](NodeId id) { return Of(id).same(); });
    if (node.op == Op::kAdd && all_same) return input;
    return std::nullopt;
  }

  bool TakeValues(const Node& node, const Channels& channels, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const Tensor& theirs = theirs_.at(node.name + "." + name);
      if (theirs.size() != channels.count) return false;
      Tensor& ours = weights_.at(node.name + "." + name);
      for (size_t c = 0; c < channels.theirs.size(); ++c) {
        if (channels.theirs[c] != kNew) ours.data[c] = theirs.data[static_cast<size_t>(channels.theirs[c])];
      }
    }
    return true;
  }

  // Whether their convolution reads what ours reads, with a kernel that has the same middle.
  static bool IsAlike(const Node& node, const Channels& input, const Tensor& theirs) {
    if ((theirs.shape[2] - node.attrs.kernel) % 2 != 0) return false;
    if (!IsDepthwise(node)) return theirs.shape[1] == input.count;
    return node.attrs.groups == node.shape.c && theirs.shape[1] == 1 && theirs.shape[0] == input.count;
  }

  std::optional<Channels> TakeConv(const Node& node, const Channels& input) {
    const Tensor& theirs = theirs_.at(node.name + ".weight");
    if (!IsAlike(node, input, theirs)) return std::nullopt;
    const auto output = IsDepthwise(node) ? input : Chosen(node, static_cast<int>(theirs.shape[0]));
    if (!output || (node.attrs.bias && !TakeValues(node, *output, {"bias"}))) return std::nullopt;
    const Channels reads = IsDepthwise(node) ? Channels::Same(1) : input;
    Tensor& ours = weights_.at(node.name + ".weight");
    for (int64_t out = 0; out < ours.shape[0]; ++out) {
      const int from = output->theirs[static_cast<size_t>(out)];
      if (from != kNew) TakeFilter(theirs, from, reads, out, ours);
    }
    return output;
  }

  static void TakeFilter(const Tensor& theirs, int from, const Channels& input, int64_t out, Tensor& ours) {
    const int64_t kernel = ours.shape[2], shift = (kernel - theirs.shape[2]) / 2;
    size_t at = static_cast<size_t>(out * ours.shape[1] * kernel * kernel);
    for (const int in : input.theirs) {
      for (int64_t y = -shift; y < kernel - shift; ++y) {
        for (int64_t x = -shift; x < kernel - shift; ++x) {
          const bool there = in != kNew && std::min(x, y) >= 0 && std::max(x, y) < theirs.shape[2];
          ours.data[at++] = there ? At(theirs, from, in, y, x) : 0;
        }
      }
    }
  }

  // Which of their channels a convolution gives.
  std::optional<Channels> Chosen(const Node& node, int count) const {
    Channels chosen = Channels::Same(count);
    const auto places = static_cast<size_t>(node.shape.c);
    if (chosen.theirs.size() == places) return chosen;
    const std::optional<std::vector<double>> importance = Importance(node, count);
    if (!importance) return std::nullopt;
    if (places < chosen.theirs.size()) {
      std::ranges::stable_sort(chosen.theirs, [&](int a, int b) {
        return (*importance)[static_cast<size_t>(a)] > (*importance)[static_cast<size_t>(b)];
      });
    }
    chosen.theirs.resize(places, kNew);
    std::ranges::sort(chosen.theirs, {}, [](int c) { return static_cast<unsigned>(c); });  // kNew last
    return chosen;
  }

  // What each of their channels of `conv` weighs in the convolution that reads them; nothing where there is none in the
  // section, which then could not do with others.
  std::optional<std::vector<double>> Importance(const Node& conv, int count) const {
    const Node* last = &conv;  // what multiplies a channel last
    const Node* reader = SoleReader(conv);
    for (; reader != nullptr && (KeepsChannels(*reader) || IsDepthwise(*reader)); reader = SoleReader(*reader)) {
      if (Multiplies(*reader)) last = reader;
    }
    if (reader == nullptr || reader->op != Op::kConv) return std::nullopt;
    const Tensor &by = theirs_.at(last->name + ".weight"), &weights = theirs_.at(reader->name + ".weight");
    if (by.shape[0] != count || weights.shape[1] != count) return std::nullopt;
    std::vector<double> importance;
    for (int c = 0; c < count; ++c) importance.push_back(NormOfOutput(by, c) * NormOfInput(weights, c));
    return importance;
  }

  const Node* SoleReader(const Node& node) const {
    const auto id = static_cast<size_t>(&node - graph_.nodes().data());
    const std::vector<NodeId>& readers = consumers_[id];
    if (readers.size() != 1) return nullptr;
    const Node& reader = graph_.node(readers[0]);
    return reader.name.starts_with(prefix_) ? &reader : nullptr;
  }

  const Graph& graph_;
  const std::string prefix_;
  const Weights& theirs_;
  Weights weights_;
  const std::vector<std::vector<NodeId>> consumers_ = graph_.Consumers();
  std::vector<Channels> channels_;  // by node, so far
};

}  // namespace

bool InheritChannels(const Graph& graph, const std::string& section, const Weights& theirs, Weights& weights) {
  std::optional<Weights> taken = SlotHeir(graph, section, theirs, weights).Run();
  if (taken) weights = *std::move(taken);
  return taken.has_value();
}

}  // namespace hot
