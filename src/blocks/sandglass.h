// Sandglass block (Zhou et al., "Rethinking Bottleneck Structure for Efficient Mobile Network Design", ECCV 2020,
// section 3.2): depthwise kxk at the wide end, linear 1x1 reduction, 1x1 back, linear depthwise kxk with the stride;
// the residual joins the wide ends. The hidden width is max(c_in / e, c_out / 6), each rounded to 8, so that it never
// vanishes. Stateless.
#pragma once

#include "blocks/block.h"

namespace hot {

class Sandglass : public Block {
 public:
  std::string_view type() const override { return "sandglass"; }
  NodeId Build(GraphBuilder& builder, NodeId x, const BlockSpec& spec, const std::string& prefix) const override;
};

}  // namespace hot
