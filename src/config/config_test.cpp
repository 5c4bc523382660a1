#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/study.h"
#include "core/error.h"

namespace hot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The same text in each message: file names are relative to a working directory that holds study.yaml and data/.
class StudyTest : public testing::Test {
 protected:
  StudyTest() : before_(fs::current_path()) {
    fs::current_path(folder_.path());
    EnsureFolder("data");
    WriteFileAtomic("file", "x");
  }
  ~StudyTest() override { fs::current_path(before_); }

  Study Read(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    WriteFileAtomic("study.yaml", yaml);
    return ReadStudy("study.yaml", overrides);
  }

  // The error's line, or "no error".
  std::string Failure(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    try {
      Read(yaml, overrides);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument) << error.what();
      return error.what();
    }
    return "no error";
  }

 private:
  TempFolder folder_;
  fs::path before_;
};

const char kGood[] = "name: a\ndata: {root: data}\n";

TEST_F(StudyTest, DefaultsAreFilled) {
  const Study study = Read(kGood);
  EXPECT_EQ(study.name, "a");
  EXPECT_EQ(study.data.root, "data");
  EXPECT_THAT(study.model.width, ElementsAre(1.0));
  EXPECT_EQ(study.model.baseline_width, 1.0);
  EXPECT_EQ(study.run.folder, "runs/a");
  EXPECT_EQ(study.run.journal, "runs/journal.sqlite");
  EXPECT_FALSE(study.search.latency_ms.has_value());
  EXPECT_EQ(study.data.test_root, "data");
  EXPECT_EQ(study.data.test_format, "voc");
  EXPECT_FALSE(study.data.tests_elsewhere());
}

TEST_F(StudyTest, TestDataMayBeElsewhere) {
  EXPECT_TRUE(Read(kGood, {"data.test_root=."}).data.tests_elsewhere());
  EXPECT_TRUE(Read(kGood, {"data.test_format=coco"}).data.tests_elsewhere());
  EXPECT_FALSE(Read(kGood, {"data.test_root=data", "data.test_format=voc"}).data.tests_elsewhere());
  EXPECT_EQ(Failure(kGood, {"data.test_root=file"}),
            "--set data.test_root: \"file\" is not a folder (relative to the working directory; --set "
            "data.test_root=DIR names another)");
}

TEST_F(StudyTest, OneNumberStandsForThreeColours) {
  const std::string yaml = std::string(kGood) + "model: {mean: 0.5, stddev: [0.2, 0.3, 0.4], bn_eps: 1e-3}\n";
  const Study study = Read(yaml);
  EXPECT_THAT(study.model.mean, ElementsAre(0.5, 0.5, 0.5));
  EXPECT_THAT(study.model.stddev, ElementsAre(0.2, 0.3, 0.4));
  EXPECT_EQ(study.model.bn_eps, 1e-3);
  EXPECT_TRUE(Read(yaml, {"model.mean="}).model.mean.empty());
}

TEST_F(StudyTest, ReadsEveryKind) {
  const Study study = Read(R"(# a comment
version: 1
name: bccd-host_1.0
model: {width: [0.7, 1.0, 1.3], input: [160, 192], aspect_ratios: []}
data: {format: coco, root: data, val: val, classes: [RBC, WBC]}
target: {precision: [int8, fp32], threads: 2}
search:
  objective: latency
  latency_ms: 3e1
  flash_kib: 8192
  ram_kib:
train: {augment: no, hpo: {lr: 5e-4, gamma: [0.3, +0.5]}}
quantize:
run: {workers: auto, seed: 7, folder: out/x}
)");
  EXPECT_THAT(study.model.width, ElementsAre(0.7, 1.0, 1.3));
  EXPECT_EQ(study.model.baseline_width, 1.0);
  EXPECT_THAT(study.model.input, ElementsAre(160, 192));
  EXPECT_TRUE(study.model.aspect_ratios.empty());
  EXPECT_THAT(study.data.classes, ElementsAre("RBC", "WBC"));
  EXPECT_THAT(study.target.precision, ElementsAre("int8", "fp32"));
  EXPECT_THAT(study.search.objective, ElementsAre("latency"));
  EXPECT_EQ(study.search.latency_ms, 30.0);
  EXPECT_EQ(study.search.flash_kib, 8192.0);
  EXPECT_FALSE(study.search.ram_kib.has_value());
  EXPECT_FALSE(study.train.augment);
  EXPECT_THAT(study.train.hpo.lr.values, ElementsAre(5e-4));
  EXPECT_THAT(study.train.hpo.gamma.values, ElementsAre(0.3, 0.5));
  EXPECT_EQ(study.run.workers, 0);
  EXPECT_EQ(study.run.seed, 7);
  EXPECT_EQ(study.run.journal, "out/journal.sqlite");
}

