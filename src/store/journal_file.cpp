#include "store/journal_file.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/read_json.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *kFormat = "hot-journal", *kMeasurement = "measurement", *kRecord = "record", *kEnd = "end";
constexpr size_t kLongestLine = size_t{64} << 20;  // a million samples
constexpr int64_t kRowsAProgress = 1000;
constexpr int64_t kLastSecond = 253'402'300'799;  // of the year 9999

// Text that is not UTF-8, of a journal that was written by others, is kept as far as it is.
std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json ToJson(const MeasurementRow& m) {
  return {{"graph_key", m.key.graph_key}, {"device", m.key.device},
          {"toolchain", m.key.toolchain}, {"toolchain_version", m.key.toolchain_version},
          {"flags", m.key.flags},         {"precision", m.key.precision},
          {"scheme", m.key.scheme},       {"threads", m.key.threads},
          {"batch", m.key.batch},         {"estimate", m.estimate},
          {"samples_ns", m.samples_ns},   {"canary_ns", m.canary_ns},
          {"median_ns", m.median_ns},     {"low_ns", m.low_ns},
          {"high_ns", m.high_ns},         {"raw_median_ns", m.raw_median_ns},
          {"p90_ns", m.p90_ns},           {"canary_median_ns", m.canary_median_ns},
          {"steady", m.steady},           {"note", m.note},
          {"created_unix_s", m.created}};
}

Json ToJson(const RecordRow& r) {
  return {{"kind", r.kind}, {"key", r.key}, {"study", r.study}, {"body", r.body}, {"created_unix_s", r.created}};
}

[[noreturn]] void Refuse(const std::string& what) { throw Error(Code::kDataLoss, "", what); }

// Discarded where it is none. `fail` throws.
template <typename Fail>
Json Parse(std::string_view text, Fail fail) {
  return ParseShallow<Json>(
      text, kMaxRecordDepth, [&] { fail("nested too deep"); }, /*allow_exceptions=*/false);
}

// A row's fields as they must be; an Error names the field and no place.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) {
    if (!json.is_object()) Refuse("expected an object");
  }

  std::string Text(const char* key) const {
    const Json& value = At(key);
    if (!value.is_string()) Refuse(std::string(key) + ": expected text");
    return value.get<std::string>();
  }

  std::string Name(const char* key) const {
    std::string text = Text(key);
    if (text.empty()) Refuse(std::string(key) + ": is empty");
    return text;
  }

  bool Bool(const char* key) const {
    if (!At(key).is_boolean()) Refuse(std::string(key) + ": expected true or false");
    return At(key).get<bool>();
  }

  template <typename T>
  T Whole(const char* key, T least, T most = std::numeric_limits<T>::max()) const {
    const T value = WholeNumber<T>(At(key));
    if (value < least || value > most) Refuse(std::string(key) + ": " + std::to_string(value) + " is out of range");
    return value;
  }

  double Nanoseconds(const char* key) const {
    const Json& value = At(key);
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0) {
      Refuse(std::string(key) + ": expected a number of nanoseconds");
    }
    return value.get<double>();
  }

  std::vector<int64_t> Samples(const char* key) const {
    if (!At(key).is_array()) Refuse(std::string(key) + ": expected a list");
    std::vector<int64_t> samples;
    for (const Json& value : At(key)) samples.push_back(WholeNumber<int64_t>(value));
    if (std::ranges::any_of(samples, [](int64_t ns) { return ns <= 0; })) {
      Refuse(std::string(key) + ": a time is not above 0");
    }
    return samples;
  }

 private:
  const Json& At(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) Refuse(std::string("has no ") + key);
    return *found;
  }

  const Json& json_;
};

