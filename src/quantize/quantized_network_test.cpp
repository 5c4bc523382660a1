#include "quantize/quantized_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace hot {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// stem -> act -> {expand -> act -> project, itself} -> add -> pool -> two heads.
QuantizedNetwork Residual() {
  GraphBuilder builder;
  const NodeId x = builder.Input("x", {3, 8, 8});
  const NodeId stem = builder.ConvBn("stem", x, 8, 3, 1, 1, Op::kRelu6);
  NodeId y = builder.ConvBn("expand", stem, 16, 1, 1, 1, Op::kRelu6);
  y = builder.Add("add", stem, builder.ConvBn("project", y, 8, 1, 1, 1, Op::kInput));
  y = builder.Pool(Op::kMaxPool, "pool", y, 2, 2, 0);
  builder.Output(builder.Conv("boxes", y, {.out_channels = 4, .bias = true}));
  builder.Output(builder.Conv("classes", y, {.out_channels = 2, .bias = true}));
  const Graph graph = std::move(builder).Build();
  const Network network = FoldBatchNorm(graph, TimingWeights(graph, 3));
  QuantizedNetwork quantized{
      .exact = network, .network = network, .quantization = SyntheticQuantization(network), .ranges = {}};
  for (auto& [name, tensor] : quantized.network.weights) tensor.data[0] += 1;  // what rounding did
  return quantized;
}

TEST(QuantizedLayers, AreThoseWithWeightScales) {
  EXPECT_THAT(QuantizedLayers(Residual()), ElementsAre("stem.conv", "expand.conv", "project.conv", "boxes", "classes"));
}

TEST(OnlyLayer, KeepsWhatTheLayerReadsAndGives) {
  const QuantizedNetwork whole = Residual();
  struct Case {
    std::string layer;
    std::vector<std::string> scales;
  };
  for (const Case& c : {Case{"stem.conv", {"x", "stem.act"}}, Case{"project.conv", {"expand.act", "project.conv"}},
                        Case{"boxes", {"add", "boxes"}}}) {
    const QuantizedNetwork only = OnlyLayer(whole, c.layer);
    EXPECT_THAT(QuantizedLayers(only), ElementsAre(c.layer));
    std::vector<std::string> scales;
    for (const auto& [name, scale] : only.quantization.activations) scales.push_back(name);
    EXPECT_THAT(scales, ::testing::UnorderedElementsAreArray(c.scales)) << c.layer;
    EXPECT_EQ(only.network.weights.at(c.layer + ".weight").data, whole.network.weights.at(c.layer + ".weight").data);
    EXPECT_EQ(only.network.weights.at("expand.conv.weight").data, whole.exact.weights.at("expand.conv.weight").data);
  }
}

TEST(WithFloatLayers, RoundsOnlyWhatAnIntegerLayerReads) {
  const QuantizedNetwork whole = Residual();
  const auto scales = [&](const std::set<std::string>& layers) {
    return WithFloatLayers(whole, layers).quantization.activations;
  };
  EXPECT_THAT(scales({}), UnorderedElementsAre(Key("x"), Key("stem.act"), Key("expand.act"), Key("project.conv"),
                                               Key("add"), Key("boxes"), Key("classes")));
  EXPECT_THAT(scales({"stem.conv"}), Not(Contains(Key("x"))));
  EXPECT_THAT(scales({"stem.conv"}), Contains(Key("stem.act"))) << "expand reads it";
  EXPECT_THAT(scales({"project.conv"}), Not(Contains(Key("expand.act"))));
  EXPECT_THAT(scales({"project.conv"}), Not(Contains(Key("project.conv")))) << "the addition takes it as it is";
  EXPECT_THAT(scales({"boxes"}), Contains(Key("add"))) << "classes reads it through the pool";
  EXPECT_THAT(scales({"boxes", "classes"}), Not(Contains(Key("add"))));
}

TEST(WithFloatLayers, AdditionsOfFloatsAreInFloat) {
  GraphBuilder builder;
  const auto layer = [&](const char* name, NodeId x) {
    return builder.Conv(name, x, {.out_channels = 4, .bias = true});
  };
  const NodeId a = layer("a", builder.Input("x", {4, 8, 8}));
  const NodeId first = builder.Add("first", a, layer("b", a));
  const NodeId second = builder.Add("second", first, layer("c", first));
  builder.Output(second);
  builder.Output(layer("d", second));
  const Graph graph = std::move(builder).Build();
  const Network network = FoldBatchNorm(graph, TimingWeights(graph, 3));
  const QuantizedNetwork whole{
      .exact = network, .network = network, .quantization = SyntheticQuantization(network), .ranges = {}};
  const auto scales = [&](const std::set<std::string>& layers) {
    return WithFloatLayers(whole, layers).quantization.activations;
  };
  EXPECT_THAT(scales({"b"}), UnorderedElementsAre(Key("x"), Key("a"), Key("first"), Key("second"), Key("c"), Key("d")));
  EXPECT_THAT(scales({"b", "c"}), UnorderedElementsAre(Key("x"), Key("a"), Key("second"), Key("d")))
      << "only the other addition and a float layer read first";
  EXPECT_THAT(scales({"a", "b", "c"}), UnorderedElementsAre(Key("second"), Key("d")));
  EXPECT_THAT(scales({"a", "b", "c", "d"}), IsEmpty()) << "and what leaves the network is in float, too";
}

TEST(WithFloatLayers, FloatLayersHaveTheirExactWeightsAgain) {
  const QuantizedNetwork whole = Residual();
  const QuantizedNetwork mixed = WithFloatLayers(whole, {"boxes"});
  EXPECT_THAT(QuantizedLayers(mixed), Not(Contains("boxes")));
  for (const char* name : {"boxes.weight", "boxes.bias"})
    EXPECT_EQ(mixed.network.weights.at(name).data, whole.exact.weights.at(name).data);
  EXPECT_EQ(mixed.network.weights.at("classes.weight").data, whole.network.weights.at("classes.weight").data);
  const std::vector<std::string> all = QuantizedLayers(whole);
  const QuantizedNetwork none = WithFloatLayers(whole, {all.begin(), all.end()});
  EXPECT_THAT(QuantizedLayers(none), IsEmpty());
  for (const char* name : {"x", "expand.act", "add"})
    EXPECT_THAT(none.quantization.activations, Not(Contains(Key(name))));
}

TEST(OnlyLayer, RefusesALayerThatIsNotThere) { EXPECT_THROW(OnlyLayer(Residual(), "nothing"), Error); }

}  // namespace
}  // namespace hot
