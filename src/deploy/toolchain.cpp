#include "deploy/toolchain.h"

#include <algorithm>

#include "core/error.h"
#include "quantize/scheme.h"

namespace hot {

void CheckPrecision(const Toolchain& toolchain, const CompileRequest& request, const std::string& lacks) {
  const std::string where(toolchain.name()), precision = PrecisionName(request.precision);
  if (std::ranges::count(toolchain.precisions(), request.precision) == 0)
    throw Error(Code::kUnimplemented, where, lacks);
  if (!SchemeOf(request.precision, "s8s8").empty() && request.quantization == nullptr)
    throw Error(Code::kInvalidArgument, where, precision + " needs a quantization");
}

}  // namespace hot
