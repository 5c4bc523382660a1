#include "graph/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "graph/element_type.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;

std::string File(const Json& header, const std::string& data) {
  const std::string text = header.is_string() ? header.get<std::string>() : header.dump();
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + text + data;
}

template <typename T>
std::string Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST(Safetensors, RoundTrip) {
  TempFolder folder;
  const fs::path file = folder.path() / "w.safetensors";
  Weights weights;
  weights["a"] = Tensor({2, 3}, 1.5f);
  weights["a"].data[4] = -2;
  weights["scalar"] = Tensor(std::vector<int64_t>{}, 7);
  weights["none"] = Tensor({0, 3});
  WriteSafetensors(file, weights, {{"key", "value"}});
  SafetensorsMetadata metadata;
  const Weights read = ReadSafetensors(file, &metadata);
  EXPECT_EQ(metadata, (SafetensorsMetadata{{"key", "value"}}));
  ASSERT_EQ(read.size(), weights.size());
  for (const auto& [name, tensor] : weights) {
    EXPECT_EQ(read.at(name).data, tensor.data) << name;
    EXPECT_EQ(read.at(name).shape, tensor.shape) << name;
  }
}

TEST(Safetensors, EveryNumberTypeBecomesFloat) {
  struct Case {
    const char* dtype;
    std::string bytes;
    std::vector<float> values;
  };
  const Case cases[] = {
      {"F64", Bytes<double>({1.5, -2}), {1.5, -2}},
      {"F32", Bytes<float>({1.5, -2}), {1.5, -2}},
      {"F16", Bytes<uint16_t>({0x3e00, 0xc000, 0x0001, 0x7bff}), {1.5, -2, 0x1p-24f, 65504}},
      {"BF16", Bytes<uint16_t>({0x3fc0, 0xc000}), {1.5, -2}},
      {"I64", Bytes<int64_t>({3, -4}), {3, -4}},
      {"I32", Bytes<int32_t>({3, -4}), {3, -4}},
      {"I16", Bytes<int16_t>({3, -4}), {3, -4}},
      {"I8", Bytes<int8_t>({3, -4}), {3, -4}},
      {"U8", Bytes<uint8_t>({3, 250}), {3, 250}},
      {"BOOL", Bytes<uint8_t>({1, 0}), {1, 0}},
  };
  for (const Case& c : cases) {
    const Json header{{"x", {{"dtype", c.dtype}, {"shape", {c.values.size()}}, {"data_offsets", {0, c.bytes.size()}}}}};
    EXPECT_EQ(ParseSafetensors(File(header, c.bytes), "f").at("x").data, c.values) << c.dtype;
  }
  std::vector<float> infinite(2);
  ToFloats(ElementType::kF16, Bytes<uint16_t>({0xfc00, 0x7e00}).data(), infinite);
  EXPECT_EQ(infinite[0], -INFINITY);
  EXPECT_TRUE(std::isnan(infinite[1]));
}

TEST(Safetensors, BrokenFilesAreNamed) {
  const auto entry = [](const char* dtype, const Json& shape, const Json& offsets) {
    return Json{{"x", {{"dtype", dtype}, {"shape", shape}, {"data_offsets", offsets}}}};
  };
  const std::string data(16, '\0');
  const std::string good = File(entry("F32", {4}, {0, 16}), data);
  EXPECT_EQ(ParseSafetensors(good, "f").at("x").size(), 4);
  std::vector<std::string> bad{good.substr(0, 4), good.substr(0, 20), good.substr(0, good.size() - 1), ""};
  for (const Json& header :
       {entry("F32", {5}, {0, 16}), entry("F32", {4}, {8, 24}), entry("F32", {4}, {16, 0}), entry("F32", {-4}, {0, 16}),
        entry("F32", {int64_t{1} << 62, 4}, {0, 16}), entry("F8", {4}, {0, 16}), entry("F32", "four", {0, 16}),
        entry("F32", {4}, Json::array({0})), Json{{"x", 1}}, Json(7), Json("{\"x\":")}) {
    bad.push_back(File(header, data));
  }
  for (const std::string& bytes : bad) {
    try {
      ParseSafetensors(bytes, "w.safetensors");
      ADD_FAILURE() << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), "w.safetensors");
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace hot
