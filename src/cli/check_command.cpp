// hot check BUNDLE --baseline B: exit code 1 when the bundle got slower or less accurate.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "pipeline/check.h"

namespace hot {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const CheckResult& r) {
  return {{"version", 1},
          {"latency",
           {{"median_ns", r.latency.median_ns},
            {"baseline_median_ns", r.baseline_latency.median_ns},
            {"ratio", r.ratio.ratio},
            {"low", r.ratio.low},
            {"high", r.ratio.high},
            {"worse", r.slower}}},
          {"accuracy",
           {{"score_name", r.score_name},
            {"score", r.score},
            {"baseline_score", r.baseline_score},
            {"difference", r.difference.difference},
            {"low", r.difference.low},
            {"high", r.difference.high},
            {"pictures", r.pictures},
            {"worse", r.less_accurate}}}};
}

void Print(const CheckResult& r) {
  const auto verdict = [](bool worse) { return worse ? "WORSE" : "not shown to be worse"; };
  std::printf("latency   %.3f ms, baseline %.3f ms, ratio %.3f [%.3f, %.3f]: %s\n", r.latency.median_ns / 1e6,
              r.baseline_latency.median_ns / 1e6, r.ratio.ratio, r.ratio.low, r.ratio.high, verdict(r.slower));
  std::printf("%-9s %.4f, baseline %.4f, difference %+.4f [%+.4f, %+.4f] over %zu pictures: %s\n", r.score_name.c_str(),
              r.score, r.baseline_score, r.difference.difference, r.difference.low, r.difference.high, r.pictures,
              verdict(r.less_accurate));
}

}  // namespace

void AddCheckCommand(CLI::App& app, int& exit_code) {
  struct Options {
    CheckOptions check;
    bool json = false;
  };
  auto options = std::make_shared<Options>();  // shared: CLI11 copies the callback that owns it
  CLI::App* sub = app.add_subcommand("check", "Whether a bundle got slower or less accurate than another one");
  sub->add_option("bundle", options->check.bundle, "folder of hot export")->required();
  sub->add_option("--baseline", options->check.baseline, "the bundle to compare with")->required();
  sub->add_option("--device", options->check.device, "where both run")->capture_default_str();
  sub->add_option("--data", options->check.data, "root of the test data; default: where the bundle's study had it");
  sub->add_option("--latency-margin", options->check.latency_margin, "slower by this share is no regression")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  sub->add_option("--accuracy-margin", options->check.accuracy_margin, "a score lower by this much (0-1) is none")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  sub->add_flag("--json", options->json, "print the result as JSON on stdout");
  sub->footer(
      "Exit code 1 when the 95 % interval of the latency's ratio or of the score's difference lies beyond the margin.\n"
      "Example:\n  hot check bundle --baseline released/bundle --device host --data data/bccd");
  sub->callback([options, &exit_code] {
    bool worse = false;
    exit_code = RunCommand(options->json, [&](const Context& context) {
      const CheckResult result = CheckBundle(options->check, context);
      worse = result.slower || result.less_accurate;
      if (options->json) {
        std::printf("%s\n", ToJson(result).dump(1).c_str());
      } else {
        Print(result);
      }
    });
    if (exit_code == 0 && worse) exit_code = 1;
  });
}

}  // namespace hot
