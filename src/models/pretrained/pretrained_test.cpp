#include "models/pretrained/pretrained.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "graph/fold.h"
#include "models/pretrained/names.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Backbone& Net() { return FindBackbone("mobilenet_v2"); }

// Backbone with the given choice in one slot (0: none), a 1x1 tap on slot 5 as SSD has it, and a classifier.
Graph TestNetwork(int slot = 0, const std::string& choice = "", double width = 0.35, int classes = 3) {
  std::vector<Choice> choices = BaselineChoices(Net(), width, Precision::kFp32);
  if (slot > 0) choices[static_cast<size_t>(slot - 1)] = Choice::Parse(choice);
  GraphBuilder builder;
  const Features features = BuildBackbone(builder, builder.Input("image", {3, 64, 64}), Net(), width, choices);
  builder.BeginSection("head");
  const NodeId tapped = features.slots.at(16).node;
  builder.Output(builder.ConvBn("head.tap", tapped, 6 * builder.shape(tapped).c, 1, 1, 1, Op::kRelu6));
  const NodeId pooled = builder.Unary(Op::kGlobalAvgPool, "head.pool", features.tail);
  builder.Output(builder.Linear("head.classifier", pooled, classes));
  return std::move(builder).Build();
}

// The baseline's weights by another program's names, as that program would save them: no tap.
Weights Renamed(const Weights& weights, const Naming& naming, const std::string& prefix = "") {
  Weights renamed;
  for (const auto& [theirs, ours] : naming.parameters) renamed[prefix + theirs] = weights.at(ours);
  return renamed;
}

class PretrainedTest : public testing::Test {
 protected:
  fs::path Save(const Weights& weights, const SafetensorsMetadata& metadata = {}) {
    const fs::path file = folder_.path() / "w.safetensors";
    WriteSafetensors(file, weights, metadata);
    return file;
  }

  std::string Failure(const Weights& weights) {
    const fs::path file = Save(weights);
    try {
      const Graph graph = TestNetwork();
      Weights initial = RandomWeights(graph, 2);
      Inherit(graph, ReadPretrained(file, Net()), initial);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_THAT(error.where(), HasSubstr("w.safetensors"));
      return error.message();
    }
    return "no error";
  }

  const Graph graph_ = TestNetwork();
  const Weights theirs_ = RandomWeights(graph_, 1);
  TempFolder folder_;
};

TEST_F(PretrainedTest, EveryNamingIsFoundAndGivesTheSameNetwork) {
  for (const Naming& naming : NamingsOf(Net())) {
    for (const char* prefix : {"", "module.", "model.backbone."}) {
      const Pretrained pretrained = ReadPretrained(Save(Renamed(theirs_, naming, prefix)), Net());
      EXPECT_EQ(pretrained.naming, naming.name);
      EXPECT_EQ(pretrained.convention, naming.convention);
      Weights weights = RandomWeights(graph_, 2);
      const Inheritance inheritance = Inherit(graph_, pretrained, weights);
      EXPECT_EQ(inheritance.taken, 262u) << inheritance.Summary();
      EXPECT_THAT(inheritance.random, IsEmpty()) << inheritance.Summary();
      EXPECT_EQ(weights.at("slot3.2.depthwise.bn.bias").data, theirs_.at("slot3.2.depthwise.bn.bias").data);
      EXPECT_EQ(weights.at("head.classifier.weight").data, theirs_.at("head.classifier.weight").data);
      // The tap reads what slot 6 reads, and starts as slot 6 does.
      EXPECT_EQ(weights.at("head.tap.conv.weight").data, theirs_.at("slot6.0.expand.conv.weight").data);
      EXPECT_EQ(weights.at("head.tap.bn.running_var").data, theirs_.at("slot6.0.expand.bn.running_var").data);
    }
  }
}

Graph SmallClassifier(const Backbone& net) {
  return BuildClassifier(net, 0.25, BaselineChoices(net, 0.25, Precision::kFp32), {3, 32, 32}, 10);
}

// All of them have conv1, layer1.0.conv1, ...; taken for another, the file would fit in parts.
TEST_F(PretrainedTest, ResNetsAreToldApart) {
  for (const char* theirs : {"resnet18", "resnet34", "resnet50"}) {
    const Backbone& source = FindBackbone(theirs);
    const fs::path file = Save(Renamed(RandomWeights(SmallClassifier(source), 1), NamingsOf(source)[0], "module."));
    for (const Backbone* net : AllBackbones()) {
      SCOPED_TRACE(std::string(theirs) + " for " + std::string(net->name()));
      if (net->name() == theirs) {
        const Graph graph = SmallClassifier(*net);
        Weights weights = RandomWeights(graph, 2);
        const Inheritance inheritance = Inherit(graph, ReadPretrained(file, *net), weights);
        EXPECT_EQ(inheritance.taken, weights.size()) << inheritance.Summary();
        EXPECT_THAT(inheritance.random, IsEmpty()) << inheritance.Summary();
        continue;
      }
      try {
        ReadPretrained(file, *net);
        ADD_FAILURE();
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kInvalidArgument);
        EXPECT_EQ(error.message(), std::string("holds weights of ") + theirs + ", not of " + std::string(net->name()));
        EXPECT_EQ(error.hint(), std::string("set model.backbone to ") + theirs);
      }
    }
  }
}

