// What a study is for: its device and toolchain. Real ones or, of a device that is not here ("journal:FINGERPRINT"),
// stand-ins that know what the journal has: their descriptions are those of the real ones, so that keys and tables are
// the same, and only what would have to be compiled, measured or run fails. Made by Workspace. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/study.h"
#include "deploy/device.h"
#include "deploy/toolchain.h"
#include "store/store.h"

namespace hot {

struct Target {
  std::unique_ptr<Toolchain> toolchain;
  std::unique_ptr<Device> device;
};

// Throws as MakeToolchain() and MakeDevice() do; of a device in the journal Error(kNotFound) when it is not there, and
// kInvalidArgument when more than one is meant.
Target MakeTarget(const Study::Target& target, const Store& store);

// That the toolchain executes every precision of the study. Throws Error(kInvalidArgument) with those it does.
void CheckPrecisions(const Study::Target& target, const Toolchain& toolchain);

// Writes down who measures, for those who have only the journal: record `target` (docs/formats/journal.md), when the
// newest one says something else. `device` is present.
void RememberTarget(const Device& device, const Toolchain& toolchain, Store& store, int64_t now);

// A device and a toolchain as RememberTarget() wrote them down.
struct RememberedTarget {
  DeviceInfo device;  // not present
  std::string toolchain, toolchain_version, flags;
  std::vector<Precision> precisions;
};

// The newest of each device and toolchain, in the order in which they were first met.
std::vector<RememberedTarget> RememberedTargets(const Store& store);

// What a person would call it: its name, and its processor or NPU.
std::string DeviceLabel(const DeviceInfo& device);

}  // namespace hot
