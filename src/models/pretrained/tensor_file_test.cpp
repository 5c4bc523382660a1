// The state files in testdata/ were written by PyTorch (testdata/make.py).
#include "models/pretrained/tensor_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/rng.h"
#include "graph/safetensors.h"
#include "models/pretrained/pickle.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

fs::path TestFile(const std::string& name) {
  return fs::path(HOT_SOURCE_DIR) / "src/models/pretrained/testdata" / name;
}

std::vector<float> Range(int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i) / 8 - 1);
  return values;
}

// The error's line, or "no error"; never two lines.
std::string Failure(const fs::path& file) {
  try {
    ReadTensorFile(file);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "no error";
}

class StateFile : public testing::TestWithParam<const char*> {};

TEST_P(StateFile, HasTheTensorsThatPyTorchWrote) {
  const auto tensors = ReadTensorFile(TestFile(GetParam())).tensors;
  ASSERT_EQ(tensors.size(), 9u);
  EXPECT_EQ(tensors.at("a.weight").shape, (std::vector<int64_t>{2, 3, 1, 2}));
  EXPECT_EQ(tensors.at("a.weight").data, Range(12));
  EXPECT_EQ(tensors.at("a.channels_last").shape, (std::vector<int64_t>{2, 3, 2, 2}));
  EXPECT_EQ(tensors.at("a.channels_last").data, Range(24));
  EXPECT_EQ(tensors.at("view").shape, (std::vector<int64_t>{2, 2}));
  EXPECT_THAT(tensors.at("view").data, ElementsAre(7 / 8.f - 1, 8 / 8.f - 1, 12 / 8.f - 1, 13 / 8.f - 1));
  for (const char* name : {"half", "brain", "double"}) EXPECT_EQ(tensors.at(name).data, Range(3)) << name;
  EXPECT_TRUE(tensors.at("count").shape.empty());
  EXPECT_THAT(tensors.at("count").data, ElementsAre(-7));
  EXPECT_THAT(tensors.at("flag").data, ElementsAre(1, 0));
  EXPECT_EQ(tensors.at("empty").shape, (std::vector<int64_t>{0, 3}));
}

INSTANTIATE_TEST_SUITE_P(Formats, StateFile, testing::Values("state.pt", "state_old.pt"),
                         [](const auto& info) { return fs::path(info.param).stem().string(); });

TEST(TensorFile, ACheckpointGivesTheDictWithMostTensors) {
  const auto tensors = ReadTensorFile(TestFile("checkpoint.pt")).tensors;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("0.bias", "0.weight", "1.bias", "1.num_batches_tracked", "1.running_mean",
                                 "1.running_var", "1.weight"));
  EXPECT_EQ(tensors.at("0.weight").data, Range(2));
}

TEST(TensorFile, WhatIsNoStateDictIsRefused) {
  EXPECT_THAT(Failure(TestFile("module.pt")), HasSubstr("not a state dict (write the file with torch.save("));
  TempFolder folder;
  const auto failure = [&](const std::string& bytes) {
    WriteFileAtomic(folder.path() / "w", bytes);
    return Failure(folder.path() / "w");
  };
  EXPECT_THAT(failure("\x89HDF\r\n\x1a\n and so on"), HasSubstr("is HDF5 (Keras), which is not read"));
  EXPECT_THAT(failure("just text"), HasSubstr("is no file of weights (known: safetensors"));
  EXPECT_THAT(failure(""), HasSubstr("is no file of weights"));
  EXPECT_THAT(failure(std::string("\x80\x02K\x01.", 5)), HasSubstr("is a pickle but none of PyTorch's"));
  EXPECT_THAT(failure("PK"), HasSubstr("cut off or no zip file"));
  EXPECT_THAT(Failure(folder.path() / "none.pt"), HasSubstr("none.pt"));
  EXPECT_THAT(Failure(folder.path()), HasSubstr("manifest.json"));
}

