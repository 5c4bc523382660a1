// What other programs call the parameters of a backbone, and what they expect of its input. To add a naming: a row in
// NamingsOf(), with a case in names_test.cpp. Pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/backbone.h"
#include "models/convention.h"

namespace hot {

struct Naming {
  std::string name;  // "torchvision"
  Convention convention;
  std::map<std::string, std::string> parameters;  // theirs -> ours, of the baseline network and its classifier
};

// MobileNetV2: torchvision, timm (mobilenetv2_*), keras. The last is what keras.applications calls its layers, with
// gamma, beta, mean and variance for batch norm. ResNet: torchvision, whose names are timm's (resnet18, 34, 50), too;
// Keras' ResNet50 is another network (strides in the first 1x1, biases before batch norm).
std::vector<Naming> NamingsOf(const Backbone& backbone);

// Names of ours, as a file has them -> as this backbone has them: the file's slots may be stages where the backbone's
// are blocks, or the other way round (SlotSize). A name without a place in it stays what it is.
std::map<std::string, std::string> OurNames(const Backbone& backbone, const std::vector<std::string>& names);

}  // namespace hot
