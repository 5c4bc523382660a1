#include "server/job_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"

namespace hot::server {
namespace {

using testing::HasSubstr;

// A run job whose files are what `blob_path` of Blobs() finds.
v1::SubmitRequest RunRequest() {
  v1::SubmitRequest request;
  const auto add = [](v1::File& file, v1::FileRole role) {
    file.set_role(role);
    file.set_sha256(Sha256Hex(v1::FileRole_Name(role)));
  };
  for (const auto role : {v1::FILE_ROLE_MANIFEST, v1::FILE_ROLE_MODEL, v1::FILE_ROLE_GOLDEN})
    add(*request.mutable_run()->mutable_artifact()->add_files(), role);
  add(*request.mutable_run()->mutable_inputs(), v1::FILE_ROLE_INPUTS);
  return request;
}

class JobFolder : public testing::Test {
 protected:
  JobFolder() {
    for (const auto role : {v1::FILE_ROLE_MANIFEST, v1::FILE_ROLE_MODEL, v1::FILE_ROLE_GOLDEN, v1::FILE_ROLE_INPUTS}) {
      const std::string& text = v1::FileRole_Name(role);
      WriteFileAtomic(store_.path() / Sha256Hex(text), text);
    }
  }
  fs::path Job() const { return folder_.path() / "job"; }
  fs::path BlobPath(const std::string& sha256) const { return store_.path() / sha256; }
  std::string OutcomeError() const {
    try {
      ReadJobResult(Job());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  TempFolder store_, folder_;
};

TEST_F(JobFolder, HasTheRequestAndItsFilesUnderOurNames) {
  LayOutJob(Job(), RunRequest(), [&](const std::string& sha256) { return BlobPath(sha256); });
  EXPECT_EQ(ReadJobRequest(Job()).SerializeAsString(), RunRequest().SerializeAsString());
  EXPECT_EQ(ReadFile(Job() / "artifact0" / "manifest.json"), "FILE_ROLE_MANIFEST");
  EXPECT_EQ(ReadFile(Job() / "artifact0" / "model"), "FILE_ROLE_MODEL");
  EXPECT_EQ(ReadFile(Job() / "inputs.safetensors"), "FILE_ROLE_INPUTS");
}

TEST_F(JobFolder, AFileThatIsGoneIsAnError) {
  fs::remove(BlobPath(Sha256Hex("FILE_ROLE_MODEL")));
  EXPECT_THROW(LayOutJob(Job(), RunRequest(), [&](const std::string& sha256) { return BlobPath(sha256); }), Error);
}

TEST_F(JobFolder, GivesBackTheResultOrTheError) {
  EnsureFolder(Job());
  EXPECT_THAT(OutcomeError(), HasSubstr("ended without a result"));
  v1::JobResult result;
  result.mutable_profile()->add_measurements()->set_resident_bytes(7);
  WriteJobResult(Job(), result);
  EXPECT_EQ(ReadJobResult(Job()).profile().measurements(0).resident_bytes(), 7);
  WriteJobError(Job(), Error(Code::kDataLoss, "artifact0/model", "is broken", "compile it again"));
  try {
    ReadJobResult(Job());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_STREQ(error.what(), "artifact0/model: is broken (compile it again)");
  }
}

TEST_F(JobFolder, WhatTheProcessWroteIsNotTrusted) {
  EnsureFolder(Job());
  WriteFileAtomic(Job() / "result.pb", "garbage");
  EXPECT_THAT(OutcomeError(), HasSubstr("result.pb can't be read"));
  WriteFileAtomic(Job() / "result.pb", "");  // a message without anything
  EXPECT_THAT(OutcomeError(), HasSubstr("without a result"));
  fs::remove(Job() / "result.pb");
  fs::create_symlink("/etc/hostname", Job() / "result.pb");
  EXPECT_THAT(OutcomeError(), HasSubstr("without a result"));
  v1::JobStatus status;
  status.set_code(77);
  status.set_error("two\nlines");
  WriteFileAtomic(Job() / "error.pb", status.SerializeAsString());
  EXPECT_EQ(OutcomeError(), "two lines");
}

TEST(CleanLine, IsOneLineOfUtf8) {
  EXPECT_EQ(CleanLine("a\nb\t\x1b[1mc", 100), "a b  [1mc");
  EXPECT_EQ(CleanLine("gr\xc3\xbc\xc3\x9f\xff\xfe!", 100),
            "gr\xc3\xbc\xc3\x9f?"
            "?!");
  EXPECT_EQ(CleanLine("gr\xc3\xbc", 3), "gr");
  EXPECT_EQ(CleanLine(std::string(1000, 'x'), 10), std::string(10, 'x'));
  EXPECT_EQ(CleanLine("", 10), "");
}

}  // namespace
}  // namespace hot::server
