// An authority of one's own for agents that listen on a network: `hot serve --init-tls`. Clients get ca.pem, the board
// keeps the rest. Called by the command line.
#pragma once

#include <string>
#include <vector>

#include "core/files.h"

namespace hot::server {

// Files in a TLS folder.
inline constexpr const char* kCaCertificate = "ca.pem";
inline constexpr const char* kServerCertificate = "server.pem";
inline constexpr const char* kServerKey = "server.key";
inline constexpr const char* kTokenFile = "token";

// Makes the folder (its owner's alone) with the authority's certificate, a certificate and key of the agent signed by
// it, valid for ten years, and a random token. The authority's own key is not kept: nobody can sign another one.
// `names`: host names and IP addresses by which clients reach the agent; "localhost" and 127.0.0.1 are added. Throws
// Error(kAlreadyExists) when there is a certificate already, kInvalidArgument for a name that is none.
void InitTls(const fs::path& folder, const std::vector<std::string>& names);

}  // namespace hot::server
