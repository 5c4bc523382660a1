// Layers that the heads of several tasks share. Private to tasks/; they only build graph nodes.
#pragma once

#include <string>

#include "graph/graph.h"

namespace hot {

// Separable prediction layer (SSDLite; Sandler et al., 2018, section 6.2): depthwise 3x3 ("NAME.depthwise"), then a 1x1
// with bias, whose node is NAME. Linear output.
NodeId SeparablePrediction(GraphBuilder& builder, NodeId x, const std::string& name, int channels);

}  // namespace hot
