#include "deploy/test_pairings.h"

namespace hot {

// The other two Ethos-U are the same class as the first: vela_toolchain_test.
std::vector<Pairing> Pairings() { return {{"host", "openvino"}, {"host", "tvm"}, {"ethos-u55-128", "vela"}}; }

}  // namespace hot
