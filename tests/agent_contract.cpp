// The contracts of devices and toolchains, kept by an agent on this machine: linked with the suites of src/deploy.
#include "agent_process.h"
#include "deploy/test_pairings.h"

namespace hot {

std::vector<Pairing> Pairings() {
  static const TempFolder folder;
  static const AgentProcess agent(folder.path() / "agent");
  static const std::string url = agent.url();
  return {{url.c_str(), "openvino"}};
}

}  // namespace hot
