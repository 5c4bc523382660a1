// hot init: asks what a study is about, and writes a study file for it.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/files.h"
#include "pipeline/init.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

struct InitOptions {
  InitRequest request;
  std::string out;
  bool yes = false, json = false;
};

// The answer, or `fallback` for an empty line and at the end of the input.
std::string Ask(const std::string& question, const std::string& fallback) {
  std::fprintf(stderr, "%s%s: ", question.c_str(), fallback.empty() ? "" : (" [" + fallback + "]").c_str());
  std::string answer;
  if (!std::getline(std::cin, answer)) std::fprintf(stderr, "\n");
  const size_t first = answer.find_first_not_of(" \t"), last = answer.find_last_not_of(" \t");
  return first == std::string::npos ? fallback : answer.substr(first, last + 1 - first);
}

double ParseHours(const std::string& text) {
  double hours = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
  if (error == std::errc() && end == text.data() + text.size() && hours > 0 && hours <= 10000) return hours;
  throw Error(Code::kInvalidArgument, "hours", "expected a positive number, got \"" + text + "\"", "such as 0.5 or 12");
}

// What was not said with a flag.
void AskTheRest(const CLI::App& sub, InitOptions& options) {
  InitRequest& request = options.request;
  if (request.data.empty()) request.data = Ask("Folder of the labelled pictures", "");
  if (request.data.empty()) {
    throw Error(Code::kInvalidArgument, "data", "no folder was named", "hot init --data DIR");
  }
  const std::string guess = GuessTask(FindLayouts(request.data));  // now: a wrong folder needs no more questions
  if (request.task.empty()) request.task = Ask("Task: ssd finds boxes, cpn keypoints, classify classes", guess);
  if (sub.count("--device") == 0) {
    request.device = Ask("Device: host, ethos-u55-128, .. or grpc://HOST:PORT of hot serve", request.device);
  }
  if (sub.count("--hours") == 0) request.hours = ParseHours(Ask("Hours for the whole study", "1"));
}

Json ToJson(const InitResult& result, const fs::path& file) {
  return {{"version", 1},
          {"file", file.string()},
          {"study", Json::parse(StudyJson(result.study))},
          {"findings", result.findings},
          {"expected_seconds", result.expected_seconds}};
}

void CheckFree(const fs::path& file) {
  if (!fs::exists(file)) return;
  throw Error(Code::kFailedPrecondition, file.string(), "is there already",
              "name another file with --out, or remove this one");
}

void Init(const CLI::App& sub, InitOptions& options, const Context& context) {
  CheckFree(options.out);
  if (!options.yes) AskTheRest(sub, options);
  if (options.request.data.empty()) {
    throw Error(Code::kInvalidArgument, "--data", "is needed with --yes", "name the folder of the labelled pictures");
  }
  const InitResult result = ProposeStudy(options.request, context);
  WriteFileAtomic(options.out, result.file);
  for (const std::string& finding : result.findings) context.progress.Note(finding);
  if (options.json) {
    std::printf("%s\n", ToJson(result, options.out).dump(1).c_str());
    return;
  }
  std::printf(
      "%s is written. Next:\n  hot optimize %s --plan    # what that does, and how long each stage takes\n  hot "
      "optimize %s\n",
      options.out.c_str(), options.out.c_str(), options.out.c_str());
}

}  // namespace

void AddInitCommand(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<InitOptions>();  // shared: CLI11 copies the callback that owns it
  options->out = "study.yaml";
  CLI::App* sub = app.add_subcommand("init", "Write a study file for your pictures and your device");
  InitRequest& request = options->request;
  sub->add_option("--data", request.data, "folder of the labelled pictures: VOC XML, COCO JSON, or a folder a class");
  sub->add_option("--task", request.task, "ssd (boxes), cpn (keypoints) or classify; default: what the labels are for");
  sub->add_option("--device", request.device, "host, ethos-u55-128, .. or grpc://HOST:PORT")->capture_default_str();
  sub->add_option("--token-file", request.token_file, "token of that device's agent, where it asks for one");
  sub->add_option("--ca-file", request.ca_file,
                  "certificate of the authority that signed the agent's, where it has TLS");
  sub->add_option("--toolchain", request.toolchain, "openvino, tvm or vela; default: openvino, for ethos-* vela");
  sub->add_option("--hours", request.hours, "for the whole study: decides on width and epochs")
      ->check(CLI::Range(0.001, 10000.0))
      ->capture_default_str();
  sub->add_option("--train", request.train, "split to train with; default: by the names of the splits");
  sub->add_option("--test", request.test, "split to test with; default: likewise, or taken from the training split");
  sub->add_option("--name", request.name, "of the study; default: that of the data's folder");
  sub->add_option("--out", options->out, "file to write")->capture_default_str();
  sub->add_flag("--yes", options->yes, "ask nothing: what no flag says gets its default");
  sub->add_flag("--json", options->json, "print what was found and chosen as JSON on stdout");
  sub->footer("Examples:\n  hot init\n  hot init --yes --data data/cards --task ssd --hours 2 --out cards.yaml");
  sub->callback([options, sub, &exit_code] {
    exit_code = RunCommand(options->json, [&](const Context& context) { Init(*sub, *options, context); });
  });
}

}  // namespace hot
