#include "store/testing/postgres_server.h"

#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "core/error.h"

namespace hot {
namespace {

// Debian keeps the server's programs out of PATH, a folder a version.
fs::path Programs() {
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", none)) {
    if (fs::exists(version.path() / "bin/initdb")) found.push_back(version.path() / "bin");
  }
  return found.empty() ? fs::path() : *std::ranges::max_element(found);
}

void Expect(const ProcessResult& result, const std::string& what) {
  if (!result.status.ok()) throw Error(Code::kInternal, what, result.output);
}

}  // namespace

std::string PostgresServer::WhyNot() {
#ifndef HOT_POSTGRES
  return "skipped: built without PostgreSQL (HOT_POSTGRES)";
#endif
  if (Programs().empty()) return "skipped: no PostgreSQL server is installed (scripts/setup --with-postgres)";
  if (::geteuid() == 0 && ::getpwnam("postgres") == nullptr) return "skipped: as root, needs the user postgres";
  return "";
}

// The server refuses to run as root.
std::vector<std::string> PostgresServer::AsOwner(std::vector<std::string> argv) const {
  std::vector<std::string> all{"setpriv", "--pdeathsig", "QUIT"};
  if (::geteuid() == 0) all.insert(all.end(), {"--reuid", "postgres", "--regid", "postgres", "--clear-groups"});
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

PostgresServer::PostgresServer() {
  if (const passwd* owner = ::getpwnam("postgres"); ::geteuid() == 0 && owner != nullptr) {
    if (::chown(folder_.path().c_str(), owner->pw_uid, owner->pw_gid) != 0) throw Error(Code::kInternal, "chown", "");
  }
  const fs::path data = folder_.path() / "data";
  Expect(RunProcess(AsOwner({Programs() / "initdb", "--pgdata", data, "--username", "hot", "--auth", "trust",
                             "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"})),
         "initdb");
  std::ofstream(data / "pg_hba.conf") << "local all secretive scram-sha-256\nlocal all all trust\n";
  std::ofstream(data / "postgresql.conf", std::ios::app)
      << "listen_addresses = ''\nunix_socket_directories = '" << folder_.path().string()
      << "'\nfsync = off\nmax_connections = 40\nshared_buffers = 16MB\n";
  Start();
}

PostgresServer::~PostgresServer() { Kill(); }

void PostgresServer::Start() {
  const fs::path log = folder_.path() / "log";
  process_.emplace(ProcessOptions{.argv = AsOwner({Programs() / "postgres", "-D", folder_.path() / "data"}),
                                  .env = {},
                                  .stdout_file = log,
                                  .stderr_file = log});
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!RunProcess({Programs() / "pg_isready", "-h", folder_.path(), "-U", "hot"}).status.ok()) {
    if (process_->Poll() || std::chrono::steady_clock::now() > give_up) {
      throw Error(Code::kInternal, "postgres", ReadFile(log));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void PostgresServer::Kill() {
  if (!process_) return;
  process_->Signal(SIGQUIT);  // "immediate shutdown": nothing is finished, nothing is told
  process_->Wait();
  process_.reset();
}

std::string PostgresServer::Url(const std::string& database, const std::string& user) const {
  return "postgresql://" + user + "@/" + database + "?host=" + folder_.path().string();
}

std::string PostgresServer::MakeDatabase(const std::string& name) {
  Psql("postgres", "CREATE DATABASE " + name);
  return Url(name);
}

std::string PostgresServer::Psql(const std::string& database, const std::string& sql) const {
  const ProcessResult result =
      RunProcess({Programs() / "psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-qAt", "-d", Url(database), "-c", sql});
  Expect(result, sql);
  return result.output;
}

}  // namespace hot