TEST_F(StudyTest, HyperParametersAreListsOrRanges) {
  const Study study = Read(R"(name: a
data: {root: data}
train:
  hpo:
    method: bayes
    lr: {low: 1e-4, high: 1e-2}
    gamma: {low: 0.2, high: 0.6}
    weight_decay: {low: 0, high: 0.1, log: false}
    batch: [8, 16]
)",
                           {"train.hpo.gamma={low: 0.3, high: 0.5, log: true}", "train.hpo.batch=16,32"});
  const auto& hpo = study.train.hpo;
  EXPECT_TRUE(hpo.lr.is_range() && hpo.lr.log);  // learning rates are logarithmic
  EXPECT_EQ(hpo.lr.low, 1e-4);
  EXPECT_EQ(hpo.lr.high, 1e-2);
  EXPECT_TRUE(hpo.gamma.is_range() && hpo.gamma.log);
  EXPECT_EQ(hpo.gamma.low, 0.3);
  EXPECT_FALSE(hpo.weight_decay.log);
  EXPECT_THAT(hpo.batch.values, ElementsAre(16, 32));
  EXPECT_TRUE(Read(kGood).train.hpo.batch.empty());
  EXPECT_EQ(StudyJson(Read(StudyJson(study))), StudyJson(study));
}

TEST_F(StudyTest, SingleValuesStandForLists) {
  const Study study = Read("name: a\nmodel: {width: 0.35, input: 160}\ndata: {root: data, classes: cell}\n");
  EXPECT_THAT(study.model.width, ElementsAre(0.35));
  EXPECT_EQ(study.model.baseline_width, 0.35);
  EXPECT_THAT(study.model.input, ElementsAre(160, 160));
  EXPECT_THAT(study.data.classes, ElementsAre("cell"));
}

TEST_F(StudyTest, OverridesWinAndLaterOnesWinOverEarlier) {
  const Study study = Read("name: a\nsearch: {latency_ms: 3}\ndata: {root: nowhere, val: v}\n",
                           {"data.root=nowhere-either", "data.root=data", "model.width=[0.7, 1.3,1]",
                            "model.input=96,128", "search.latency_ms=", "search.latency_ratio=0.8",
                            "data.val=", "run.workers=auto", "train.augment=false", "run.folder=a=b"});
  EXPECT_EQ(study.data.root, "data");
  EXPECT_THAT(study.model.width, ElementsAre(0.7, 1.3, 1.0));
  EXPECT_THAT(study.model.input, ElementsAre(96, 128));
  EXPECT_FALSE(study.search.latency_ms.has_value());
  EXPECT_EQ(study.search.latency_ratio, 0.8);
  EXPECT_EQ(study.data.val, "");
  EXPECT_FALSE(study.train.augment);
  EXPECT_EQ(study.run.folder, "a=b");
}

TEST_F(StudyTest, CanonicalJsonIsAStudyFileOfTheSameStudy) {
  const Study study =
      Read("name: a\nsearch: {latency_ratio: 0.8}\ndata: {root: data, classes: [\"1\", \"b: \\\"c\"]}\n");
  const std::string json = StudyJson(study);
  EXPECT_EQ(StudyJson(Read(json)), json);
  EXPECT_THAT(json, HasSubstr(R"("latency_ms":null,"latency_ratio":0.8)"));
}

TEST_F(StudyTest, JsonChangesWithWhatItDescribesOnly) {
  const Study a = Read(kGood), b = Read(kGood, {"train.hpo.gamma=0.9"});
  EXPECT_EQ(StudySectionJson(a, "quantize"),
            R"({"correct_bias":false,"equalize":false,"finetune_epochs":0,"max_drop":null,"pictures":128,)"
            R"("ranges":"percentile","rounding":"auto","scheme":"s8s8"})");
  EXPECT_EQ(StudySectionJson(a, "model"), StudySectionJson(b, "model"));
  EXPECT_NE(StudySectionJson(a, "train"), StudySectionJson(b, "train"));
  EXPECT_NE(StudyJson(a), StudyJson(b));
}

