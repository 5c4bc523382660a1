// target.*: the device, how it is reached, and what is built for it.
#include "config/option_rows.h"

namespace hot {

void AddTargetOptions(std::vector<Option>& out) {
  out.push_back(
      {.name = "target.device",
       .field = HOT_FIELD(target.device),
       .help = "Where networks are measured; `host` is this machine, `grpc://HOST:PORT` a board on which `hot serve` "
               "runs (several equal boards: with commas between). Of `ethos-*` latency is an estimate. "
               "`journal:FINGERPRINT` is a device that is not here: what the journal has of it, and nothing else "
               "(`hot journal show` lists them; the first letters do).",
       .fallback = "",
       .allowed = {"host", "ethos-u55-128", "ethos-u65-256", "ethos-u85-256", "grpc://...", "journal:..."}});
  out.push_back({.name = "target.token_file",
                 .field = HOT_FIELD(target.token_file),
                 .help = "File with the token that the boards' agents ask for.",
                 .fallback = "none"});
  out.push_back({.name = "target.ca_file",
                 .field = HOT_FIELD(target.ca_file),
                 .help = "Certificate of the authority that signed the boards' (`ca.pem` of `hot serve --init-tls`).",
                 .fallback = "none: no TLS"});
  out.push_back({.name = "target.toolchain",
                 .field = HOT_FIELD(target.toolchain),
                 .help = "What compiles networks for the device: `openvino` or `tvm` for `host`, `vela` for `ethos-*`; "
                         "a board's agent must have it.",
                 .fallback = "",
                 .allowed = {"openvino", "tvm", "vela"}});
  out.push_back({.name = "target.precision",
                 .field = HOT_FIELD(target.precision),
                 .help =
                     "Number formats to build and measure in, as far as device and toolchain execute them; the first "
                     "is searched and shipped. `int16x8`: 16-bit activations, 8-bit weights.",
                 .fallback = "",
                 .allowed = {"fp32", "bf16", "fp16", "int8", "int16x8"},
                 .max_count = 5});
  out.push_back({.name = "target.threads",
                 .field = HOT_FIELD(target.threads),
                 .help = "Threads of one inference.",
                 .fallback = "",
                 .range = Between(1, 256)});
}

}  // namespace hot
