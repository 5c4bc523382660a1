// Pictures a second from files to batches: our Loader v torchvision's v2 transforms with its DataLoader, on the same
// pictures with the same kinds of augmentation (SSD's zoom-out, IoU crop, flip, colours), input size, batch and number
// of workers (threads here, processes there). Nothing decoded is kept from one epoch to the next, unlike in a training.
// Medians of rounds in which all take turns. Sets that are not on this machine are skipped. Last line: JSON.
// Usage: hot_bench_loader [rounds [workers]]; scripts/bench installs the peer. Data: HOT_TEST_DATA, else made shapes
// only.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "data/loader.h"
#include "data/shapes.h"
#include "peer.h"

namespace hot {
namespace {

constexpr int kSide = 320, kBatch = 32, kEpochs = 2;
const std::vector<std::string> kVariants{"tensor", "pil", "late"};

struct Set {
  std::string name;
  Dataset dataset;
  std::map<std::string, std::vector<double>> rates;  // pictures a second, by way of loading
};

std::vector<Set> FindSets(const fs::path& made) {
  const char* given = std::getenv("HOT_TEST_DATA");
  const fs::path root = given != nullptr ? fs::path(given) : fs::path(HOT_SOURCE_DIR "/../shared/data");
  const std::vector<std::pair<std::string, DataSource>> sources{
      {"coco584", {DataFormat::kCoco, root / "coco584", "instances_train2017", {}}},
      {"cards", {DataFormat::kVoc, root / "cards", "images/train", {}}},
      {"shapes", {DataFormat::kVoc, made, "trainval", {}}}};
  std::vector<Set> sets;
  for (const auto& [name, source] : sources) {
    if (!fs::is_directory(source.root)) {
      std::printf("%s: skipped: no such data set (set HOT_TEST_DATA)\n", name.c_str());
      continue;
    }
    Set set{.name = name, .dataset = ReadDataset(source), .rates = {}};
    // torchvision's IoU crop wants a box.
    std::erase_if(set.dataset.samples, [](const Sample& sample) { return sample.objects.empty(); });
    sets.push_back(std::move(set));
  }
  return sets;
}

void WriteJob(const Set& set, int workers, const fs::path& file) {
  nlohmann::json job{{"pictures", nlohmann::json::array()},
                     {"height", kSide},
                     {"width", kSide},
                     {"batch", kBatch},
                     {"workers", workers},
                     {"epochs", kEpochs}};
  for (const Sample& sample : set.dataset.samples) {
    nlohmann::json entry{{"path", sample.image.string()}};
    for (const Object& object : sample.objects) {
      entry["boxes"].push_back({object.box.x0, object.box.y0, object.box.x1, object.box.y1});
      entry["labels"].push_back(object.label);
    }
    job["pictures"].push_back(entry);
  }
  WriteFileAtomic(file, job.dump());
}

double OurRate(const Set& set, int workers, size_t cache_bytes) {
  LoaderOptions options{.batch = kBatch, .threads = workers, .cache_bytes = cache_bytes};
  options.preprocessing = {.width = kSide, .height = kSide};
  Loader loader(set.dataset, options);
  const auto run = [&](int epoch) {
    int pictures = 0;
    loader.BeginEpoch(epoch);
    for (Batch batch; loader.Next(&batch);) pictures += batch.size;
    return pictures;
  };
  run(0);  // warm-up
  const auto start = std::chrono::steady_clock::now();
  int pictures = 0;
  for (int epoch = 1; epoch <= kEpochs; ++epoch) pictures += run(epoch);
  return pictures / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void RunRound(Set& set, int workers, const fs::path& job) {
  WriteJob(set, workers, job);
  set.rates["ours"].push_back(OurRate(set, workers, 0));
  set.rates["ours, pictures kept"].push_back(OurRate(set, workers, size_t{1} << 30));
  for (const std::string& variant : kVariants) {
    const auto json = RunPeer("torch", "loader_peer.py", {job.string(), variant});
    set.rates["torchvision " + variant].push_back(json.at("pictures_per_second"));
  }
}

// The fastest way to load with torchvision.
double BestPeer(const Set& set) {
  double best = 0;
  for (const std::string& variant : kVariants) best = std::max(best, Median(set.rates.at("torchvision " + variant)));
  return best;
}

void Print(const std::vector<Set>& sets, int workers, int rounds) {
  std::printf("%-9s %9s  %-22s %12s %8s\n", "set", "pictures", "by", "pictures/s", "ratio");
  nlohmann::ordered_json list;
  const Set* least = nullptr;  // with the least advantage
  const auto ratio = [](const Set& set) { return Median(set.rates.at("ours")) / BestPeer(set); };
  for (const Set& set : sets) {
    const double ours = Median(set.rates.at("ours"));
    nlohmann::ordered_json json{{"pictures", set.dataset.samples.size()}};
    for (const auto& [name, rates] : set.rates) {
      std::printf("%-9s %9zu  %-22s %12.1f %8.2f\n", set.name.c_str(), set.dataset.samples.size(), name.c_str(),
                  Median(rates), ours / Median(rates));
      json[name] = Median(rates);
    }
    json["ratio"] = ratio(set);
    list[set.name] = json;
    if (least == nullptr || ratio(set) < ratio(*least)) least = &set;
  }
  const nlohmann::ordered_json json{{"bench", "loader"},
                                    {"ours", Median(least->rates.at("ours"))},
                                    {"peer", BestPeer(*least)},
                                    {"ratio", ratio(*least)},
                                    {"unit", "pictures/s, the set with the least ratio, torchvision's fastest way"},
                                    {"sets", list},
                                    {"input", {kSide, kSide}},
                                    {"batch", kBatch},
                                    {"workers", workers},
                                    {"rounds", rounds}};
  std::printf("%s\n", json.dump().c_str());
}

int Run(int rounds, int workers) {
  TempFolder folder;
  const std::atomic<bool> never{false};
  const auto silent = MakeSilentProgress();
  WriteShapes(folder.path() / "shapes", {.train_pictures = 200, .test_pictures = 1, .width = 640, .height = 480},
              {SystemClock(), *silent, never});
  std::vector<Set> sets = FindSets(folder.path() / "shapes");
  for (int round = 0; round < rounds; ++round) {
    for (Set& set : sets) RunRound(set, workers, folder.path() / "job.json");
  }
  Print(sets, workers, rounds);
  return 0;
}

}  // namespace
}  // namespace hot

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::clamp(std::atoi(argv[1]), 1, 100) : 3;
  const int workers = argc > 2 ? std::clamp(std::atoi(argv[2]), 1, 64) : 2;
  try {
    return hot::Run(rounds, workers);
  } catch (const hot::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
