// A PostgreSQL server for tests: Debian's, with its data in a temporary folder, reached through a socket there and not
// from the network. It ends with the test. Not thread-safe.
#pragma once

#include <optional>
#include <string>

#include "core/files.h"
#include "core/subprocess.h"

namespace hot {

class PostgresServer {
 public:
  // Why there can be no server here ("skipped: ..."); empty where there can.
  static std::string WhyNot();

  // Makes a database cluster and starts its server; superuser `hot`, without password.
  PostgresServer();
  // Stops it at once.
  ~PostgresServer();

  // Address of a database of that name, which is made.
  std::string MakeDatabase(const std::string& name);
  // Address of that database for another user ("user" or "user:password").
  std::string Url(const std::string& database, const std::string& user = "hot") const;
  // Runs a statement as superuser with psql; returns what it printed.
  std::string Psql(const std::string& database, const std::string& sql) const;
  // Ends the server and its connections at once, as a crash would.
  void Kill();
  void Start();

 private:
  std::vector<std::string> AsOwner(std::vector<std::string> argv) const;

  TempFolder folder_;
  std::optional<Process> process_;
};

}  // namespace hot
