#include "data/loader.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <span>
#include <thread>

#include "core/error.h"
#include "core/hash.h"
#include "data/crops.h"
#include "data/image_ops.h"
#include "data/warp.h"

namespace hot {
namespace {

Image Shrunk(Image image, int max_side) {
  const int side = std::max(image.width, image.height);
  if (max_side <= 0 || side <= max_side) return image;
  const double scale = static_cast<double>(max_side) / side;
  const auto shrink = [&](int pixels) { return std::max(1, static_cast<int>(std::lround(pixels * scale))); };
  return ResizeImage(image, shrink(image.width), shrink(image.height));
}

// A decoded picture, or what is wanted of it, and the part of the annotation's frame that it shows.
struct Decoded {
  Image image;
  Box area;
};

// What augmentation can look at, cut out and shrunk until the crop's longer side has `max_side` pixels. Without
// augmentation: the finished view, so that it is resampled as in evaluation, once.
Decoded DecodeCrop(const Sample& sample, const LoaderOptions& options) {
  const Image picture = DecodeSample(sample);
  const Preprocessing& input = options.preprocessing;
  const Box& crop = sample.crop->box;
  if (!options.augment.enabled) {
    return {RenderView(picture, sample, input.width, input.height, options.augment.fill), crop};
  }
  const Affine to_pixels =
      Affine::Between(BoxOfSize(sample.width, sample.height), BoxOfSize(picture.width, picture.height));
  const cv::Rect part =
      PixelsAround(MapBox(CropReach(crop, options.augment), to_pixels), picture.width, picture.height);
  Image image = MakeImage(part.width, part.height);
  MatOf(picture)(part).copyTo(MatOf(image));
  const Box crop_pixels = MapBox(crop, to_pixels);
  const double shrink = options.cache_side / std::max(crop_pixels.width(), crop_pixels.height());
  const double side = std::max(part.width, part.height);
  if (options.cache_side > 0 && shrink < 1)
    image = Shrunk(std::move(image), static_cast<int>(std::ceil(side * shrink)));
  return {std::move(image), MapBox(BoxOf(part), to_pixels.Inverse())};
}

Decoded Decode(const Sample& sample, const LoaderOptions& options) {
  if (sample.crop) return DecodeCrop(sample, options);
  return {Shrunk(DecodeSample(sample), options.cache_side), ViewOf(sample)};
}

// Decoded pictures by index. Nothing is evicted: an epoch reads every picture once, so any eviction order would miss as
// often. What a picture looks like does not depend on whether it was kept.
class PictureCache {
 public:
  PictureCache(size_t pictures, const LoaderOptions& options) : options_(options), kept_(pictures) {}

  // `use` is called with the picture.
  template <typename Use>
  void With(size_t index, const Sample& sample, Use use) {
    if (const Decoded* kept = Find(index)) return use(*kept);
    Decoded decoded = Decode(sample, options_);
    use(decoded);
    Keep(index, std::move(decoded));
  }

 private:
  const Decoded* Find(size_t index) {
    const std::lock_guard lock(mutex_);
    return kept_[index].get();  // stays valid without the lock: never evicted
  }

  void Keep(size_t index, Decoded decoded) {
    const std::lock_guard lock(mutex_);
    if (kept_[index] != nullptr || bytes_ + decoded.image.rgb.size() > options_.cache_bytes) return;
    bytes_ += decoded.image.rgb.size();
    kept_[index] = std::make_unique<const Decoded>(std::move(decoded));
  }

  const LoaderOptions& options_;
  std::mutex mutex_;
  size_t bytes_ = 0;
  std::vector<std::unique_ptr<const Decoded>> kept_;
};

TrainingExample MakeExample(const Decoded& decoded, const Sample& sample, const LoaderOptions& options, Rng& rng) {
  const auto& [image, area] = decoded;
  const int width = options.preprocessing.width, height = options.preprocessing.height;
  if (sample.crop) return AugmentCrop(image, area, sample, width, height, options.augment, rng);
  std::vector<Object> objects = sample.objects;
  ScaleObjects(static_cast<double>(image.width) / sample.width, static_cast<double>(image.height) / sample.height,
               &objects);
  return Augment(image, objects, width, height, options.augment, rng);
}

LoaderOptions Checked(LoaderOptions options) {
  HOT_ASSERT(options.batch > 0 && options.threads >= 0);
  HOT_ASSERT(options.preprocessing.width > 0 && options.preprocessing.height > 0);
  const auto fill = FillColour(options.preprocessing);
  std::copy(fill.begin(), fill.end(), options.augment.fill);
  return options;
}

}  // namespace

Image DecodeSample(const Sample& sample) {
  Image image = DecodeImage(sample.image);
  const bool is_turned = image.width != image.height && image.width == sample.height && image.height == sample.width;
  return is_turned ? DecodeImage(sample.image, false) : image;
}

std::array<uint8_t, 3> FillColour(const Preprocessing& preprocessing) {
  std::array<uint8_t, 3> fill;
  for (size_t c = 0; c < 3; ++c) {
    fill[c] = static_cast<uint8_t>(std::clamp(std::lround(255 * preprocessing.mean[c]), 0L, 255L));
  }
  return fill;
}

void SampleToInput(const Sample& sample, const Preprocessing& preprocessing, float* out) {
  const auto fill = FillColour(preprocessing);
  const Image view = RenderView(DecodeSample(sample), sample, preprocessing.width, preprocessing.height, fill.data());
  ToInput(view, preprocessing, out);
}

struct Loader::Impl {
  Impl(const Dataset& data, const LoaderOptions& given)
      : dataset(data), options(Checked(given)), cache(data.samples.size(), options) {
    DisableOpenCvThreads();
    for (int i = 0; i < options.threads; ++i) workers.emplace_back([this](std::stop_token stop) { Work(stop); });
  }

