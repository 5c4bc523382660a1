#include "models/search_space.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace hot {
namespace {

// Every block is a slot; the first of a stage has its stride.
std::vector<Slot> Blocks(const std::vector<Slot>& stages) {
  std::vector<Slot> blocks;
  for (const Slot& stage : stages) {
    for (int repeat = 0; repeat < stage.repeats; ++repeat) {
      Slot block = stage;
      block.index = static_cast<int>(blocks.size()) + 1;
      block.repeats = 1;
      block.first_repeat = repeat;
      if (repeat > 0) block.stride = 1;
      blocks.push_back(std::move(block));
    }
  }
  return blocks;
}

}  // namespace

std::string_view SlotSizeName(SlotSize size) { return size == SlotSize::kStage ? "stage" : "block"; }

SlotSize ParseSlotSize(std::string_view name) {
  for (const SlotSize size : {SlotSize::kStage, SlotSize::kBlock}) {
    if (SlotSizeName(size) == name) return size;
  }
  throw Error(Code::kInvalidArgument, "slot size", "unknown \"" + std::string(name) + "\"", "known: stage, block");
}

SearchSpace::SearchSpace(const Backbone& backbone, SlotSize size, SlotChoices choices)
    : SearchSpace(std::shared_ptr<const Backbone>(std::shared_ptr<const Backbone>(), &backbone), size,
                  std::move(choices)) {}

SearchSpace::SearchSpace(std::shared_ptr<const Backbone> backbone, SlotSize size, SlotChoices choices)
    : backbone_(std::move(backbone)), size_(size), choices_(std::move(choices)) {
  const auto slots = static_cast<int>(SearchSpace::Slots(1.0, Precision::kFp32).size());
  for (auto& [slot, some] : choices_) {
    const std::string where = "slot" + std::to_string(slot);
    if (slot < 1 || slot > slots) {
      throw Error(
          Code::kInvalidArgument, where,
          std::string(name()) + " has " + std::to_string(slots) + " slots, each a " + std::string(SlotSizeName(size)));
    }
    if (some.empty()) throw Error(Code::kInvalidArgument, where, "has no choice");
    std::ranges::stable_sort(some, {}, &Choice::expansion);
  }
}

std::vector<Slot> SearchSpace::Slots(double width, Precision precision) const {
  std::vector<Slot> slots = backbone_->Slots(width, precision);
  if (size_ == SlotSize::kBlock) slots = Blocks(slots);
  for (const auto& [index, choices] : choices_) {
    if (index < 1 || index > std::ssize(slots)) continue;  // the constructor refuses it
    Slot& slot = slots[static_cast<size_t>(index - 1)];
    slot.choices = choices;
    for (Choice& choice : slot.choices) choice.precision = precision;
  }
  return slots;
}

}  // namespace hot