void CheckMeasured(const MeasurementRow& m) {
  if (m.samples_ns.size() != m.canary_ns.size()) Refuse("canary_ns: expected as many as samples_ns");
  if (m.samples_ns.empty() != m.estimate) {
    Refuse(m.estimate ? "samples_ns: an estimate has none" : "samples_ns: nothing was measured");
  }
  if (m.median_ns <= 0 || m.low_ns > m.median_ns || m.median_ns > m.high_ns) {
    Refuse("median_ns: expected a time above 0 within low_ns and high_ns");
  }
}

MeasurementRow MeasurementFrom(const Json& json) {
  const Fields fields(json);
  MeasurementRow m;
  m.key = {.graph_key = fields.Name("graph_key"),
           .device = fields.Name("device"),
           .toolchain = fields.Name("toolchain"),
           .toolchain_version = fields.Text("toolchain_version"),
           .flags = fields.Text("flags"),
           .precision = fields.Name("precision"),
           .scheme = fields.Text("scheme"),
           .threads = fields.Whole<int>("threads", 1),
           .batch = fields.Whole<int>("batch", 1)};
  m.estimate = fields.Bool("estimate");
  m.samples_ns = fields.Samples("samples_ns");
  m.canary_ns = fields.Samples("canary_ns");
  m.median_ns = fields.Nanoseconds("median_ns");
  m.low_ns = fields.Nanoseconds("low_ns");
  m.high_ns = fields.Nanoseconds("high_ns");
  m.raw_median_ns = fields.Nanoseconds("raw_median_ns");
  m.p90_ns = fields.Nanoseconds("p90_ns");
  m.canary_median_ns = fields.Nanoseconds("canary_median_ns");
  m.steady = fields.Bool("steady");
  m.note = fields.Text("note");
  m.created = fields.Whole<int64_t>("created_unix_s", 0, kLastSecond);
  CheckMeasured(m);
  return m;
}

RecordRow RecordFrom(const Json& json) {
  const Fields fields(json);
  RecordRow r{.kind = fields.Name("kind"),
              .key = fields.Name("key"),
              .study = fields.Text("study"),
              .body = fields.Text("body"),
              .created = fields.Whole<int64_t>("created_unix_s", 0, kLastSecond)};
  if (!Parse(r.body, Refuse).is_object()) Refuse("body: expected a JSON object");
  return r;
}

std::string Header() { return Dump({{"format", kFormat}, {"version", kJournalFileVersion}}); }

// The file, its digest so far, and what is in it.
class Writer {
 public:
  Writer(const fs::path& file, const std::function<void(int64_t)>& progress) : file_(file), progress_(progress) {
    Line(Header());
  }

  void Add(const JournalRow& row) {
    Line(JournalLine(row));
    ++(std::holds_alternative<MeasurementRow>(row) ? counts_.measurements : counts_.records);
    if ((counts_.measurements + counts_.records) % kRowsAProgress == 0) {
      progress_(counts_.measurements + counts_.records);
    }
  }

  ExportCounts Finish() {
    const std::string digest = digest_.Hex();
    file_.Write(
        Dump({{kEnd, {{"measurements", counts_.measurements}, {"records", counts_.records}, {"sha256", digest}}}}) +
        "\n");
    file_.Commit();
    return counts_;
  }

 private:
  void Line(std::string line) {
    line += '\n';
    digest_.Update(line);
    file_.Write(line);
  }

  AtomicFile file_;
  Sha256 digest_;
  ExportCounts counts_;
  const std::function<void(int64_t)>& progress_;
};

}  // namespace

std::string JournalLine(const JournalRow& row) {
  if (const auto* measurement = std::get_if<MeasurementRow>(&row)) return Dump({{kMeasurement, ToJson(*measurement)}});
  return Dump({{kRecord, ToJson(std::get<RecordRow>(row))}});
}

ExportCounts ExportJournal(const Store& store, const fs::path& file, const ExportFilter& filter,
                           const std::function<void(int64_t)>& progress) {
  Writer writer(file, progress);
  store.VisitRecords({}, [&](const RecordRow& row) {
    if (filter.record(row)) writer.Add(row);
  });
  store.VisitMeasurements(filter.device, [&](const MeasurementRow& row) { writer.Add(row); });
  return writer.Finish();
}

