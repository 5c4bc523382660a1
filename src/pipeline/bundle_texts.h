// README.md and LICENCES.md of a bundle. Stateless.
#pragma once

#include <string>

#include "deploy/artifact.h"
#include "tasks/trial.h"

namespace hot {

std::string BundleReadMe(const Artifact& artifact, const std::string& id);
std::string BundleLicences(const Artifact& artifact, const TrialSpec& trial);

}  // namespace hot