struct BadFile {
  const char* yaml;
  const char* line;
};

const BadFile kBadFiles[] = {
    // the file as such
    {"", "study.yaml: the file is empty (`hot init` writes a study file to start from)"},
    {"# nothing but a comment\n", "study.yaml: the file is empty (`hot init` writes a study file to start from)"},
    {"name: a\nrun:\n  folder: caf\xe9\n", "study.yaml:3:14: not UTF-8 text (save the file as UTF-8)"},
    {"\xff\xfen", "study.yaml:1:1: not UTF-8 text (save the file as UTF-8)"},
    {"just text\n", "study.yaml:1:1: expected keys and values, such as 'name: my-study'"},
    {"- name: a\n", "study.yaml:1:1: expected keys and values, such as 'name: my-study'"},
    {"name: a\n---\nname: b\n", "study.yaml:3:1: a second YAML document (one study a file)"},
    {"name: a\ndata: {root: data\n", "study.yaml:3:1: not valid YAML: end of map flow not found"},
    {"name: a\n\tdata: 1\n", "study.yaml:2:1: not valid YAML: illegal tab when looking for indentation"},
    {"name: a\n  data: {root: data}\n", "study.yaml:2:7: not valid YAML: illegal map value"},
    {"name: *missing\n", "study.yaml:1:7: not valid YAML: the referenced anchor is not defined"},
    {"[a, b]: 1\n", "study.yaml:1:1: expected a key, got a list or a map"},
    // version
    {"version: 2\nshiny: 1\n", "study.yaml:1:10: version: 2 is newer than this program understands (1) (update HOT)"},
    {"version: one\n", "study.yaml:1:10: version: expected a whole number from 1 to 1, got \"one\""},
    {"version: 0\n", "study.yaml:1:10: version: expected a whole number from 1 to 1, got \"0\""},
    // keys
    {"nam: a\n", "study.yaml:1:1: nam: unknown key (did you mean name?)"},
    {"serach: {}\n", "study.yaml:1:1: serach: unknown key (did you mean search?)"},
    {"search:\n  latency: 3\n", "study.yaml:2:3: search.latency: unknown key (did you mean search.latency_ms?)"},
    {"search:\n  lateny_ms: 3\n", "study.yaml:2:3: search.lateny_ms: unknown key (did you mean search.latency_ms?)"},
    {"latency_ms: 3\n", "study.yaml:1:1: latency_ms: unknown key (did you mean search.latency_ms?)"},
    {"train: {hpo: {gama: 1}}\n", "study.yaml:1:15: train.hpo.gama: unknown key (did you mean train.hpo.gamma?)"},
    {"zebra: 3\n", "study.yaml:1:1: zebra: unknown key (docs/formats/study.md lists all keys)"},
    {"name: a\nname: b\n", "study.yaml:2:1: name: given twice (first at study.yaml:1:1)"},
    {"run: {seed: 1, seed: 2}\n", "study.yaml:1:16: run.seed: given twice (first at study.yaml:1:7)"},
    {"model: ssd\n", "study.yaml:1:8: model: expected a section with keys below it"},
    {"train: {hpo: {lr: {low: 1}}}\n", "study.yaml:1:19: train.hpo.lr: a range needs low and high"},
    {"train: {hpo: {lr: {low: 0.1, high: 0.01}}}\n",
     "study.yaml:1:36: train.hpo.lr: high must be above low, got \"0.01\""},
    {"train: {hpo: {lr: {low: 0.1, high: 7}}}\n",
     "study.yaml:1:36: train.hpo.lr: expected a list, each a number above 0, at most 1, or a range {low, high}, got "
     "\"7\""},
    {"train: {hpo: {lr: {low: 0.1, top: 7}}}\n",
     "study.yaml:1:35: train.hpo.lr: a range has no \"top\" (known: low, high, log)"},
    {"train: {hpo: {weight_decay: {low: 0, high: 0.1}}}\n",
     "study.yaml:1:35: train.hpo.weight_decay: a logarithmic range can't begin at 0 (choose a small number, or log: "
     "false)"},
    {"train: {hpo: {batch: [8, 8.5]}}\n",
     "study.yaml:1:26: train.hpo.batch: expected a list, each a whole number from 1 to 1024, or a range {low, high}, "
     "got \"8.5\""},
    {"name: a\ndata: {root: data}\ntrain: {hpo: {lr: {low: 1e-4, high: 1e-2}}}\n",
     "study.yaml:3:19: train.hpo.lr: a grid needs a list of values, not a range (or train.hpo.method: random or "
     "bayes)"},
    {"name: a\ndata: {root: data}\ntrain: {epochs: 5, hpo: {min_epochs: 6}}\n",
     "study.yaml:3:38: train.hpo.min_epochs: 6 is more than train.epochs (5)"},
    {"train: {hpo: [1]}\n", "study.yaml:1:14: train.hpo: expected a section with keys below it"},
    // values
    {"search:\n  latency_ms: fast\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got \"fast\""},
    {"search:\n  latency_ms: 0\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got \"0\""},
    {"search:\n  latency_ms: .inf\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got \".inf\""},
    {"search:\n  latency_ms: nan\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got \"nan\""},
    {"search:\n  latency_ms: 1e999\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got \"1e999\""},
    {"search:\n  latency_ms: 30 ms\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got \"30 ms\""},
    {"search:\n  latency_ms: [3]\n", "study.yaml:2:15: search.latency_ms: expected a positive number, got a list"},
    {"search: {latency_ratio: 11}\n",
     "study.yaml:1:25: search.latency_ratio: expected a number above 0, at most 10, got \"11\""},
    {"search: {candidates: 2.5}\n",
     "study.yaml:1:22: search.candidates: expected a whole number from 1 to 64, got \"2.5\""},
    {"search: {objective: [accuracy, energy]}\n",
     "study.yaml:1:32: search.objective: expected one of accuracy, latency, got \"energy\""},
    {"search: {objective: [latency, latency]}\n", "study.yaml:1:31: search.objective: \"latency\" is listed twice"},
    {"search: {objective: []}\n", "study.yaml:1:21: search.objective: expected 1 to 2 values, got 0"},
    {"search: {solver: cplex}\n", "study.yaml:1:18: search.solver: expected one of exact, glpk, got \"cplex\""},
    {"model: {task: yolo}\n", "study.yaml:1:15: model.task: expected one of ssd, cpn, classify, got \"yolo\""},
    {"model: {width: wide}\n", "study.yaml:1:16: model.width: expected a number from 0.1 to 4, got \"wide\""},
    {"model: {width: [1, -1]}\n", "study.yaml:1:20: model.width: expected a number from 0.1 to 4, got \"-1\""},
    {"model: {width: [1, [2]]}\n",
     "study.yaml:1:20: model.width: expected a number from 0.1 to 4 in each place of the list"},
    {"model: {width: {s: 1}}\n", "study.yaml:1:16: model.width: expected a list, got a section"},
    {"model: {input: [64, 16]}\n", "study.yaml:1:21: model.input: expected a whole number from 32 to 2048, got \"16\""},
    {"model: {input: [64, 64, 3]}\n", "study.yaml:1:16: model.input: expected 2 values, got 3"},
    {"train: {epochs: 99999999999999999999}\n",
     "study.yaml:1:17: train.epochs: expected a whole number from 1 to 10000, got \"99999999999999999999\""},
    {"train: {epochs: 0}\n", "study.yaml:1:17: train.epochs: expected a whole number from 1 to 10000, got \"0\""},
    {"train:\n  epochs:\n", "study.yaml:2:3: train.epochs: expected a whole number from 1 to 10000, got nothing"},
    {"train: {augment: maybe}\n", "study.yaml:1:18: train.augment: expected true or false, got \"maybe\""},
    {"run: {workers: many}\n",
     "study.yaml:1:16: run.workers: expected a whole number from 0 to 256 or auto, got \"many\""},
    {"name: ../up\n", "study.yaml:1:7: name: expected a name of letters, digits, '.', '_' and '-', got \"../up\""},
    {"name: {a: b}\n", "study.yaml:1:7: name: expected a name of letters, digits, '.', '_' and '-', got a section"},
    // several options
    {"data: {root: data}\n", "study.yaml: name: missing (add a line 'name: my-study')"},
    {"name: a\n", "study.yaml: data.root: missing (name the folder of the data set here or with --set data.root=DIR)"},
    {"name: a\ndata: {root: nowhere}\n",
     "study.yaml:2:14: data.root: \"nowhere\" does not exist (relative to the working directory; --set data.root=DIR "
     "names another)"},
    {"name: a\ndata: {root: file}\n",
     "study.yaml:2:14: data.root: \"file\" is not a folder (relative to the working directory; --set data.root=DIR "
     "names another)"},
    {"name: a\ndata: {root: data}\nmodel: {width: [0.7, 1.3]}\n",
     "study.yaml:3:16: model.width: several widths without 1.0 leave no baseline (set model.baseline_width to one of "
     "them)"},
    {"name: a\ndata: {root: data}\nmodel: {width: [0.7, 1.0], baseline_width: 0.5}\n",
     "study.yaml:3:44: model.baseline_width: 0.5 is not one of model.width"},
    {"name: a\ndata: {root: data}\nsearch: {precision: slot}\n",
     "study.yaml:3:21: search.precision: slot needs the formats to choose from, int8 and fp32, int8 first "
     "(target.precision: [int8, fp32])"},
    {"name: a\ndata: {root: data}\nsearch: {precision: slot}\ntarget: {precision: [fp32, int8]}\n",
     "study.yaml:3:21: search.precision: slot needs the formats to choose from, int8 and fp32, int8 first "
     "(target.precision: [int8, fp32])"},
    {"name: a\ndata: {root: data}\nsearch: {precision: slot}\ntarget: {toolchain: tvm, precision: [int8, fp32]}\n",
     "study.yaml:3:21: search.precision: slot is not for target.toolchain tvm (openvino mixes formats)"},
    {"name: a\ndata: {root: data}\nsearch: {latency_ms: 3, latency_ratio: 0.8}\n",
     "study.yaml:3:40: search.latency_ratio: not together with search.latency_ms (keep one; --set search.latency_ms= "
     "takes the other away)"},
    {"name: a\ndata: {root: data}\nsearch: {candidates: 4, train_candidates: 5}\n",
     "study.yaml:3:43: search.train_candidates: 5 is more than search.candidates (4)"},
    {"name: a\ndata: {root: data}\nmodel: {finest_stride: 12}\n",
     "study.yaml:3:24: model.finest_stride: expected 8 or 16, got 12"},
    {"name: a\ndata: {root: data}\nmodel: {anchor_min_scale: 0.95}\n",
     "study.yaml:3:27: model.anchor_min_scale: the smallest anchors (0.95) must be smaller than the largest (0.95)"},
    {"name: a\ndata: {root: data}\nmodel: {pretrained: none.pth}\n",
     "study.yaml:3:21: model.pretrained: \"none.pth\" does not exist (relative to the working directory; --set "
     "model.pretrained=FILE names another)"},
    {"name: a\ndata: {root: data}\nmodel: {mean: [0.5, 0.4]}\n",
     "study.yaml:3:15: model.mean: expected red, green and blue, got 2 numbers"},
    {"model: {padding: valid}\n",
     "study.yaml:1:18: model.padding: expected one of auto, symmetric, same, got \"valid\""},
    {"model: {stddev: 0}\n", "study.yaml:1:17: model.stddev: expected a number above 0, at most 1, got \"0\""},
    {"name: a\ndata: {root: data}\ntrain: {epochs: 3, warmup_epochs: 4}\n",
     "study.yaml:3:35: train.warmup_epochs: warm-up of 4 epochs in a training of 3"},
    {"name: a\ndata: {root: data}\nquantize: {finetune_epochs: 5}\n",
     "study.yaml:3:29: quantize.finetune_epochs: needs quantize.max_drop: only networks that lose more are trained on"},
};

