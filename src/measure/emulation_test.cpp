#include "measure/emulation.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "measure/measure.h"

namespace hot {
namespace {

using testing::HasSubstr;

// The program of this test with another processor's number in its header.
std::string ForMachine(Elf64_Half machine) {
  std::string program = ReadFile("/proc/self/exe").substr(0, 4096);
  std::memcpy(program.data() + offsetof(Elf64_Ehdr, e_machine), &machine, sizeof machine);
  return program;
}

TEST(Emulator, IsWhatTheKernelExecutesForAnotherProcessor) {
  const TempFolder folder;
  const fs::path link = folder.path() / "exe";
  const auto found = [&](const std::string& bytes) {
    WriteFileAtomic(folder.path() / "qemu-other", bytes);
    return Emulator(link).filename();
  };
  fs::create_symlink(folder.path() / "qemu-other", link);
  EXPECT_EQ(Emulator(link), "") << "nothing there";
  EXPECT_EQ(found(ReadFile("/proc/self/exe").substr(0, 4096)), "");
  EXPECT_EQ(found(ForMachine(EM_RISCV)), "qemu-other");
  EXPECT_EQ(found("#!/bin/sh\n" + std::string(100, '#')), "");
  EXPECT_EQ(found(ForMachine(EM_RISCV).substr(0, 30)), "") << "truncated";
}

TEST(Emulator, IsInTheDescriptionWhereThereIsOne) {
  const auto json = nlohmann::json::parse(DescribeEnvironment().json);
  EXPECT_EQ(json.value("emulated", ""), Emulator().filename());
  EXPECT_EQ(json.contains("emulated"), !Emulator().empty()) << "else every fingerprint in journals would change";
}

TEST(RefuseEmulated, GivesOneLineWithDeviceAndEmulator) {
  RefuseEmulated(R"({"machine": "aarch64"})", "host");
  RefuseEmulated("no JSON", "host");
  RefuseEmulated("", "host");
  try {
    RefuseEmulated(R"({"machine": "aarch64", "emulated": "qemu-aarch64"})", "grpc://board:7070");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_THAT(error.what(), HasSubstr("grpc://board:7070: can't measure under \"qemu-aarch64\""));
    EXPECT_THAT(error.what(), HasSubstr("on the board itself"));
  }
}

}  // namespace
}  // namespace hot
