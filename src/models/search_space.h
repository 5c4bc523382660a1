// A backbone whose slots or choices a study has changed: what is a slot, and what may stand there. Network, strides and
// taps stay the backbone's. Made by the workspace for a study, and by trials. A backbone that is only referred to must
// outlive it. Immutable.
#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "models/backbone.h"

namespace hot {

// kStage: a choice for all blocks of a stage, as published in tables. kBlock: one for each block.
enum class SlotSize { kStage, kBlock };
std::string_view SlotSizeName(SlotSize size);
// Throws Error(kInvalidArgument) on other names than "stage" and "block".
SlotSize ParseSlotSize(std::string_view name);

// By slot (1-based), without precision. A slot that is missing keeps the backbone's.
using SlotChoices = std::map<int, std::vector<Choice>>;

class SearchSpace : public Backbone {
 public:
  // A stage's choices go to each of its blocks. Throws Error(kInvalidArgument) for a slot that is none, or one without
  // choices. Choices are sorted by rising expansion (DistinctChoices).
  SearchSpace(const Backbone& backbone, SlotSize size, SlotChoices choices = {});
  SearchSpace(std::shared_ptr<const Backbone> backbone, SlotSize size, SlotChoices choices = {});

  std::string_view name() const override { return backbone_->name(); }
  BackboneTraits traits() const override { return backbone_->traits(); }
  std::vector<Slot> Slots(double width, Precision precision) const override;
  NodeId BuildStem(GraphBuilder& builder, NodeId image, double width) const override {
    return backbone_->BuildStem(builder, image, width);
  }
  NodeId BuildTail(GraphBuilder& builder, NodeId x, double width) const override {
    return backbone_->BuildTail(builder, x, width);
  }
  SlotSize slot_size() const { return size_; }

 private:
  std::shared_ptr<const Backbone> backbone_;  // shared: OpenBackbone()
  SlotSize size_;
  SlotChoices choices_;
};

}  // namespace hot
