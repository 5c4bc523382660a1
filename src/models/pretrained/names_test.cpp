#include "models/pretrained/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/hash.h"
#include "models/search_space.h"

namespace hot {
namespace {

const Backbone& Net() { return FindBackbone("mobilenet_v2"); }

Graph Classifier(const Backbone& net) {
  return BuildClassifier(net, 1.0, BaselineChoices(net, 1.0, Precision::kFp32), {3, 224, 224}, 1000);
}

// Every parameter of the classifier once, and nothing else.
TEST(Names, CoverTheWholeClassifier) {
  for (const auto& [backbone, count] :
       {std::pair{"mobilenet_v2", 262u}, {"resnet18", 102u}, {"resnet34", 182u}, {"resnet50", 267u}}) {
    const Backbone& net = FindBackbone(backbone);
    std::multiset<std::string> expected;
    for (const Parameter& parameter : Parameters(Classifier(net))) expected.insert(parameter.name);
    ASSERT_EQ(expected.size(), count) << backbone;
    ASSERT_FALSE(NamingsOf(net).empty()) << backbone;
    for (const Naming& naming : NamingsOf(net)) {
      std::multiset<std::string> ours;
      for (const auto& [theirs, name] : naming.parameters) ours.insert(name);
      EXPECT_EQ(ours, expected) << backbone << " " << naming.name;
    }
  }
}

// Other programs' names do not depend on what a slot is here, and ours are found in both.
TEST(Names, OfAFinerSpaceCoverTheWholeClassifier) {
  for (const Backbone* stages : AllBackbones()) {
    const SearchSpace blocks(*stages, SlotSize::kBlock);
    const std::vector<Naming> by_stage = NamingsOf(*stages), by_block = NamingsOf(blocks);
    ASSERT_EQ(by_stage.size(), by_block.size());
    std::vector<std::string> names;
    std::set<std::string> expected;
    for (const Parameter& parameter : Parameters(Classifier(*stages))) names.push_back(parameter.name);
    for (const Parameter& parameter : Parameters(Classifier(blocks))) expected.insert(parameter.name);
    const auto translated = OurNames(blocks, names);
    const auto back = OurNames(*stages, {expected.begin(), expected.end()});
    for (size_t i = 0; i < by_stage.size(); ++i) {
      for (const auto& [theirs, ours] : by_stage[i].parameters) {
        EXPECT_EQ(by_block[i].parameters.at(theirs), translated.at(ours)) << by_stage[i].name << " " << theirs;
        EXPECT_EQ(back.at(translated.at(ours)), ours);
      }
    }
    std::set<std::string> ours;
    for (const auto& [theirs, name] : translated) ours.insert(name);
    EXPECT_EQ(ours, expected) << stages->name();
    for (const auto& [theirs, name] : OurNames(*stages, names)) EXPECT_EQ(theirs, name);
  }
}

// "64x3x7x7"
std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t side : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(side);
  }
  return text;
}

// Hashes of all names and shapes in the state dicts of torchvision 0.14.1 and, equal to it, timm 0.9.16:
// ''.join(f"{k} {'x'.join(map(str, v.shape))}\n" for k, v in sorted(state_dict.items()) if "num_batches" not in k)
TEST(Names, OfResNetsAreTheirStateDicts) {
  for (const auto& [backbone, sha256] :
       {std::pair{"resnet18", "8574a6641fbca1ee7b08b0d9403a8b53874fa093daffad1d346e7a5173e14cb9"},
        {"resnet34", "d28e2b05152fe8cb94ec76c0a635cab192299073c60ca3b9f23308bb7bb86b07"},
        {"resnet50", "b45d26910a415c4397e24f424ab1520ec96efc4ecdf466dc4caf2c81d8c46695"}}) {
    const Backbone& net = FindBackbone(backbone);
    std::map<std::string, std::string> shapes;  // by our names
    for (const Parameter& parameter : Parameters(Classifier(net))) shapes[parameter.name] = ShapeText(parameter.shape);
    const std::vector<Naming> namings = NamingsOf(net);
    std::string text;
    for (const auto& [theirs, ours] : namings.at(0).parameters) text += theirs + " " + shapes.at(ours) + "\n";
    EXPECT_EQ(Sha256Hex(text), sha256) << text;
  }
}

// "" when there is no such naming, or it has no such name.
std::string OurName(const Backbone& net, const std::string& naming_name, const std::string& theirs) {
  for (const Naming& naming : NamingsOf(net)) {
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
  for (const Case& c : cases) EXPECT_EQ(OurName(Net(), c.naming, c.theirs), c.ours) << c.naming << ' ' << c.theirs;
}

TEST(Names, OfResNetsMeanTheSameLayers) {
  struct Case {
    const char *backbone, *theirs, *ours;
  };
  const Case cases[] = {
      {"resnet18", "conv1.weight", "stem.conv.weight"},
      {"resnet18", "bn1.running_var", "stem.bn.running_var"},
      {"resnet18", "layer1.0.conv1.weight", "slot1.0.first.conv.weight"},
      {"resnet18", "layer1.1.bn2.bias", "slot1.1.second.bn.bias"},
      {"resnet18", "layer2.0.downsample.0.weight", "slot2.0.shortcut.conv.weight"},
      {"resnet18", "layer1.0.downsample.0.weight", ""},
      {"resnet34", "layer3.5.conv2.weight", "slot3.5.second.conv.weight"},
      {"resnet34", "layer4.0.downsample.1.running_mean", "slot4.0.shortcut.bn.running_mean"},
      {"resnet50", "layer1.0.downsample.1.weight", "slot1.0.shortcut.bn.weight"},
      {"resnet50", "layer2.3.conv1.weight", "slot2.3.reduce.conv.weight"},
      {"resnet50", "layer2.3.bn2.weight", "slot2.3.middle.bn.weight"},
      {"resnet50", "layer4.2.conv3.weight", "slot4.2.expand.conv.weight"},
      {"resnet50", "fc.bias", "head.classifier.bias"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(OurName(FindBackbone(c.backbone), "torchvision", c.theirs), c.ours) << c.backbone << ' ' << c.theirs;
}

}  // namespace
}  // namespace hot