TEST_F(StudyTest, BadFilesGetOneLocatedLine) {
  for (const BadFile& bad : kBadFiles) {
    EXPECT_EQ(Failure(bad.yaml), bad.line) << bad.yaml;
    EXPECT_THAT(std::string(bad.line), testing::Not(HasSubstr("\n")));
  }
}

const BadFile kBadOverrides[] = {
    {"data.root", "--set data.root: expected KEY=VALUE (for example --set data.root=DIR)"},
    {"=x", "--set : expected KEY=VALUE (for example --set data.root=DIR)"},
    {"data.rot=x", "--set data.rot: unknown key (did you mean data.root?)"},
    {"data=x", "--set data: is a section (set one of its keys, such as data.KEY=VALUE)"},
    {"data.root=nowhere",
     "--set data.root: \"nowhere\" does not exist (relative to the working directory; --set data.root=DIR names "
     "another)"},
    {"data.root=",
     "--set data.root: \"\" does not exist (relative to the working directory; --set data.root=DIR names another)"},
    {"search.latency_ms=fast", "--set search.latency_ms: expected a positive number, got \"fast\""},
    {"model.width=0.7,x", "--set model.width: expected a number from 0.1 to 4, got \"x\""},
    {"model.width=", "--set model.width: expected 1 to 8 values, got 0"},
    {"model.width=0.7,,1", "--set model.width: expected a number from 0.1 to 4, got \"\""},
    {"train.epochs=", "--set train.epochs: expected a whole number from 1 to 10000, got nothing"},
    {"train.metric=map", "--set train.metric: expected one of coco_ap, ap50, voc07, pck, top1, got \"map\""},
    {"train.metric=pck", "--set train.metric: \"pck\" is not for model.task ssd (one of coco_ap, ap50, voc07)"},
    {"model.flip_test=true", "--set model.flip_test: is for keypoints, which model.task ssd does not find"},
    {"train.pck_threshold=0", "--set train.pck_threshold: expected a number from 0.001 to 1, got \"0\""},
    {"name=a\nb", "--set name: expected a name of letters, digits, '.', '_' and '-', got \"a b\""},
    {"data.classes=caf\xe9", "--set data.classes: not UTF-8 text"},
    {"model.baseline_width=2", "--set model.baseline_width: 2 is not one of model.width"},
};