// Whatever happens to a file: tensors, or one line.
TEST(TensorFile, DamageNeverCrashes) {
  for (const char* name : {"state.pt", "state_old.pt", "checkpoint.pt"}) {
    const std::string good = ReadFile(TestFile(name));
    for (size_t cut = 0; cut < good.size(); cut += 7) {
      EXPECT_THROW(ReadTorchFile(std::string_view(good).substr(0, cut), name), Error) << name << " " << cut;
    }
    Rng rng(1);
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string bytes = good;
      for (int k = 0; k < 3; ++k) {
        bytes[static_cast<size_t>(rng.Below(std::ssize(bytes)))] = static_cast<char>(rng.Below(256));
      }
      try {
        ReadTorchFile(bytes, name);
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 300) << name;
  }
}

TEST(Pickle, ReadsNumbersOfEverySize) {
  const auto integer = [](const std::string& bytes) {
    const Pickle pickle = ReadPickle(bytes + ".", "p");
    return pickle.values[pickle.root].integer;
  };
  using namespace std::string_literals;
  EXPECT_EQ(integer("K\xff"), 255);
  EXPECT_EQ(integer("M\x01\x02"), 513);
  EXPECT_EQ(integer("J\xfe\xff\xff\xff"), -2);
  EXPECT_EQ(integer("\x8a\x00"s), 0);
  EXPECT_EQ(integer("\x8a\x02\x00\xff"s), -256);
  EXPECT_EQ(integer("\x8a\x08\x01\x00\x00\x00\x00\x00\x00\x80"s), INT64_MIN + 1);
  const Pickle number = ReadPickle("G\x3f\xf8\x00\x00\x00\x00\x00\x00."s, "p");
  EXPECT_EQ(number.values[number.root].number, 1.5);
  for (const std::string& bad : {""s, "."s, "K"s, "0."s, "h\x01."s, "t."s, "R."s, "\xff."s, "X\xff\xff\xff\xffy."s}) {
    EXPECT_THROW(ReadPickle(bad, "p"), Error) << bad;
  }
}

class PlainFile : public testing::Test {
 protected:
  void Write(const std::string& manifest, const std::string& blob = std::string(24, '\0')) {
    WriteFileAtomic(folder_.path() / "weights.bin", blob);
    WriteFileAtomic(folder_.path() / "manifest.json", manifest);
  }
  TempFolder folder_;
};

TEST_F(PlainFile, GivesItsTensorsAndEps) {
  const float values[] = {0, 0, 1, 2, 3, 4};
  const std::string blob(reinterpret_cast<const char*>(values), sizeof values);
  Write(R"({"tensors": [{"name": "a.weight", "shape": [2, 2], "offset": 8, "bytes": 16}], "bn_eps": 0.001,
            "sha256": ")" +
            Sha256Hex(blob) + "\"}",
        blob);
  for (const fs::path& path : {folder_.path(), folder_.path() / "manifest.json"}) {
    const TensorFile file = ReadTensorFile(path);
    EXPECT_EQ(file.tensors.at("a.weight").shape, (std::vector<int64_t>{2, 2}));
    EXPECT_THAT(file.tensors.at("a.weight").data, ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(file.metadata.at("bn_eps"), "0.001");
  }
  const std::string key = TensorFileKey(folder_.path());
  WriteFileAtomic(folder_.path() / "weights.bin", std::string(24, '\0'));
  EXPECT_NE(TensorFileKey(folder_.path()), key);
  EXPECT_THAT(Failure(folder_.path()), HasSubstr("its SHA-256 is not the manifest's"));
}

TEST_F(PlainFile, BrokenManifestsAreNamed) {
  const std::string begin = R"({"tensors": [{"name": "a", "shape": )";
  for (const std::string& text :
       {std::string("{"), std::string("{}"), begin + R"([2], "offset": 20, "bytes": 8}]})",
        begin + R"([2], "offset": 0, "bytes": 4}]})", begin + R"([-2], "offset": 0, "bytes": 8}]})",
        begin + R"([4611686018427387904, 4], "offset": 0, "bytes": 8}]})",
        begin + R"("2", "offset": 0, "bytes": 8}]})"}) {
    Write(text);
    EXPECT_THAT(Failure(folder_.path()), HasSubstr("manifest.json: ")) << text;
  }
}

}  // namespace
}  // namespace hot
