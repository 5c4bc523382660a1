// The dashboard: a run folder's page on this machine's loopback address, while the study runs and after. Offers exactly
// these by GET: /, /status.json, /data.json and /curves.json; no address leads to a file, and
// nothing can be changed. Called by `hot dashboard` and tests.
#pragma once

#include <memory>

#include "core/files.h"

namespace hot {

class Dashboard {
 public:
  static constexpr int kPort = 7071;

  // Listens from here on at 127.0.0.1; port 0 is any free one. Throws Error(kNotFound) for a folder without a study,
  // kUnavailable when the port is taken.
  Dashboard(const fs::path& run_folder, int port);
  // Ends answers that are under way.
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  int port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hot