  ~Impl() {
    for (std::jthread& worker : workers) worker.request_stop();
    changed.notify_all();
  }

  struct Job {
    int batch = 0;
    uint64_t generation = 0;
    int epoch = 0;
    std::vector<int> indices;
    Batch buffer;  // reused memory
  };

  struct Result {
    Batch batch;
    std::exception_ptr error;
  };

  int BatchCount() const {
    const auto pictures = static_cast<int>(dataset.samples.size());
    return options.drop_last ? pictures / options.batch : (pictures + options.batch - 1) / options.batch;
  }

  void Begin(int new_epoch) {
    const std::lock_guard lock(mutex);
    ++generation;
    epoch = new_epoch;
    next_job = next_result = 0;
    results.clear();
    order.resize(dataset.samples.size());
    std::iota(order.begin(), order.end(), 0);
    if (options.shuffle) {
      Rng rng(MixSeed(MixSeed(options.seed, static_cast<uint64_t>(epoch)), "order"));
      rng.Shuffle(std::span<int>(order));
    }
    changed.notify_all();
  }

  // The caller holds the mutex.
  Job TakeJob() {
    Job job{next_job++, generation, epoch, {}, {}};
    const size_t first = static_cast<size_t>(job.batch) * static_cast<size_t>(options.batch);
    const size_t last = std::min(order.size(), first + static_cast<size_t>(options.batch));
    job.indices.assign(order.begin() + static_cast<ptrdiff_t>(first), order.begin() + static_cast<ptrdiff_t>(last));
    if (!spare.empty()) {
      job.buffer = std::move(spare.back());
      spare.pop_back();
    }
    return job;
  }

  Batch Build(Job job) {
    Batch batch = std::move(job.buffer);
    batch.size = static_cast<int>(job.indices.size());
    const Preprocessing& input = options.preprocessing;
    const size_t floats = size_t{3} * static_cast<size_t>(input.width) * static_cast<size_t>(input.height);
    batch.images.resize(job.indices.size() * floats);
    batch.objects.assign(job.indices.size(), {});
    for (size_t i = 0; i < job.indices.size(); ++i) {
      const auto index = static_cast<size_t>(job.indices[i]);
      const Sample& sample = dataset.samples[index];
      Rng rng(MixSeed(MixSeed(options.seed, static_cast<uint64_t>(job.epoch)), static_cast<uint64_t>(sample.id)));
      cache.With(index, sample, [&](const Decoded& decoded) {
        TrainingExample example = MakeExample(decoded, sample, options, rng);
        ToInput(example.image, input, batch.images.data() + i * floats);
        batch.objects[i] = std::move(example.objects);
      });
    }
    batch.indices = std::move(job.indices);
    return batch;
  }

  void Work(std::stop_token stop) {
    std::unique_lock lock(mutex);
    const auto has_job = [this] {
      return generation > 0 && next_job < std::min(BatchCount(), next_result + options.threads + 1);
    };
    while (changed.wait(lock, stop, has_job) && !stop.stop_requested()) {
      Job job = TakeJob();
      const int index = job.batch;
      const uint64_t job_generation = job.generation;
      lock.unlock();
      Result result;
      try {
        result.batch = Build(std::move(job));
      } catch (...) {
        result.error = std::current_exception();
      }
      lock.lock();
      if (job_generation != generation) continue;  // a new epoch began meanwhile
      results[index] = std::move(result);
      changed.notify_all();
    }
  }

  bool Next(Batch* batch) {
    std::unique_lock lock(mutex);
    if (generation == 0 || next_result >= BatchCount()) return false;
    if (options.threads == 0) {
      ++next_result;
      Job job = TakeJob();
      job.buffer = std::move(*batch);
      *batch = Build(std::move(job));
      return true;
    }
    changed.wait(lock, [this] { return results.contains(next_result); });
    Result result = std::move(results.extract(next_result).mapped());
    ++next_result;
    changed.notify_all();
    if (result.error) std::rethrow_exception(result.error);
    std::swap(*batch, result.batch);
    if (!result.batch.images.empty()) spare.push_back(std::move(result.batch));
    return true;
  }

  const Dataset& dataset;
  const LoaderOptions options;
  PictureCache cache;
  std::mutex mutex;  // guards all below
  std::condition_variable_any changed;
  uint64_t generation = 0;  // of BeginEpoch calls; 0: none yet
  int epoch = 0;
  int next_job = 0, next_result = 0;
  std::vector<int> order;
  std::map<int, Result> results;  // finished, not yet taken
  std::vector<Batch> spare;
  std::vector<std::jthread> workers;  // last: joined before the rest is destroyed
};

Loader::Loader(const Dataset& dataset, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(dataset, options)) {}

Loader::~Loader() = default;

void Loader::BeginEpoch(int epoch) { impl_->Begin(epoch); }

bool Loader::Next(Batch* batch) { return impl_->Next(batch); }

int Loader::batches_per_epoch() const { return impl_->BatchCount(); }

}  // namespace hot
