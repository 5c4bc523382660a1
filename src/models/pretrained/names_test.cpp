#include "models/pretrained/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace hot {
namespace {

const Backbone& Net() { return FindBackbone("mobilenet_v2"); }

// Every parameter of the classifier once, and nothing else.
TEST(Names, CoverTheWholeClassifier) {
  const Graph graph = BuildClassifier(Net(), 1.0, BaselineChoices(Net(), 1.0, Precision::kFp32), {3, 224, 224}, 1000);
  std::multiset<std::string> expected;
  for (const Parameter& parameter : Parameters(graph)) expected.insert(parameter.name);
  ASSERT_EQ(expected.size(), 262u);
  for (const Naming& naming : NamingsOf(Net())) {
    std::multiset<std::string> ours;
    for (const auto& [theirs, name] : naming.parameters) ours.insert(name);
    EXPECT_EQ(ours, expected) << naming.name;
  }
}

// "" when there is no such naming, or it has no such name.
std::string OurName(const std::string& naming_name, const std::string& theirs) {
  for (const Naming& naming : NamingsOf(Net())) {
    const auto found = naming.parameters.find(theirs);
    if (naming.name == naming_name && found != naming.parameters.end()) return found->second;
  }
  return "";
}

// Names copied from state dicts of torchvision 0.14.1 and timm 0.9.16, and from keras.applications' layer names.
TEST(Names, AreThoseOfTheirMakers) {
  struct Case {
    const char *naming, *theirs, *ours;
  };
  const Case cases[] = {
      {"torchvision", "features.0.0.weight", "stem.conv.weight"},
      {"torchvision", "features.0.1.running_var", "stem.bn.running_var"},
      {"torchvision", "features.1.conv.0.0.weight", "slot1.0.depthwise.conv.weight"},
      {"torchvision", "features.1.conv.1.weight", "slot1.0.project.conv.weight"},
      {"torchvision", "features.1.conv.2.bias", "slot1.0.project.bn.bias"},
      {"torchvision", "features.3.conv.0.1.weight", "slot2.1.expand.bn.weight"},
      {"torchvision", "features.14.conv.1.0.weight", "slot6.0.depthwise.conv.weight"},
      {"torchvision", "features.17.conv.3.running_mean", "slot7.0.project.bn.running_mean"},
      {"torchvision", "features.18.0.weight", "tail.conv.weight"},
      {"torchvision", "classifier.1.bias", "head.classifier.bias"},
      {"timm", "conv_stem.weight", "stem.conv.weight"},
      {"timm", "bn1.bias", "stem.bn.bias"},
      {"timm", "blocks.0.0.conv_dw.weight", "slot1.0.depthwise.conv.weight"},
      {"timm", "blocks.0.0.bn1.weight", "slot1.0.depthwise.bn.weight"},
      {"timm", "blocks.0.0.conv_pw.weight", "slot1.0.project.conv.weight"},
      {"timm", "blocks.1.0.conv_pw.weight", "slot2.0.expand.conv.weight"},
      {"timm", "blocks.5.2.bn2.running_mean", "slot6.2.depthwise.bn.running_mean"},
      {"timm", "blocks.6.0.conv_pwl.weight", "slot7.0.project.conv.weight"},
      {"timm", "bn2.running_var", "tail.bn.running_var"},
      {"timm", "classifier.weight", "head.classifier.weight"},
      {"keras", "bn_Conv1.gamma", "stem.bn.weight"},
      {"keras", "expanded_conv_depthwise.weight", "slot1.0.depthwise.conv.weight"},
      {"keras", "expanded_conv_project_BN.beta", "slot1.0.project.bn.bias"},
      {"keras", "block_13_expand.weight", "slot6.0.expand.conv.weight"},
      {"keras", "block_16_project_BN.variance", "slot7.0.project.bn.running_var"},
      {"keras", "Conv_1_bn.mean", "tail.bn.running_mean"},
  };
  for (const Case& c : cases) EXPECT_EQ(OurName(c.naming, c.theirs), c.ours) << c.naming << ' ' << c.theirs;
}

}  // namespace
}  // namespace hot
