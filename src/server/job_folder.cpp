#include "server/job_folder.h"

#include <algorithm>
#include <optional>

#include "core/utf8.h"
#include "deploy/devices/remote/job_state.h"

namespace hot::server {
namespace {

constexpr const char* kRequest = "request.pb";
constexpr const char* kResult = "result.pb";
constexpr const char* kError = "error.pb";  // a JobStatus: code and error
constexpr uintmax_t kMaxMessageBytes = 64 << 20;
constexpr size_t kMaxErrorBytes = 4096;

void Link(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (error) fs::copy_file(from, to, error);  // file systems of some boards have no links
  if (error) throw Error(Code::kInternal, to.filename().string(), "can't be laid out: " + error.message());
}

// A regular file that is no link: a job may have left anything.
bool IsPlainFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(fs::symlink_status(path, error));
}

// The message in a file; none when there is no such file. Throws kInternal when it is not one.
template <typename Message>
std::optional<Message> ReadMessage(const fs::path& path) {
  if (!IsPlainFile(path)) return std::nullopt;
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  Message message;
  if (error || bytes > kMaxMessageBytes || !message.ParseFromString(ReadFile(path)))
    throw Error(Code::kInternal, "job", "its " + path.filename().string() + " can't be read");
  return message;
}

}  // namespace

void LayOutJob(const fs::path& folder, const v1::SubmitRequest& request,
               const std::function<fs::path(const std::string& sha256)>& blob_path) {
  for (const JobFile& file : FilesOf(request)) {
    const fs::path place = folder / file.path;
    EnsureFolder(place.parent_path());
    Link(blob_path(file.sha256), place);
  }
  WriteFileAtomic(folder / kRequest, request.SerializeAsString());
}

v1::SubmitRequest ReadJobRequest(const fs::path& folder) {
  auto request = ReadMessage<v1::SubmitRequest>(folder / kRequest);
  if (!request) throw Error(Code::kNotFound, (folder / kRequest).string(), "this folder holds no job");
  return *std::move(request);
}

void WriteJobResult(const fs::path& folder, const v1::JobResult& result) {
  WriteFileAtomic(folder / kResult, result.SerializeAsString());
}

void WriteJobError(const fs::path& folder, const Error& error) {
  v1::JobStatus status;
  status.set_code(static_cast<int>(error.code()));
  status.set_error(CleanLine(error.what(), kMaxErrorBytes));
  WriteFileAtomic(folder / kError, status.SerializeAsString());
}

v1::JobResult ReadJobResult(const fs::path& folder) {
  if (const auto error = ReadMessage<v1::JobStatus>(folder / kError))
    throw Error(ErrorCode(error->code()), "", CleanLine(error->error(), kMaxErrorBytes));
  auto result = ReadMessage<v1::JobResult>(folder / kResult);
  if (!result || result->result_case() == v1::JobResult::RESULT_NOT_SET)
    throw Error(Code::kInternal, "job", "its process ended without a result");
  return *std::move(result);
}

bool HasJobError(const fs::path& folder) { return IsPlainFile(folder / kError); }

std::vector<JobFile> ResultFiles(const fs::path& folder, const v1::JobResult& result) {
  std::vector<JobFile> files = FilesOf(result);
  for (JobFile& file : files) {
    const std::string name = file.path.string();
    file.path = folder / file.path;
    if (!IsPlainFile(file.path) || fs::is_symlink(file.path.parent_path()))
      throw Error(Code::kInternal, "job", "its " + name + " is not there");
  }
  return files;
}

std::string CleanLine(std::string_view text, size_t most) {
  std::string line;
  while (!text.empty() && line.size() < most) {
    const size_t whole = Utf8Prefix(text);
    line += text.substr(0, std::min(whole, most - line.size()));
    if (whole < text.size() && line.size() < most) line += '?';
    text.remove_prefix(std::min(text.size(), whole + 1));
  }
  line.resize(Utf8Prefix(line));  // it may have been cut within a character
  std::ranges::replace_if(
      line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

}  // namespace hot::server