TEST_F(StudyTest, BadOverridesGetOneLine) {
  for (const BadFile& bad : kBadOverrides) EXPECT_EQ(Failure(kGood, {bad.yaml}), bad.line) << bad.yaml;
}

TEST_F(StudyTest, Poses) {
  const char yaml[] = "name: a\nmodel: {task: cpn}\ndata: {root: data, format: coco, oks_sigmas: [0.1, 0.1]}\n";
  const Study study = Read(yaml, {"data.mirror_pairs=a/b,c/d", "model.box_margin=0.2", "train.zoom=1,1"});
  EXPECT_THAT(study.model.input, ElementsAre(256, 192));
  EXPECT_THAT(study.model.box_margin, ElementsAre(0.2, 0.2));
  EXPECT_THAT(study.data.oks_sigmas, ElementsAre(0.1, 0.1));
  EXPECT_THAT(study.data.mirror_pairs, ElementsAre("a/b", "c/d"));
  EXPECT_THAT(study.train.zoom, ElementsAre(1, 1));
  EXPECT_THAT(Read(yaml, {"model.input=64"}).model.input, ElementsAre(64, 64));
  for (const BadFile& bad :
       {BadFile{"data.format=voc", "--set data.format: \"voc\" is not for model.task cpn (coco)"},
        {"model.input=100,96",
         "--set model.input: model.task cpn needs sides that are multiples of 32 "
         "(such as [256, 192])"},
        {"train.metric=voc07", "--set train.metric: \"voc07\" is not for model.task cpn (one of coco_ap, ap50, pck)"},
        {"train.zoom=1.2,0.8", "--set train.zoom: the smallest side must not be larger than the largest"},
        {"data.test_format=voc", "--set data.test_format: \"voc\" is not for model.task cpn (coco)"},
        {"train.zoom=0.8", "--set train.zoom: expected 2 values, got 1"}}) {
    EXPECT_EQ(Failure(yaml, {bad.yaml}), bad.line);
  }
}

TEST_F(StudyTest, MissingFileAndFolder) {
  for (const auto& [file, line] :
       {std::pair("none.yaml", "none.yaml: no such file (`hot init` writes a study file to start from)"),
        std::pair("data", "data: is a folder, not a study file")}) {
    try {
      ReadStudy(file, {});
      FAIL() << file;
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), line);
    }
  }
}

}  // namespace
}  // namespace hot