ImportCounts ImportJournal(Store& store, const fs::path& file, const std::function<void(int64_t)>& progress) {
  std::error_code error;
  if (fs::is_directory(file, error)) throw Error(Code::kFailedPrecondition, file.string(), "is a folder, not a file");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(Code::kNotFound, file.string(), "can't be opened");
  JournalReader reader(in, file.string());
  return store.Import([&]() -> std::optional<JournalRow> {
    std::optional<JournalRow> row = reader.Next();
    if (row && reader.rows() % kRowsAProgress == 0) progress(reader.rows());
    return row;
  });
}

JournalReader::JournalReader(std::istream& in, std::string where) : in_(in), where_(std::move(where)) {
  const bool any = ReadLine();
  const Json header = Parse(line_, [&](const char* what) { Fail(std::string("is damaged: ") + what); });
  if (!any || !header.is_object() || header.value("format", Json()) != kFormat) {
    const bool sqlite = line_.starts_with("SQLite format 3");
    throw Error(Code::kDataLoss, where_, sqlite ? "is a journal, not the file of an export" : "is no exported journal",
                "hot journal export JOURNAL --out FILE writes one");
  }
  const Json version = header.value("version", Json());
  if (!version.is_number_integer() || version < 1) Fail("has no version");
  if (version > kJournalFileVersion) {
    throw Error(Code::kFailedPrecondition, where_,
                "made by a newer hot (version " + version.dump() + ", this one knows " +
                    std::to_string(kJournalFileVersion) + ")",
                "update hot");
  }
  digest_.Update(line_);
}

std::optional<JournalRow> JournalReader::Next() {
  if (!ReadLine()) Fail("is cut short: its last line is missing");
  const Json json = Parse(line_, [&](const char* what) { Fail(std::string("is damaged: ") + what); });
  if (!json.is_object() || json.size() != 1 || !line_.ends_with('\n')) Fail("is damaged: no row");
  if (json.begin().key() == kEnd) {
    CheckEnd();
    return std::nullopt;
  }
  digest_.Update(line_);
  try {
    if (json.begin().key() == kMeasurement) {
      ++measurements_;
      return MeasurementFrom(json.begin().value());
    }
    if (json.begin().key() == kRecord) {
      ++records_;
      return RecordFrom(json.begin().value());
    }
  } catch (const Error& error) {
    Fail("is damaged: " + error.message());
  }
  Fail("is damaged: no row");
}

bool JournalReader::ReadLine() {
  ++number_;
  line_.clear();
  std::streambuf& bytes = *in_.rdbuf();  // far quicker than the stream's own calls
  for (int c = bytes.sbumpc(); c != std::istream::traits_type::eof(); c = bytes.sbumpc()) {
    line_ += static_cast<char>(c);
    if (c == '\n') return true;
    if (line_.size() > kLongestLine) Fail("is damaged: a line is longer than any row");
  }
  return !line_.empty();
}

void JournalReader::CheckEnd() {
  const Json json = Json::parse(line_);
  try {
    const Fields end(json.at(kEnd));
    if (end.Whole<int64_t>("measurements", 0) != measurements_ || end.Whole<int64_t>("records", 0) != records_) {
      Refuse("rows are missing, or too many");
    }
    if (end.Text("sha256") != digest_.Hex()) Refuse("its SHA-256 is another");
  } catch (const Error& error) {
    Fail("is damaged: " + error.message());
  }
  if (ReadLine()) Fail("is damaged: there is something behind its end");
}

void JournalReader::Fail(const std::string& what) const {
  throw Error(Code::kDataLoss, where_ + ":" + std::to_string(number_), what, "have it exported and sent again");
}

}  // namespace hot
