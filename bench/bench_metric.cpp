// COCO's box and keypoint AP: ours v pycocotools v faster-coco-eval, on made sets of the size of COCO val2017.
// Medians of rounds in which all three take turns, each from data in memory to the statistics; ours in one thread.
// Reading files is not counted. Fails when a statistic differs by more than 1e-9. Last line: JSON.
// Usage: hot_bench_metric [rounds [pictures]]; scripts/bench installs the peers.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "metric_sets.h"
#include "peer.h"

namespace hot {
namespace {

constexpr double kTolerance = 1e-9;
const std::vector<std::string> kPeers{"pycocotools", "faster-coco-eval"};

struct Timed {
  double seconds = 0;
  std::vector<double> stats;  // in the order of COCOeval.stats
};

struct Case {
  std::string kind;  // bbox, keypoints
  std::vector<ScoredPicture> pictures;
  std::function<std::vector<double>(const std::vector<ScoredPicture>&)> evaluate;
  std::vector<double> ours;                // seconds
  std::vector<std::vector<double>> peers;  // seconds, by peer
  double difference = 0;                   // largest of any statistic and peer
  double ap = 0;
};

std::vector<double> BoxStats(const std::vector<ScoredPicture>& pictures) {
  const CocoResult r = CocoBoxAp(pictures);
  return {r.ap,  r.ap50, r.ap75,  r.ap_small, r.ap_medium, r.ap_large,
          r.ar1, r.ar10, r.ar100, r.ar_small, r.ar_medium, r.ar_large};
}

std::vector<double> PoseStats(const std::vector<ScoredPicture>& pictures) {
  const OksResult r = CocoKeypointAp(pictures);
  return {r.ap, r.ap50, r.ap75, r.ap_medium, r.ap_large, r.ar, r.ar50, r.ar75, r.ar_medium, r.ar_large};
}

Timed RunOurs(const Case& one) {
  const auto start = std::chrono::steady_clock::now();
  Timed timed{.seconds = 0, .stats = one.evaluate(one.pictures)};
  timed.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return timed;
}

Timed TimePeer(const std::string& peer, const Case& one, const fs::path& folder) {
  const nlohmann::json json = RunPeer(
      "metric", "metric_peer.py",
      {peer, one.kind, (folder / (one.kind + "_truth.json")).string(), (folder / (one.kind + "_found.json")).string()});
  return {.seconds = json.at("seconds"), .stats = json.at("stats").get<std::vector<double>>()};
}

void RunRound(Case& one, const fs::path& folder) {
  const Timed ours = RunOurs(one);
  one.ours.push_back(ours.seconds);
  one.ap = ours.stats[0];
  for (size_t p = 0; p < kPeers.size(); ++p) {
    const Timed peer = TimePeer(kPeers[p], one, folder);
    one.peers[p].push_back(peer.seconds);
    if (peer.stats.size() < ours.stats.size()) throw Error(Code::kInternal, kPeers[p], "printed too few statistics");
    for (size_t i = 0; i < ours.stats.size(); ++i)
      one.difference = std::max(one.difference, std::abs(ours.stats[i] - peer.stats[i]));
  }
}

size_t CountDetections(const Case& one) {
  size_t count = 0;
  for (const ScoredPicture& picture : one.pictures) count += picture.detections.size();
  return count;
}

size_t CountObjects(const Case& one) {
  size_t count = 0;
  for (const ScoredPicture& picture : one.pictures) count += picture.truth.size();
  return count;
}

nlohmann::ordered_json CaseJson(const Case& one) {
  const double ours = Median(one.ours);
  nlohmann::ordered_json json{{"pictures", one.pictures.size()},
                              {"objects", CountObjects(one)},
                              {"detections", CountDetections(one)},
                              {"ours", ours}};
  for (size_t p = 0; p < kPeers.size(); ++p) {
    json[kPeers[p]] = Median(one.peers[p]);
    json["ratio_" + kPeers[p]] = Median(one.peers[p]) / ours;
  }
  json["ap"] = one.ap;
  json["largest_difference"] = one.difference;
  return json;
}

void Print(const std::vector<Case>& cases, size_t rounds) {
  std::printf("%-10s %9s %9s %11s  %-17s %10s %8s\n", "set", "pictures", "objects", "detections", "by", "median s",
              "ratio");
  double least_pycocotools = 1e300, least_faster = 1e300, ours = 0, pycocotools = 0;
  nlohmann::ordered_json list;
  for (const Case& one : cases) {
    const double own = Median(one.ours);
    const auto row = [&](const std::string& name, double seconds) {
      std::printf("%-10s %9zu %9zu %11zu  %-17s %10.4f %8.1f\n", one.kind.c_str(), one.pictures.size(),
                  CountObjects(one), CountDetections(one), name.c_str(), seconds, seconds / own);
    };
    row("ours", own);
    for (size_t p = 0; p < kPeers.size(); ++p) row(kPeers[p], Median(one.peers[p]));
    ours += own;
    pycocotools += Median(one.peers[0]);
    least_pycocotools = std::min(least_pycocotools, Median(one.peers[0]) / own);
    least_faster = std::min(least_faster, Median(one.peers[1]) / own);
    list[one.kind] = CaseJson(one);
  }
  const nlohmann::ordered_json json{{"bench", "metric"},
                                    {"ours", ours},
                                    {"peer", pycocotools},
                                    {"ratio", pycocotools / ours},
                                    {"unit", "s, box + keypoint"},
                                    {"least_ratio_pycocotools", least_pycocotools},
                                    {"least_ratio_faster_coco_eval", least_faster},
                                    {"cases", list},
                                    {"rounds", rounds}};
  std::printf("%s\n", json.dump().c_str());
}

int Run(size_t rounds, int pictures) {
  TempFolder folder;
  std::vector<Case> cases(2);
  cases[0].kind = "bbox";
  cases[0].pictures = MakeBoxSet(pictures, 1);
  cases[0].evaluate = BoxStats;
  cases[1].kind = "keypoints";
  cases[1].pictures = MakePoseSet(pictures, 2);
  cases[1].evaluate = PoseStats;
  for (Case& one : cases) {
    one.peers.resize(kPeers.size());
    WriteCocoFiles(one.pictures, folder.path() / (one.kind + "_truth.json"),
                   folder.path() / (one.kind + "_found.json"));
    RunOurs(one);  // warm-up
  }
  for (size_t round = 0; round < rounds; ++round) {
    for (Case& one : cases) RunRound(one, folder.path());
  }
  Print(cases, rounds);
  for (const Case& one : cases) {
    if (one.difference > kTolerance) {
      std::fprintf(stderr, "%s: statistics differ by %g\n", one.kind.c_str(), one.difference);
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3;
  const int pictures = argc > 2 ? std::clamp(std::atoi(argv[2]), 10, 100000) : 5000;
  try {
    return hot::Run(static_cast<size_t>(rounds), pictures);
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