TEST_F(PretrainedTest, OurOwnFilesKeepTheirConvention) {
  const Convention convention{
      .mean = {0.1, 0.2, 0.3}, .stddev = {1, 0.5, 0.25}, .style = {.padding = Padding::kSame, .bn_eps = 1e-3}};
  const Pretrained pretrained = ReadPretrained(Save(theirs_, ConventionMetadata(convention)), Net());
  EXPECT_EQ(pretrained.naming, "hot");
  EXPECT_EQ(pretrained.convention, convention);
  Weights weights = RandomWeights(graph_, 2);
  const Inheritance inheritance = Inherit(graph_, pretrained, weights);
  EXPECT_EQ(inheritance.taken, theirs_.size());
  for (const auto& [name, tensor] : theirs_) EXPECT_EQ(weights.at(name).data, tensor.data) << name;
  EXPECT_TRUE(pretrained.states_convention);
  EXPECT_EQ(ReadPretrained(Save(theirs_), Net()).convention, Convention{});
  EXPECT_FALSE(ReadPretrained(Save(theirs_), Net()).states_convention);
}

TEST_F(PretrainedTest, ASlotOfTheSameLayersIsTakenInPart) {
  const Pretrained pretrained = ReadPretrained(Save(theirs_), Net());
  for (const char* choice : {"irb-k5-e6", "irb-k3-e3", "irb-k3-e9"}) {
    const Graph candidate = TestNetwork(3, choice);
    Weights weights = RandomWeights(candidate, 2);
    const Inheritance inheritance = Inherit(candidate, pretrained, weights);
    EXPECT_THAT(inheritance.in_part, ElementsAre("slot3")) << choice;
    EXPECT_THAT(inheritance.random, IsEmpty()) << choice;
    EXPECT_THAT(inheritance.Summary(), HasSubstr("; in part: slot3")) << choice;
    EXPECT_EQ(weights.at("slot3.1.project.bn.bias").data, theirs_.at("slot3.1.project.bn.bias").data) << choice;
  }
}

TEST_F(PretrainedTest, ASlotBuiltOtherwiseStaysRandom) {
  const Pretrained pretrained = ReadPretrained(Save(theirs_), Net());
  for (const char* choice : {"fused-k3-e6", "sandglass-k3-e6"}) {
    const Graph candidate = TestNetwork(3, choice);
    const Weights random = RandomWeights(candidate, 2);
    Weights weights = random;
    const Inheritance inheritance = Inherit(candidate, pretrained, weights);
    EXPECT_THAT(inheritance.random, ElementsAre("slot3")) << choice;
    for (const auto& [name, tensor] : random) {
      const bool kept = name.starts_with("slot3.");
      EXPECT_EQ(weights.at(name).data, kept ? tensor.data : theirs_.at(name).data) << choice << " " << name;
    }
  }
}

TEST_F(PretrainedTest, OtherClassesTakeAllButTheClassifier) {
  const Graph graph = TestNetwork(0, "", 0.35, 7);
  Weights weights = RandomWeights(graph, 2);
  const Inheritance inheritance = Inherit(graph, ReadPretrained(Save(theirs_), Net()), weights);
  EXPECT_THAT(inheritance.random, ElementsAre("head.classifier"));
  EXPECT_THAT(inheritance.Summary(), HasSubstr("w.safetensors (hot names): 265 of 267 tensors taken; from random: "
                                               "head.classifier"));
}

TEST_F(PretrainedTest, WhatHasNoPlaceIsListed) {
  Weights file = Renamed(theirs_, NamingsOf(Net())[0]);
  file["features.0.1.num_batches_tracked"] = Tensor(std::vector<int64_t>{}, 3);
  file["aux.conv.weight"] = file["aux.conv.bias"] = Tensor({4});
  Weights weights = RandomWeights(graph_, 2);
  const Inheritance inheritance = Inherit(graph_, ReadPretrained(Save(file), Net()), weights);
  EXPECT_THAT(inheritance.Summary(), HasSubstr("262 of 264 tensors taken; no place for: aux.*"));
}

TEST_F(PretrainedTest, FilesThatDoNotFitAreRefused) {
  EXPECT_THAT(Failure(RandomWeights(TestNetwork(0, "", 1.0), 1)),
              HasSubstr("none of its tensors fits this network: its stem has 32 channels, the network's 16"));
  EXPECT_THAT(
      Failure({{"layer1.0.weight", Tensor({2})}}),
      HasSubstr("the names of its 1 tensors are not known for mobilenet_v2 (the first is \"layer1.0.weight\")"));
  EXPECT_THAT(Failure({}), HasSubstr("the names of its 0 tensors"));
  Weights broken = theirs_;
  broken["slot2.0.expand.conv.weight"].data[5] = NAN;
  EXPECT_THAT(Failure(broken), HasSubstr("slot2.0.expand.conv.weight holds values that are not finite"));
}

TEST_F(PretrainedTest, BrokenMetadataIsNamed) {
  for (const char* text : {"{", "{\"padding\": \"valid\"}", "{\"mean\": 3}"}) {
    EXPECT_THROW(ReadPretrained(Save(theirs_, {{"hot", text}}), Net()), Error) << text;
  }
}

}  // namespace
}  // namespace hot
