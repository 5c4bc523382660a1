// The agent on the network: gRPC service hot.v1.DeviceAgent (proto/hot/v1/device.proto) with health and reflection
// services beside it. Called by `hot serve` and tests.
#pragma once

#include <memory>
#include <string>

#include "core/files.h"
#include "server/agent.h"

namespace hot::server {

struct ServeOptions {
  std::string listen = "127.0.0.1:7070";  // port 0: any free one
  fs::path token_file;                    // tokens.h; empty: no token is asked for
  fs::path tls_folder;                    // of InitTls; empty: no TLS
};

// Throws Error(kInvalidArgument) for an address that others than this machine can reach without token and TLS, saying
// how to get both.
void CheckExposure(const ServeOptions& options);

class Server {
 public:
  // Listens from here on. Throws what CheckExposure and Tokens throw, kUnavailable when the address is taken.
  Server(const ServeOptions& options, Agent& agent);
  // Ends calls that are under way; clients come back or find another board.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hot::server
