// What is written for people is read back as what was meant.
#include "config/study_file.h"

#include <gtest/gtest.h>

#include "core/files.h"

namespace hot {
namespace {

TEST(StudyFile, WritesWhatReadStudyReads) {
  const TempFolder folder;
  Study study;
  study.name = "my-cards";
  study.data.root = folder.path().string();
  study.data.train = "VOC2007/trainval+VOC2012/trainval";
  study.data.test = "";
  study.data.classes = {"yes", "12", "playing card", "a: b"};
  study.model.input = {96, 128};
  study.model.width = {0.35};
  study.search.latency_ms = 12.5;
  study.train.hpo.lr.values = {2e-3};
  const std::vector<StudyLine> lines{{"name"},
                                     {"model.width", "little time"},
                                     {"model.input"},
                                     {"data.root"},
                                     {"data.train"},
                                     {"data.test", "taken from train"},
                                     {"data.classes"},
                                     {"search.latency_ms", "the baseline takes 21 ms"},
                                     {"search.flash_kib", "what it has", "2345"},
                                     {"train.epochs"},
                                     {"train.hpo.method"},
                                     {"train.hpo.lr", "one will do"}};
  const std::string text = StudyFile(study, "Made by hot init.\nTwo lines.", lines);
  WriteFileAtomic(folder.path() / "study.yaml", text);
  const Study read = ReadStudy(folder.path() / "study.yaml", {});
  study.model.baseline_width = 0.35;
  study.data.test_root = study.data.root;
  study.data.test_format = study.data.format;
  study.run.folder = read.run.folder;
  study.run.journal = read.run.journal;
  EXPECT_EQ(StudyJson(read), StudyJson(study));
}

TEST(StudyFile, LooksLikeThis) {
  Study study;
  study.name = "x";
  study.train.hpo.lr.values = {0.002};
  const std::vector<StudyLine> lines{
      {"name"}, {"model.input", "enough"}, {"search.flash_kib", "of the baseline", "300"}, {"train.hpo.lr"}};
  EXPECT_EQ(StudyFile(study, "Title.", lines),
            "# Title.\n"
            "name: x\n"
            "\n"
            "model:\n"
            "  input: [320, 320]                     # enough\n"
            "\n"
            "search:\n"
            "  # flash_kib: 300                      # of the baseline\n"
            "\n"
            "train:\n"
            "  hpo:\n"
            "    lr: 0.002\n");
}

}  // namespace
}  // namespace hot
