// A study that goes on in a run folder as far as its files tell, for tests of the dashboard: a made-up finished run
// whose files appear stage by stage. Thread rule: one owner.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/progress.h"
#include "pipeline/run_lock.h"
#include "pipeline/run_progress.h"

namespace hot {

class LiveStudy {
 public:
  // The run folder has study.json only, and nobody works there.
  explicit LiveStudy(const fs::path& run_folder);

  void Start();  // takes the folder's lock, as a process of hot does
  void Kill();   // the lock is gone, nothing else is written
  // A stage begins, its first `done` of `total` units are done.
  void Begin(const std::string& stage, double total, double done, const std::string& note);
  // A stage ends: its manifest and its results are there.
  void Finish(const std::string& stage);
  // Two trainings: the baseline's is finished, that of the first candidate has come to this epoch.
  void Train(int epoch);

  const fs::path& folder() const { return folder_; }
  std::string running_trial() const { return trials_.at(1); }

 private:
  struct Worker {
    Worker(const fs::path& folder, Progress& shown, const Clock& clock)
        : lock(LockRun(folder)), progress(shown, clock, folder) {
      ForgetProgress(folder);
    }
    std::unique_ptr<FileLock> lock;
    RunProgress progress;
  };
  // Runs ahead, so that nothing has to be waited for.
  class FastClock : public Clock {
   public:
    int64_t NowNs() const override { return SystemClock().NowNs() + seconds * 1'000'000'000; }
    int64_t WallSeconds() const override { return SystemClock().WallSeconds(); }
    int64_t seconds = 0;
  };
  void Take(const fs::path& file);

  TempFolder finished_;
  fs::path folder_;
  std::vector<std::string> trials_, networks_;
  FastClock clock_;
  std::unique_ptr<Progress> silent_ = MakeSilentProgress();
  std::unique_ptr<Worker> worker_;
};

}  // namespace hot
