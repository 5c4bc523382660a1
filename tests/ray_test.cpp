// `run.executor: ray` on a real cluster of two nodes on this machine: the same results as `local`, also when a node is
// killed in mid-study.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "core/hash.h"
#include "hot_program.h"
#include "pipeline/executors/ray_cluster.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

constexpr int kEpochs = 24;

std::string Study() {
  return "name: tiny\n"
         "model: {width: 0.35, input: [64, 64]}\n"
         "data: {root: data}\n"
         "search: {latency_ratio: 1.5, candidates: 2, train_candidates: 1}\n"
         "train: {epochs: " +
         std::to_string(kEpochs) +
         ", batch: 8, metric: ap50, hpo: {lr: 1e-3, gamma: 0.5}}\n"
         "run: {workers: 2}\n";
}

class RayTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!RayCluster::IsInstalled()) GTEST_SKIP() << "skipped: Ray is not installed (scripts/setup --with-ray)";
    ASSERT_EQ(RunHot(folder_.path(), "data make shapes data --train 24 --test 4").code, 0);
    WriteFileAtomic(folder_.path() / "study.yaml", Study());
    ASSERT_EQ(RunHot(folder_.path(), "verify study.yaml --quiet").code, 0);
  }

  fs::path Trials() const { return folder_.path() / "runs" / "tiny" / "trials"; }

  static int Lines(const fs::path& file, const std::string& with = "") {
    int count = 0;
    std::istringstream lines(fs::exists(file) ? ReadFile(file) : "");
    for (std::string line; std::getline(lines, line);) count += line.find(with) != std::string::npos ? 1 : 0;
    return count;
  }

  // Trial -> hash of its weights.
  std::map<std::string, std::string> Weights() const {
    std::map<std::string, std::string> weights;
    for (const auto& trial : fs::directory_iterator(Trials())) {
      weights[trial.path().filename()] = Sha256File(trial.path() / "weights.safetensors");
    }
    return weights;
  }

  // train.json without the times.
  Json Results() const {
    Json train = Json::parse(ReadFile(folder_.path() / "runs" / "tiny" / "train.json"));
    for (Json& network : train.at("networks")) {
      for (Json& trial : network.at("trials")) {
        trial.erase("seconds");
        trial.erase("cpu_seconds");
      }
    }
    return train;
  }

  // When two trainings are at work, the cluster's second node is one that trains.
  bool TwoTrain() const {
    if (!fs::exists(Trials())) return false;
    int training = 0;
    for (const auto& trial : fs::directory_iterator(Trials())) {
      const int epochs = Lines(trial.path() / "epochs.jsonl");
      training += epochs >= 1 && epochs < kEpochs * 3 / 4 ? 1 : 0;
    }
    return training == 2;
  }

  TempFolder folder_;
};

TEST_F(RayTest, ALostNodesTrainingsGoOnElsewhereWithTheResultsOfLocal) {
  ASSERT_EQ(RunHot(folder_.path(), "train study.yaml").code, 0);
  const Json local_results = Results();
  const auto local_weights = Weights();
  ASSERT_GE(local_weights.size(), 2u);
  fs::remove_all(Trials());
  fs::remove(folder_.path() / "runs" / "tiny" / "train.json");

  RayCluster cluster(/*cpus_per_node=*/1);
  ASSERT_NE(cluster.address(), "") << cluster.log();
  const fs::path log = folder_.path() / "log";
  Process study({.argv = {"bash", "-c",
                          "cd '" + folder_.path().string() +
                              "' && exec '" HOT_BINARY_DIR "/bin/hot' train study.yaml --set run.executor=ray"},
                 .env = {},
                 .stdout_file = log,
                 .stderr_file = log});
  while (!TwoTrain() && !study.Poll()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_FALSE(study.Poll()) << ReadFile(log);
  ASSERT_TRUE(cluster.KillNode()) << cluster.log();
  ASSERT_EQ(study.Wait().code, 0) << ReadFile(log);

  EXPECT_EQ(Results(), local_results);
  EXPECT_EQ(Weights(), local_weights);
  int starts = 0;
  for (const auto& trial : fs::directory_iterator(Trials())) {
    EXPECT_EQ(Lines(trial.path() / "epochs.jsonl"), kEpochs);
    starts += Lines(trial.path() / "log.txt", "pictures");
  }
  EXPECT_EQ(starts, static_cast<int>(local_weights.size()) + 1) << "one training was taken up again";
}

TEST_F(RayTest, WithoutAClusterItSaysWhatToDo) {
  const HotResult result =
      RunHot(folder_.path(), "train study.yaml --set run.executor=ray", "unset RAY_ADDRESS; RAY_TMPDIR=$PWD/none");
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.output, HasSubstr("no Ray cluster"));
  EXPECT_THAT(result.output, HasSubstr("RAY_ADDRESS"));
}

}  // namespace
}  // namespace hot
