// The first ten minutes of a new user: hot doctor, hot init on pictures of their own, hot optimize --plan, and a
// finished report without editing a file; and what happens when the pictures are not what they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "core/progress.h"
#include "data/shapes.h"
#include "hot_program.h"

namespace hot {
namespace {

using Json = nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class FirstMinutes : public testing::Test {
 protected:
  // Small pictures of shapes as people have them: XML beside the pictures, names with .jpg and .JPG.
  void MakePictures() {
    const std::unique_ptr<Progress> progress = MakeSilentProgress();
    const std::atomic<bool> cancelled{false};
    const fs::path shapes = folder_.path() / "shapes";
    WriteShapes(shapes, {.train_pictures = 24, .test_pictures = 8, .width = 96, .height = 80},
                {SystemClock(), *progress, cancelled});
    for (const std::string split : {"trainval", "test"}) {
      const fs::path to = folder_.path() / "my pictures" / (split == "test" ? "test" : "train");
      EnsureFolder(to);
      std::istringstream names(ReadFile(shapes / "ImageSets/Main" / (split + ".txt")));
      bool odd = false;
      for (std::string name; std::getline(names, name); odd = !odd) {
        fs::rename(shapes / "JPEGImages" / (name + ".jpg"), to / (name + (odd ? ".JPG" : ".jpg")));
        fs::rename(shapes / "Annotations" / (name + ".xml"), to / (name + ".xml"));
      }
    }
    fs::remove_all(shapes);
  }

  HotResult Run(const std::string& arguments, const std::string& input = "") const {
    return RunHot(folder_.path(), arguments, input.empty() ? "" : "printf '" + input + "' |");
  }

  // Standard output alone.
  Json RunJson(const std::string& arguments) const {
    const HotResult result = RunHot(folder_.path(), arguments + " 2>log");
    EXPECT_EQ(result.code, 0) << result.output << ReadFile(folder_.path() / "log");
    return Json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }

  void ExpectOneLine(const std::string& arguments, const std::string& expected, const std::string& input = "") const {
    SCOPED_TRACE(arguments);
    const HotResult result = Run(arguments, input);
    EXPECT_EQ(result.code, 2) << result.output;
    const std::string error = result.output.substr(std::min(result.output.size(), result.output.find("error: ")));
    EXPECT_THAT(error, HasSubstr(expected));
    EXPECT_EQ(std::ranges::count(error, '\n'), 1) << result.output;
    EXPECT_FALSE(fs::exists(folder_.path() / "study.yaml"));
  }

  TempFolder folder_;
};

TEST_F(FirstMinutes, FromPicturesToAReportWithoutEditingAFile) {
  MakePictures();
  const HotResult init = Run("init --yes --data 'my pictures' --hours 0.001");
  ASSERT_EQ(init.code, 0) << init.output;
  EXPECT_THAT(init.output, HasSubstr("24 pictures to train with"));
  EXPECT_THAT(init.output, HasSubstr("3: circle ("));
  EXPECT_THAT(init.output, ContainsRegex("baseline [0-9.]+ ms, smallest network [0-9.]+ ms"));
  const std::string study = ReadFile(folder_.path() / "study.yaml");
  EXPECT_THAT(study, HasSubstr("name: my-pictures"));
  EXPECT_THAT(study, HasSubstr("root: \"my pictures\""));
  EXPECT_THAT(study, ContainsRegex("train: train +# 24 pictures"));
  EXPECT_THAT(study, ContainsRegex("width: 0.35 +# 1.0 is as published"));  // there was no time for more
  EXPECT_THAT(study, HasSubstr("quality: macs"));

  const Json plan = RunJson("optimize study.yaml --plan --json");
  EXPECT_FALSE(fs::exists(folder_.path() / "runs"));  // a plan leaves nothing behind
  EXPECT_THAT(plan["stages"][0]["work"].get<std::string>(), ContainsRegex("^([0-9]+) of [0-9]+ rows to measure, 0 in"));
  EXPECT_THAT(plan["stages"][3]["work"].get<std::string>(), HasSubstr("at most 3 networks, 3 trainings, 15 epochs"));
  EXPECT_THAT(plan["stages"][3]["basis"].get<std::string>(), HasSubstr("a training of two epochs"));
  EXPECT_FALSE(plan["stages"][3]["guess"]);
  EXPECT_GT(plan["seconds"], 1);

  // Fewer choices and epochs than a reader's study has, for want of time.
  const std::string brief =
      "optimize study.yaml --set 'model.space={default: [irb-k3-e3, irb-k3-e6], slot1: irb-k3-e1}' ";
  const HotResult optimize = Run(brief + "--set train.epochs=2");
  ASSERT_EQ(optimize.code, 0) << optimize.output;
  EXPECT_THAT(optimize.output, HasSubstr("report.html"));
  EXPECT_GT(fs::file_size(folder_.path() / "runs/my-pictures/report.html"), 10'000U);

  const Json done = RunJson(brief + "--set train.epochs=2 --plan --json");
  for (const Json& stage : done["stages"]) EXPECT_TRUE(stage["finished"]) << stage;
  EXPECT_EQ(done["seconds"], 0);
  const Json longer = RunJson(brief + "--set train.epochs=9 --plan --json");
  EXPECT_TRUE(longer["stages"][2]["finished"]);
  EXPECT_THAT(longer["stages"][3]["work"].get<std::string>(), Not(HasSubstr("at most")));
  EXPECT_THAT(longer["stages"][3]["basis"].get<std::string>(), HasSubstr("epochs of earlier trainings"));
}

TEST_F(FirstMinutes, InitAsksForWhatNoFlagSays) {
  MakePictures();
  const HotResult init = Run("init --out other.yaml", "my pictures/train\\n\\nhost\\n9\\n");
  ASSERT_EQ(init.code, 0) << init.output;
  EXPECT_THAT(init.output, HasSubstr("[ssd]"));
  const std::string study = ReadFile(folder_.path() / "other.yaml");
  EXPECT_THAT(study, ContainsRegex("name: train +# results: runs/train"));
  EXPECT_THAT(study, ContainsRegex("quality: distill +# blocks learn"));  // nine hours are enough for that
  EXPECT_THAT(study, ContainsRegex("objective: \\[?accuracy"));
  EXPECT_THAT(study, Not(HasSubstr("quality_min")));
  EXPECT_THAT(study, ContainsRegex("train: \"\" +# 24 pictures: all in the folder"));
  EXPECT_THAT(study, ContainsRegex("test: \"\" +# there is no test split"));
}

TEST_F(FirstMinutes, InitSaysWhatIsWrongWithTheData) {
  MakePictures();
  EnsureFolder(folder_.path() / "empty");
  ExpectOneLine("init --yes", "--data: is needed with --yes (name the folder");
  ExpectOneLine("init", "data: no folder was named (hot init --data DIR)", "\\n");
  ExpectOneLine("init", "nowhere: does not exist", "nowhere\\n");
  ExpectOneLine("init --data 'my pictures'", "hours: expected a positive number, got \"soon\"", "\\n\\nsoon\\n");
  ExpectOneLine("init --yes --data empty", "empty: there is no file in this folder (expected pictures with XML");
  ExpectOneLine("init --yes --data 'my pictures' --task cpn", "task cpn reads coco (--task ssd suits these data)");
  ExpectOneLine("init --yes --data 'my pictures' --task boxes", "unknown task \"boxes\" (known: ssd, cpn, classify)");
  ExpectOneLine("init --yes --data 'my pictures' --test final", "no split \"final\" here (splits here: test, train)");
  ExpectOneLine("init --yes --data 'my pictures' --device toaster", "target.device");
  WriteFileAtomic(folder_.path() / "other.yaml", "name: mine\n");
  ExpectOneLine("init --yes --data 'my pictures' --out other.yaml", "other.yaml: is there already (name another file");
  EXPECT_EQ(ReadFile(folder_.path() / "other.yaml"), "name: mine\n");
}

TEST_F(FirstMinutes, InitNamesEveryBrokenFile) {
  MakePictures();
  const std::vector<fs::path> files = ListFiles(folder_.path() / "my pictures/train");
  WriteFileAtomic(files[0].parent_path() / (files[0].stem().string() + ".xml"), "<annotation>");
  const fs::path picture = files.back().extension() == ".xml" ? files[files.size() - 2] : files.back();
  WriteFileAtomic(picture, ReadFile(picture).substr(0, 300));
  const HotResult result = Run("init --yes --data 'my pictures'");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.output, HasSubstr("broken: my pictures/train/" + files[0].stem().string() + ".xml:1:"));
  EXPECT_THAT(result.output, HasSubstr("broken: my pictures/train/" + picture.filename().string()));
  EXPECT_THAT(result.output, HasSubstr("2 files are broken, such as"));
  EXPECT_THAT(result.output, HasSubstr("(repair or remove each"));
}

TEST_F(FirstMinutes, DoctorSaysWhatFixesIt) {
  const HotResult text = Run("doctor");
  EXPECT_EQ(text.code, 0) << text.output;
  EXPECT_THAT(text.output, ContainsRegex("ok +hot-train"));
  EXPECT_THAT(text.output, ContainsRegex("ok +toolchain openvino +2[0-9.]+"));
  const Json json = RunJson("doctor --json");
  for (const Json& finding : json["findings"]) EXPECT_EQ(finding["fix"] == "", finding["health"] == "ok") << finding;
  WriteFileAtomic(folder_.path() / "s.yaml", "name: x\ndata: {root: .}\ntarget: {precision: int16x8}\n");
  const HotResult study = Run("doctor s.yaml");
  EXPECT_EQ(study.code, 1) << study.output;
  EXPECT_THAT(study.output, HasSubstr("openvino can't execute int16x8 on host"));
}

TEST_F(FirstMinutes, EveryCommandHasAnExample) {
  const std::string page = Run("man").output;
  size_t commands = 0;
  for (size_t at = page.find("\n.SS "); at != std::string::npos; ++commands) {
    const size_t next = page.find("\n.SS ", at + 1);
    const std::string section = page.substr(at, std::min(next, page.find("\n.SH STUDY FILE")) - at);
    EXPECT_THAT(section, HasSubstr("Example")) << section;
    at = next;
  }
  EXPECT_GE(commands, 20U);
  EXPECT_THAT(page, HasSubstr(".B search.latency_ms"));
  EXPECT_THAT(page, Not(HasSubstr("serve\\-job")));  // hidden
  if (!FindProgram("groff")) return;
  WriteFileAtomic(folder_.path() / "hot.1", page);
  const std::string file = (folder_.path() / "hot.1").string();
  const ProcessResult warnings = RunProcess({"bash", "-c", "groff -man -Tascii -wall '" + file + "' >/dev/null"});
  EXPECT_EQ(warnings.output, "");
}

// What bash offers behind `line`.
std::string Offered(const fs::path& folder, const std::string& line) {
  const std::string script = "compopt() { :; }; source <('" HOT_BINARY_DIR "/bin/hot' completion bash); COMP_LINE='" +
                             line + "'; COMP_POINT=${#COMP_LINE}; _hot; printf '%s\\n' \"${COMPREPLY[@]}\"";
  return RunProcess({"bash", "-c", "cd '" + folder.string() + "'; " + script}).output;
}

TEST_F(FirstMinutes, BashCompletesCommandsOptionsAndKeys) {
  EXPECT_EQ(Offered(folder_.path(), "hot opt"), "optimize\n");
  EXPECT_EQ(Offered(folder_.path(), "hot journal ex"), "export\n");
  EXPECT_EQ(Offered(folder_.path(), "hot data make "), "shapes\n");
  EXPECT_EQ(Offered(folder_.path(), "hot init --da"), "--data\n");
  EXPECT_EQ(Offered(folder_.path(), "hot optimize study.yaml --pl"), "--plan\n");
  EXPECT_EQ(Offered(folder_.path(), "hot optimize study.yaml --set search.flash"), "search.flash_kib=\n");
  EXPECT_EQ(Offered(folder_.path(), "hot optimize study.yaml --set model.backbone=resnet1"), "resnet18\n");
  EXPECT_THAT(Offered(folder_.path(), "hot "), HasSubstr("init\ndoctor\n"));
  ExpectOneLine("completion tcsh", "tcsh");
}

TEST_F(FirstMinutes, OtherShellsReadTheirScripts) {
  for (const std::string shell : {"zsh", "fish"}) {
    const std::string script = Run("completion " + shell).output;
    EXPECT_THAT(script, HasSubstr("model.backbone=resnet18"));
    if (!FindProgram(shell)) continue;
    WriteFileAtomic(folder_.path() / "script", script);
    const ProcessResult parsed = RunProcess({shell, "-n", (folder_.path() / "script").string()});
    EXPECT_TRUE(parsed.status.ok()) << parsed.output;
  }
}

}  // namespace
}  // namespace hot
